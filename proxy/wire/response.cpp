// parse_response(): the status line, and a body given what was asked.
#include <charconv>

#include "proxy/wire/bytes.h"
#include "proxy/wire/field_parser.h"
#include "proxy/wire/framing.h"
#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

// "HTTP/1.x NNN[ reason]", whose shape the scanner has seen.
bool read_line(ResponseHead& head) {
  constexpr std::size_t kCode = 9;  // after "HTTP/1.1 "
  const std::string_view line = head.line;
  if (!line.starts_with("HTTP/1.0 ") && !line.starts_with("HTTP/1.1 ")) return false;
  const std::string_view code = line.substr(kCode, 3);
  if (code.size() != 3 || !all(code, kDigit) || code[0] == '0') return false;
  if (line.size() > kCode + 3 && line[kCode + 3] != ' ') return false;
  std::from_chars(code.data(), code.data() + code.size(), head.status);
  head.minor = line[7] == '1' ? 1 : 0;
  if (line.size() > kCode + 3) head.reason = line.substr(kCode + 4);
  return all(head.reason, kValue);
}

std::optional<std::uint32_t> announced_timeout(std::span<const Field> fields) {
  constexpr std::string_view kName = "timeout=";
  std::optional<std::uint32_t> result;
  for (const Field& field : fields) {
    if (field.id != FieldId::keep_alive) continue;
    ListReader parameters(field.value);
    for (std::string_view parameter; parameters.next(parameter);) {
      if (!equal_ignoring_case(parameter.substr(0, kName.size()), kName)) continue;
      const std::string_view digits = parameter.substr(kName.size());
      const auto end = digits.data() + digits.size();
      std::uint32_t seconds = 0;
      const std::errc error = std::from_chars(digits.data(), end, seconds).ec;
      if (error == std::errc::result_out_of_range) return UINT32_MAX;
      if (error == std::errc()) result = seconds;
    }
  }
  return result;
}

// RFC 9112, 6.3, in its order.
Body body_of(const ResponseHead& head, const Framing& framing, Method asked) {
  if (asked == Method::head || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (framing.chunked) return {BodyKind::chunked, 0};
  if (framing.length) return {BodyKind::length, *framing.length};
  return {BodyKind::until_close, 0};
}

// An answer that must have no body but announces one may be followed by it: those bytes must not become the
// next answer. HEAD and 304 announce what they would have sent (RFC 9110, 8.6).
bool announces_stray_body(const ResponseHead& head, const Framing& framing, Method asked) {
  if (asked == Method::head) return false;
  const bool bodiless = head.status < 200 || head.status == 204;
  return (framing.coding && (bodiless || head.status == 304)) || (bodiless && framing.length.value_or(0) > 0);
}

}  // namespace

Parsed<ResponseHead> parse_response(std::string_view head, Method asked, bool asked_upgrade,
                                    FieldList& fields) {
  ResponseHead out;
  const std::size_t line = head.find("\r\n");
  if (line == head.npos) return Fault::bad_line_end;
  out.line = head.substr(0, line);
  if (!read_line(out)) return Fault::bad_status_line;
  const auto refused = parse_fields(Side::response, head.substr(line + 2), fields);
  out.fields = fields;
  const Framing framing = read_framing(fields, out.minor);
  if (framing.fault) return *framing.fault;
  if (refused) return *refused;
  if (out.status == 101 && !asked_upgrade) return Fault::unexpected_upgrade;
  const bool stray = announces_stray_body(out, framing, asked);
  if (stray && out.status == 204) return Fault::unexpected_body;
  out.body = body_of(out, framing, asked);
  out.upgrade = framing.upgrade;
  out.keep_alive = !framing.close && out.body.kind != BodyKind::until_close &&
                   (out.minor > 0 || framing.keep_alive) && !stray;
  out.keep_alive_timeout_s = announced_timeout(fields);
  return out;
}

}  // namespace limpet::wire
