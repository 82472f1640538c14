// Every fault has its answer here, on one screen.
#include <iterator>

#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

struct Answer {
  Fault fault;
  int status;
  std::string_view text;
  std::string_view explain;
};

// In the order of the enum.
constexpr Answer kAnswers[] = {
    {Fault::bad_line_end, 400, "line_end", "a line does not end in CR LF, or holds a CR"},
    {Fault::folded_field, 400, "folded_field", "a line begins with white space"},
    {Fault::bad_method, 400, "method", "the method is not a token"},
    {Fault::bad_target, 400, "target", "the request target is malformed"},
    {Fault::bad_version, 400, "version",
     "the request line does not end in one space and HTTP/1.0 or HTTP/1.1"},
    {Fault::version_unsupported, 505, "version_unsupported", "only HTTP/1.0 and HTTP/1.1 are spoken here"},
    {Fault::bad_status_line, 502, "status_line", "the status line is malformed"},
    {Fault::bad_field_name, 400, "field_name", "a field name is empty, no token, or followed by white space"},
    {Fault::bad_field_value, 400, "field_value", "a field value holds a control byte"},
    {Fault::no_host, 400, "no_host", "an HTTP/1.1 request needs a Host field"},
    {Fault::bad_host, 400, "host", "Host is not one host with an optional port"},
    {Fault::bad_content_length, 400, "content_length", "Content-Length is not a single decimal number"},
    {Fault::bad_transfer_encoding, 400, "transfer_encoding", "Transfer-Encoding is not `chunked`"},
    {Fault::coding_unsupported, 501, "coding_unsupported", "this transfer coding is not decoded here"},
    {Fault::length_and_coding, 400, "length_and_coding", "Content-Length stands beside Transfer-Encoding"},
    {Fault::bad_connection, 400, "connection", "Connection names a framing field or too many fields"},
    {Fault::method_unsupported, 405, "method_unsupported", "CONNECT is not served"},
    {Fault::expectation_failed, 417, "expectation", "only `Expect: 100-continue` can be met"},
    {Fault::target_too_long, 414, "target_too_long", "the request target is too long"},
    {Fault::head_too_large, 431, "head_too_large", "the head is too large"},
    {Fault::too_many_fields, 431, "too_many_fields", "the head has too many fields"},
    {Fault::bad_chunk, 400, "chunk", "the chunked body is malformed"},
    {Fault::bad_trailer, 400, "trailer", "a trailer is malformed, too long, or one of too many"},
    {Fault::unexpected_upgrade, 502, "unexpected_upgrade", "the server switched protocols unasked"},
    {Fault::bad_upgrade, 400, "upgrade", "this is no WebSocket handshake of RFC 6455"},
    {Fault::version_not_13, 426, "websocket_version", "only WebSocket version 13 is spoken here"},
    {Fault::upgrade_mismatch, 502, "upgrade_mismatch", "the server's 101 does not answer the handshake"},
    {Fault::too_many_interim, 502, "too_many_interim", "the server sent too many interim answers"},
    {Fault::unexpected_body, 502, "unexpected_body", "the server sent a body where there is none"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kAnswers); ++i) {
    if (static_cast<std::size_t>(kAnswers[i].fault) != i) return false;
  }
  return std::size(kAnswers) == kFaults;
}
static_assert(in_order());

const Answer& answer(Fault fault) {
  return kAnswers[static_cast<std::size_t>(fault)];
}

}  // namespace

int status_of(Fault fault) {
  return answer(fault).status;
}
std::string_view text_of(Fault fault) {
  return answer(fault).text;
}
std::string_view explain(Fault fault) {
  return answer(fault).explain;
}

}  // namespace limpet::wire
