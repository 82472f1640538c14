// parse_request(): the request line, Host, Expect; framing is read in framing.cpp.
#include <algorithm>
#include <charconv>

#include "proxy/wire/bytes.h"
#include "proxy/wire/field_parser.h"
#include "proxy/wire/framing.h"
#include "proxy/wire/head.h"
#include "proxy/wire/ip_address.h"

namespace limpet::wire {
namespace {

using MaybeFault = std::optional<Fault>;

Method method_of(std::string_view text) {
  constexpr struct {
    std::string_view text;
    Method method;
  } kMethods[] = {{"GET", Method::get},     {"POST", Method::post},  {"HEAD", Method::head},
                  {"PUT", Method::put},     {"DELETE", Method::del}, {"OPTIONS", Method::options},
                  {"PATCH", Method::patch}, {"TRACE", Method::trace}};
  const auto known = std::ranges::find(kMethods, text, [](const auto& entry) { return entry.text; });
  return known == std::end(kMethods) ? Method::other : known->method;
}

// reg-name or IPv4, percent-escapes whole (RFC 3986, 3.2.2); not empty.
bool valid_name(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (is(name[i], kRegName)) continue;
    if (name[i] != '%' || i + 2 >= name.size() || !all(name.substr(i + 1, 2), kHex)) return false;
    i += 2;
  }
  return !name.empty();
}

bool valid_port(std::string_view port) {
  unsigned number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return port.size() <= 5 && all(port, kDigit) && number <= 65535;  // may be empty (RFC 3986, 3.2.3)
}

// host [":" port] without userinfo; the host without brackets.
std::optional<std::string_view> host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == authority.npos) return std::nullopt;
    const std::string_view literal = authority.substr(1, end - 1);
    const std::string_view rest = authority.substr(end + 1);
    if (literal.find(':') == literal.npos || !IpAddress::parse(literal)) return std::nullopt;
    if (!rest.empty() && (rest[0] != ':' || !valid_port(rest.substr(1)))) return std::nullopt;
    return literal;
  }
  const std::size_t colon = authority.find(':');
  const std::string_view name = authority.substr(0, colon);
  if (!valid_name(name) || (colon != authority.npos && !valid_port(authority.substr(colon + 1)))) {
    return std::nullopt;
  }
  return name;
}

// An IPv6 address and a port without brackets: not a Host by RFC 3986, but what socket.io-client sends from
// Node.js when its URL has one. Nothing else can be meant by it.
std::optional<std::string_view> bare_ipv6(std::string_view value) {
  const std::size_t colon = value.rfind(':');
  if (colon == value.npos || value.find(':') == colon) return std::nullopt;
  const std::string_view address = value.substr(0, colon);
  const bool whole =
      IpAddress::parse(address) && colon + 1 < value.size() && valid_port(value.substr(colon + 1));
  return whole ? std::optional(address) : std::nullopt;
}

// "METHOD SP target SP HTTP/1.x", whose shape the scanner has seen; checked again because it is cheap.
MaybeFault read_line(RequestHead& head) {
  const std::size_t first = head.line.find(' ');
  const std::size_t last = head.line.rfind(' ');
  if (first == head.line.npos || first == last) return Fault::bad_version;
  const std::string_view version = head.line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Fault::bad_version;
  head.minor = version.back() == '1' ? 1 : 0;
  head.method_text = head.line.substr(0, first);
  if (head.method_text.empty() || !all(head.method_text, kToken)) return Fault::bad_method;
  head.method = method_of(head.method_text);
  head.target = head.line.substr(first + 1, last - first - 1);
  if (head.target.empty() || !all(head.target, kTarget)) return Fault::bad_target;
  return {};
}

// The four forms of RFC 9112, 3.2.
MaybeFault read_target(RequestHead& head) {
  if (head.method_text == "CONNECT") return Fault::method_unsupported;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(head.target.substr(0, scheme.size()), scheme)) continue;
    head.absolute = true;
    head.target.remove_prefix(scheme.size());
    const std::size_t end = std::min(head.target.find_first_of("/?"), head.target.size());
    head.authority = head.target.substr(0, end);
    head.target.remove_prefix(end);
    if (head.target.empty()) head.target = head.method == Method::options ? "*" : "/";
  }
  if (head.target == "*" && head.method != Method::options) return Fault::bad_target;
  const bool origin = head.target.starts_with('/') || (head.absolute && head.target.starts_with('?'));
  if (!origin && head.target != "*") return Fault::bad_target;
  const std::size_t mark = head.target.find('?');
  head.path = mark == 0 ? std::string_view("/") : head.target.substr(0, mark);
  if (mark != head.target.npos) head.query = head.target.substr(mark + 1);
  return {};
}

MaybeFault read_host(RequestHead& head) {
  const Field* sent = nullptr;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::host) continue;
    if (sent != nullptr) return Fault::bad_host;
    sent = &field;
  }
  if (sent == nullptr && head.minor > 0) return Fault::no_host;
  // An empty value is right where the target has no authority (RFC 9112, 3.2).
  if (sent != nullptr && !sent->value.empty()) {
    auto host = host_of(sent->value);
    if (!host) host = bare_ipv6(sent->value);
    if (!host) return Fault::bad_host;
    head.host = *host;
  }
  if (!head.absolute) {
    head.authority = sent != nullptr ? sent->value : std::string_view();
    return {};
  }
  const auto host = host_of(head.authority);
  if (!host) return Fault::bad_host;
  head.host = *host;
  return {};
}

MaybeFault read_expect(RequestHead& head) {
  if (head.minor == 0) return {};  // RFC 9110, 10.1.1: ignored
  for (const Field& field : head.fields) {
    if (field.id != FieldId::expect) continue;
    if (!equal_ignoring_case(field.value, "100-continue")) return Fault::expectation_failed;
    head.expect_continue = true;
  }
  return {};
}

}  // namespace

Parsed<RequestHead> parse_request(std::string_view head, FieldList& fields) {
  RequestHead out;
  const std::size_t line = head.find("\r\n");
  if (line == head.npos) return Fault::bad_line_end;
  out.line = head.substr(0, line);
  if (const auto fault = read_line(out)) return *fault;
  const auto refused = parse_fields(Side::request, head.substr(line + 2), fields);
  out.fields = fields;
  // Our own reading first: its reason does not depend on llhttp's version.
  const Framing framing = read_framing(fields, out.minor);
  if (framing.fault) return *framing.fault;
  if (refused) return *refused;
  if (const auto fault = read_target(out)) return *fault;
  if (const auto fault = read_host(out)) return *fault;
  if (const auto fault = read_expect(out)) return *fault;
  if (framing.chunked) out.body = {BodyKind::chunked, 0};
  if (framing.length) out.body = {BodyKind::length, *framing.length};
  out.keep_alive = !framing.close && (out.minor > 0 || framing.keep_alive);
  out.upgrade = framing.upgrade;
  return out;
}

// An absolute form is left out: it may hold a password.
RequestHead guess_request(std::string_view message) {
  RequestHead out;
  while (message.starts_with('\r') || message.starts_with('\n')) message.remove_prefix(1);
  const std::string_view line = message.substr(0, message.find_first_of("\r\n"));
  const std::size_t space = line.find(' ');
  if (space == line.npos || space == 0 || !all(line.substr(0, space), kToken)) return out;
  out.method_text = line.substr(0, space);
  if (out.method_text == "HEAD") out.method = Method::head;
  const std::string_view target = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
  if (!target.starts_with('/')) return out;
  out.target = target;
  out.path = target.substr(0, target.find('?'));
  return out;
}

}  // namespace limpet::wire
