// WebSocket handshakes: a request head and an answer, parted by an empty line. What passes the checks has
// what RFC 6455 demands; the right answer to a handshake passes, the same with one thing changed does not.
#include <cassert>
#include <string>

#include "proxy/wire/websocket.h"

using namespace limpet::wire;

namespace {

// Parses `bytes` if they are one clean head.
template <class Head, class Parse>
const Head* parse(Parsed<Head>& out, HeadScanner::Kind kind, std::string_view bytes, const Parse& parser) {
  HeadScanner scanner(kind, {});
  if (scanner.feed(bytes) != HeadScanner::Step::complete || scanner.start() != 0) return nullptr;
  out = parser(bytes.substr(0, scanner.length()));
  return std::get_if<Head>(&out);
}

void check_answer(std::string_view bytes, const Offer& offer) {
  FieldList fields;
  Parsed<ResponseHead> parsed;
  const auto parser = [&](std::string_view head) { return parse_response(head, Method::get, true, fields); };
  const auto* answer = parse<ResponseHead>(parsed, HeadScanner::Kind::response, bytes, parser);
  if (answer == nullptr || check_switching(*answer, offer)) return;
  assert(answer->status == 101 && answer->upgrade);
  const Field* accept = find(answer->fields, FieldId::sec_websocket_accept);
  assert(accept != nullptr && accept->value == accept_for(offer.key));
}

bool passes(std::string_view lines, const Offer& offer) {
  const std::string text = std::string("HTTP/1.1 101 S\r\n").append(lines).append("\r\n");
  FieldList fields;
  const auto parsed = parse_response(text, Method::get, true, fields);
  return std::holds_alternative<ResponseHead>(parsed) &&
         !check_switching(std::get<ResponseHead>(parsed), offer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find("\r\n\r\n"), bytes.size() - std::min<std::size_t>(4, size));
  FieldList fields;
  Parsed<RequestHead> parsed;
  const auto parser = [&](std::string_view head) { return parse_request(head, fields); };
  const auto* head = parse<RequestHead>(parsed, HeadScanner::Kind::request, bytes, parser);
  if (head == nullptr) return 0;
  const Offer offer = offer_of(*head);
  check_answer(bytes.substr(end + 4), offer);
  const bool asks = asks_websocket(*head);
  if (check_handshake(*head)) return 0;
  assert(asks && head->method == Method::get && head->minor == 1 && offer.key.size() == 24);

  const std::string right =
      "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + accept_for(offer.key);
  assert(passes(right + "\r\n", offer));
  assert(!passes(right + "x\r\n", offer));
  assert(!passes(right + "\r\nContent-Length: 0\r\n", offer));
  assert(!passes(right + "\r\nSec-WebSocket-Protocol: never offered\r\n", offer));
  return 0;
}
