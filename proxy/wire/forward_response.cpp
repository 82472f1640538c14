// append_client_head(), append_interim_head(): an answer as the client sees it.
#include "proxy/wire/bytes.h"
#include "proxy/wire/cookie.h"
#include "proxy/wire/forward.h"
#include "proxy/wire/hop_by_hop.h"

namespace limpet::wire {
namespace {

void append_status_line(std::string& out, const ResponseHead& head) {
  out.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ").append(head.reason).append("\r\n");
}

// A length that the answer to HEAD and a 304 name without a body (RFC 9110, 8.6).
bool keeps_length(const ResponseHead& head, const ClientHeadOptions& options) {
  return head.body.kind == BodyKind::none &&
         (head.status == 304 || (options.method == Method::head && head.status >= 200 && head.status != 204));
}

// A server's own cookie of the affinity name: dropped or rewritten. False if it is none.
bool replace_cookie(std::string& out, const Field& field, const ClientHeadOptions& options,
                    ClientHeadResult& result) {
  if (field.id != FieldId::set_cookie || options.replace_cookie.empty()) return false;
  const auto cookie = parse_set_cookie(field.value);
  if (!cookie || cookie->name != options.replace_cookie) return false;
  if (options.rewrite_value.empty()) {
    result.server_cookie_dropped = true;
    return true;
  }
  result.cookie_rewritten = true;
  out.append(field.name).append(": ");
  append_with_value(out, field.value, options.rewrite_value);
  out += "\r\n";
  return true;
}

bool passes(const Field& field, const ResponseHead& head, const ClientHeadOptions& options,
            const HopByHop& hop) {
  if (field.id == FieldId::content_length) return keeps_length(head, options);
  if (hop.ends_here(field)) return false;
  if (field.id == FieldId::trailer) return head.body.kind == BodyKind::chunked && !options.dechunk;
  return field.id != FieldId::cache_control || !options.private_no_store;
}

void append_connection(std::string& out, const ClientHeadOptions& options) {
  if (options.websocket) {
    out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  } else if (options.close) {
    out += "Connection: close\r\n";
  } else if (options.client_minor == 0) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace

ClientHeadResult append_client_head(std::string& out, const ResponseHead& head,
                                    const ClientHeadOptions& options) {
  ClientHeadResult result;
  append_status_line(out, head);
  const HopByHop hop(head.fields);
  for (const Field& field : head.fields) {
    if (replace_cookie(out, field, options, result)) continue;
    if (passes(field, head, options, hop)) append_field(out, field.name, field.value);
  }
  if (!(options.dechunk && head.body.kind == BodyKind::chunked)) append_framing(out, head.body);
  append_connection(out, options);
  if (!options.set_cookie.empty()) append_field(out, "Set-Cookie", options.set_cookie);
  if (options.private_no_store) append_field(out, "Cache-Control", "private, no-store");
  if (!options.via_pseudonym.empty()) out.append("Via: 1.1 ").append(options.via_pseudonym).append("\r\n");
  out += "\r\n";
  return result;
}

void append_interim_head(std::string& out, const ResponseHead& head) {
  append_status_line(out, head);
  const HopByHop hop(head.fields);
  for (const Field& field : head.fields) {
    if (field.id != FieldId::trailer && !hop.ends_here(field)) append_field(out, field.name, field.value);
  }
  out += "\r\n";
}

}  // namespace limpet::wire
