// Request heads: any split gives the same verdict, nothing crashes, and what we forward we would accept again
// with the same framing.
#include <cassert>
#include <string>

#include "proxy/wire/forward.h"
#include "proxy/wire/head.h"
#include "proxy/wire/websocket.h"

using namespace limpet::wire;

namespace {

constexpr HeadLimits kLimits{.head_bytes = 600, .head_fields = 12, .target_bytes = 100};

struct Verdict {
  HeadScanner::Step step;
  Fault fault;
  std::size_t start;
  std::size_t length;
  bool operator==(const Verdict&) const = default;
};

Verdict scan(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner(HeadScanner::Kind::request, kLimits);
  auto step = HeadScanner::Step::more;
  for (std::size_t n = 0; n < bytes.size() && step == HeadScanner::Step::more;) {
    n = std::min(bytes.size(), n + piece);
    step = scanner.feed(bytes.substr(0, n));
  }
  const bool refused = step == HeadScanner::Step::refused;
  return {step, refused ? scanner.fault() : Fault{}, scanner.start(), refused ? 0 : scanner.length()};
}

// Forwards for a stranger and for a believed peer; both heads must be clean.
void forward(const RequestHead& head, bool believed) {
  const IpAddress peer = *IpAddress::parse("192.0.2.1");
  const Cidr trusted{peer, 32};
  UpstreamHeadOptions options{.peer = &peer, .request_id = "id", .drop_cookie = "io", .via = true};
  options.client = identify_client(head.fields, &peer, {&trusted, believed ? 1u : 0u}, false);
  options.websocket = asks_websocket(head) && !check_handshake(head);
  std::string out;
  append_upstream_head(out, head, options);
  HeadScanner scanner(HeadScanner::Kind::request, {.head_bytes = 1 << 20, .target_bytes = 1 << 20});
  assert(scanner.feed(out) == HeadScanner::Step::complete && scanner.length() == out.size());
  FieldList fields;
  const auto again = parse_request(out, fields);
  assert(std::holds_alternative<RequestHead>(again));
  const auto& copy = std::get<RequestHead>(again);
  assert(copy.method_text == head.method_text && copy.path == head.path && copy.query == head.query);
  assert(copy.authority == head.authority && copy.host == head.host);
  assert(copy.body.kind == head.body.kind && copy.body.length == head.body.length);
  assert(copy.upgrade == options.websocket && copy.keep_alive);
  assert(believed || options.client.address == peer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FieldList fields;
  parse_request(bytes, fields);
  const Verdict whole = scan(bytes, bytes.size() + 1);
  assert(scan(bytes, 1) == whole && scan(bytes, 1 + data[0] % 32u) == whole);
  if (whole.step != HeadScanner::Step::complete) return 0;
  const auto parsed = parse_request(bytes.substr(whole.start, whole.length - whole.start), fields);
  if (const auto* fault = std::get_if<Fault>(&parsed)) {
    assert(status_of(*fault) < 502 && !text_of(*fault).empty() && !explain(*fault).empty());
    return 0;
  }
  forward(std::get<RequestHead>(parsed), false);
  forward(std::get<RequestHead>(parsed), true);
  return 0;
}
