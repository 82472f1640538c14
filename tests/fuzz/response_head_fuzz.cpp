// Response heads: any split gives the same verdict, nothing crashes, and what we relay is clean itself.
#include <cassert>
#include <string>

#include "proxy/wire/forward.h"
#include "proxy/wire/head.h"

using namespace limpet::wire;

namespace {

constexpr HeadLimits kLimits{.head_bytes = 600, .head_fields = 12};

struct Verdict {
  HeadScanner::Step step;
  Fault fault;
  std::size_t length;
  bool operator==(const Verdict&) const = default;
};

Verdict scan(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner(HeadScanner::Kind::response, kLimits);
  auto step = HeadScanner::Step::more;
  for (std::size_t n = 0; n < bytes.size() && step == HeadScanner::Step::more;) {
    n = std::min(bytes.size(), n + piece);
    step = scanner.feed(bytes.substr(0, n));
  }
  const bool refused = step == HeadScanner::Step::refused;
  return {step, refused ? scanner.fault() : Fault{}, refused ? 0 : scanner.length()};
}

void relay(const ResponseHead& head, const ClientHeadOptions& options, bool asked_upgrade) {
  std::string out;
  append_client_head(out, head, options);
  HeadScanner scanner(HeadScanner::Kind::response, {.head_bytes = 1 << 20});
  assert(scanner.feed(out) == HeadScanner::Step::complete && scanner.length() == out.size());
  FieldList fields;
  const auto again = parse_response(out, options.method, asked_upgrade, fields);
  assert(std::holds_alternative<ResponseHead>(again));
  const auto& copy = std::get<ResponseHead>(again);
  assert(copy.status == head.status && copy.reason == head.reason);
  const bool ends_with_connection = options.dechunk && head.body.kind == BodyKind::chunked;
  assert(copy.body.kind == (ends_with_connection ? BodyKind::until_close : head.body.kind));
  assert(copy.body.length == head.body.length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool asked_upgrade = (data[0] & 0x20) != 0;
  const Method asked = (data[0] & 0x40) != 0 ? Method::head : Method::get;
  FieldList fields;
  parse_response(bytes, asked, asked_upgrade, fields);
  const Verdict whole = scan(bytes, bytes.size() + 1);
  assert(scan(bytes, 1) == whole && scan(bytes, 1 + data[0] % 32u) == whole);
  if (whole.step != HeadScanner::Step::complete) return 0;
  const auto parsed = parse_response(bytes.substr(0, whole.length), asked, asked_upgrade, fields);
  if (std::holds_alternative<Fault>(parsed)) return 0;
  const auto& head = std::get<ResponseHead>(parsed);
  assert(head.status != 101 || asked_upgrade);
  assert(!head.keep_alive || head.body.kind != BodyKind::until_close);
  relay(head,
        {.method = asked, .set_cookie = "io=ws1; Path=/", .replace_cookie = "io", .rewrite_value = "ws1"},
        asked_upgrade);
  relay(head,
        {.method = asked,
         .client_minor = 0,
         .close = true,
         .dechunk = true,
         .private_no_store = true,
         .replace_cookie = "io",
         .via_pseudonym = "limpet"},
        asked_upgrade);
  std::string interim;
  append_interim_head(interim, head);
  return 0;
}
