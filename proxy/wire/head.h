// HTTP/1.x heads: finding the end, refusing what is not clean, and the parsed values (RFC 9110, RFC 9112).
//
// Two steps. HeadScanner looks at raw bytes as they arrive and refuses at the first byte that no clean head
// can have; it is stricter than llhttp and does not depend on its version. parse_request()/parse_response()
// then take the start line apart, run llhttp over the fields of the complete head and decide framing. Both
// are pure: no sockets, no clock, no allocation but what the caller's FieldList grows to. Views point into
// the bytes that were parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace limpet::wire {

// Why a head or body is refused. status_of() says how a client is told; of a server's answer all are a 502.
enum class Fault : std::uint8_t {
  bad_line_end,  // bare LF, bare CR
  folded_field,  // obs-fold
  bad_method,
  bad_target,           // space, control byte, fragment, wrong form
  bad_version,          // no HTTP/1.0 or HTTP/1.1 at the end of the request line
  version_unsupported,  // 505: HTTP/2.0 preface and other well-formed versions
  bad_status_line,
  bad_field_name,   // empty, white space before the colon, not a token
  bad_field_value,  // NUL or a control byte other than HTAB
  no_host,
  bad_host,  // two, a list, userinfo, an invalid port
  bad_content_length,
  bad_transfer_encoding,
  coding_unsupported,  // 501: a registered coding that is not decoded here
  length_and_coding,   // Content-Length beside Transfer-Encoding
  bad_connection,      // Connection names a framing field
  method_unsupported,  // 405: CONNECT
  expectation_failed,  // 417
  target_too_long,     // 414
  head_too_large,      // 431
  too_many_fields,     // 431
  bad_chunk,           // size, extension or line end of a chunk
  bad_trailer,
  unexpected_upgrade,  // a 101 nobody asked for
  bad_upgrade,         // an upgrade request that is not one of RFC 6455
  version_not_13,      // 426: Sec-WebSocket-Version
  upgrade_mismatch,    // a 101 that does not answer the handshake that was sent
  too_many_interim,    // over 16 1xx answers
  unexpected_body,     // of an answer that can have none: 204, 304, to HEAD
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::unexpected_body) + 1;
int status_of(Fault fault);             // for a client: 400, 405, 413...
std::string_view text_of(Fault fault);  // "content_length": the reason in logs and metrics, [a-z0-9_]
std::string_view explain(Fault fault);  // "Content-Length is not a single decimal number", for the error page

struct HeadLimits {
  std::uint32_t head_bytes = 16 * 1024;  // from the first byte of the line to the last LF
  std::uint32_t head_fields = 100;
  std::uint32_t target_bytes = 8 * 1024;
};

// Incremental guard over one head. Any split of the bytes gives the same verdict.
class HeadScanner {
 public:
  enum class Kind : std::uint8_t { request, response };
  enum class Step : std::uint8_t { more, complete, refused };

  HeadScanner(Kind kind, HeadLimits limits) : limits_(limits), kind_(kind) {}

  // `head` is everything since the end of the previous message; only bytes after the last call are looked at.
  // One empty line before a request line is skipped (RFC 9112, 2.2); length() includes it, start() is its
  // size.
  Step feed(std::string_view head);
  std::size_t start() const { return start_; }
  std::size_t length() const { return at_; }   // of the complete head
  bool begun() const { return at_ > start_; }  // a byte of the start line was seen
  Fault fault() const { return fault_; }
  void reset();

 private:
  enum class State : std::uint8_t;
  std::optional<Fault> in_request_line(std::string_view head, std::size_t end);
  std::optional<Fault> in_status_line(std::string_view head, std::size_t end);
  std::optional<Fault> in_fields(std::string_view head, std::size_t end);
  std::optional<Fault> line_feed(char c, State next);
  HeadLimits limits_;
  std::size_t start_ = 0;
  std::size_t at_ = 0;
  std::size_t target_ = 0;  // where it began
  std::uint32_t fields_ = 0;
  State state_{};
  std::uint8_t aux_ = 0;
  Kind kind_;
  Fault fault_{};
};

// Fields that the proxy treats in some way; everything else is `other` and is passed on as it came.
// clang-format off
enum class FieldId : std::uint8_t {
  other, accept, accept_encoding, authorization, cache_control, connection, content_length, content_type, cookie,
  expect, forwarded, host, keep_alive, proxy_authenticate, proxy_authorization, proxy_connection, retry_after,
  sec_websocket_accept, sec_websocket_extensions, sec_websocket_key, sec_websocket_protocol,
  sec_websocket_version, set_cookie, te, trailer, transfer_encoding, upgrade, user_agent, via,
  x_forwarded_for, x_forwarded_host, x_forwarded_port, x_forwarded_prefix, x_forwarded_proto,
  x_forwarded_server, x_client_ip, x_real_ip, x_request_id, true_client_ip,
};
// clang-format on
FieldId field_id(std::string_view name);  // any case

struct Field {
  std::string_view name;
  std::string_view value;  // without surrounding white space
  FieldId id = FieldId::other;
};
using FieldList = std::vector<Field>;

enum class Method : std::uint8_t { get, head, post, put, del, options, patch, trace, other };
bool idempotent(Method method);  // RFC 9110, 9.2.2

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };
struct Body {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;
  bool empty() const { return kind == BodyKind::none || (kind == BodyKind::length && length == 0); }
};

struct RequestHead {
  std::string_view line;  // the request line, without CRLF
  std::string_view method_text;
  // Origin form ("/a?b") or "*"; an absolute form was reduced to this ("?b" if it had a query and no path).
  std::string_view target;
  std::string_view path;   // target up to '?'; never empty
  std::string_view query;  // after '?', may be empty
  // Of an absolute form, else Host; empty if there is none (HTTP/1.0) or an empty one.
  std::string_view authority;
  std::string_view host;  // authority without port and brackets, case as sent
  std::span<const Field> fields;
  Body body;  // `Content-Length: 0` is a length of 0
  Method method = Method::other;
  std::uint8_t minor = 1;  // HTTP/1.minor
  bool keep_alive = true;
  bool expect_continue = false;
  bool absolute = false;
  bool upgrade = false;  // asks for any Upgrade: Connection has the token and there is an Upgrade field
};

struct ResponseHead {
  std::string_view line;
  std::string_view reason;
  std::span<const Field> fields;
  Body body;  // given the request's method: none for HEAD, 1xx, 204, 304
  std::uint16_t status = 0;
  std::uint8_t minor = 1;
  bool keep_alive = true;  // of the server's connection, after this answer
  bool upgrade = false;    // Connection has the token `upgrade` and there is an Upgrade field
  std::optional<std::uint32_t> keep_alive_timeout_s;  // of `Keep-Alive: timeout=`
};

template <class T>
using Parsed = std::variant<T, Fault>;

// `head` is one complete head that HeadScanner accepted, without the empty line before it. `fields` is
// cleared and filled; the result's views live as long as `head` and `fields` do.
Parsed<RequestHead> parse_request(std::string_view head, FieldList& fields);
Parsed<ResponseHead> parse_response(std::string_view head, Method asked, bool asked_upgrade,
                                    FieldList& fields);

// What a refused head seems to ask for: method_text, and of an origin form target and path; nothing where the
// line is not that clear. For the log alone.
RequestHead guess_request(std::string_view message);

// The first field with this id, or nullptr.
const Field* find(std::span<const Field> fields, FieldId id);
bool has_token(std::string_view list, std::string_view token);  // comma list, any case
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace limpet::wire
