// append_upstream_head(): a request as its server sees it.
#include "proxy/wire/bytes.h"
#include "proxy/wire/cookie.h"
#include "proxy/wire/forward.h"
#include "proxy/wire/hop_by_hop.h"

namespace limpet::wire {
namespace {

constexpr std::size_t kMostRequestId = 128;

bool clean_request_id(std::string_view id) {
  if (id.empty() || id.size() > kMostRequestId) return false;
  for (const char c : id) {
    if (c != '.' && !is(c, kSid)) return false;
  }
  return true;
}

// An application server may read X_Forwarded_For as X-Forwarded-For, and believes more of this family than we
// set.
bool looks_forwarded(std::string_view name) {
  constexpr std::string_view kFamily = "x-forwarded-";
  return name.find('_') != name.npos || equal_ignoring_case(name.substr(0, kFamily.size()), kFamily);
}

// True if the field goes to the server where it stands; those that are made anew come later.
bool passes(const Field& field, const RequestHead& head, const UpstreamHeadOptions& options,
            const HopByHop& hop) {
  const bool believed = options.client.believed_peer;
  if (hop.ends_here(field)) return false;
  switch (field.id) {
    case FieldId::host:
    case FieldId::x_forwarded_for:
    case FieldId::forwarded:
    case FieldId::x_real_ip:
    case FieldId::x_request_id: return false;
    case FieldId::x_forwarded_proto:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_port:
    case FieldId::x_forwarded_prefix:
    case FieldId::x_forwarded_server:
    case FieldId::x_client_ip:
    case FieldId::true_client_ip: return believed;
    case FieldId::accept_encoding: return !options.drop_accept_encoding;
    case FieldId::expect: return head.expect_continue;
    case FieldId::trailer: return head.body.kind == BodyKind::chunked;
    case FieldId::other: return believed || !looks_forwarded(field.name);
    default: return true;
  }
}

void append_passed(std::string& out, const Field& field, std::string_view drop_cookie) {
  if (field.id != FieldId::cookie || drop_cookie.empty()) return append_field(out, field.name, field.value);
  const std::size_t before = out.size();
  out.append(field.name).append(": ");
  if (append_without_cookie(out, field.value, drop_cookie)) {
    out += "\r\n";
  } else {
    out.resize(before);
  }
}

// The values of all fields with this id, as one list; false if there are none.
bool append_list(std::string& out, std::span<const Field> fields, FieldId id) {
  bool any = false;
  for (const Field& field : fields) {
    if (field.id != id || field.value.empty()) continue;
    if (any) out += ", ";
    out += field.value;
    any = true;
  }
  return any;
}

// RFC 7239, 4: a token, or a quoted string.
void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append("=");
  if (!value.empty() && all(value, kToken)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_node(std::string& out, const IpAddress* address) {
  if (address == nullptr) {
    out += "for=unknown";
  } else if (address->is_v4()) {
    append_parameter(out, "for", address->shown());
  } else {
    out.append("for=\"[").append(address->shown()).append("]\"");
  }
}

void append_element(std::string& out, const IpAddress* node, std::string_view host, std::string_view proto) {
  append_node(out, node);
  if (!host.empty()) append_parameter(out += ';', "host", host);
  append_parameter(out += ';', "proto", proto);
}

// What a believed peer said stays, and the peer is added. If it only speaks X-Forwarded-For, its client is
// carried over, so that both fields name the same one (RFC 7239, 7.4).
void append_forwarded(std::string& out, const RequestHead& head, const UpstreamHeadOptions& options) {
  const ClientIdentity& client = options.client;
  out += "Forwarded: ";
  if (client.believed_peer && append_list(out, head.fields, FieldId::forwarded)) {
    out += ", ";
  } else if (client.believed_peer && client.known &&
             (options.peer == nullptr || client.address != *options.peer)) {
    const Field* proto = find(head.fields, FieldId::x_forwarded_proto);
    const Field* host = find(head.fields, FieldId::x_forwarded_host);
    append_element(out, &client.address, host != nullptr ? host->value : head.authority,
                   proto != nullptr ? proto->value : options.scheme);
    out += ", ";
  }
  append_element(out, options.peer, head.authority, options.scheme);
  out += "\r\n";
}

void append_forwarding(std::string& out, const RequestHead& head, const UpstreamHeadOptions& options) {
  const ClientIdentity& client = options.client;
  const std::size_t before = out.size();
  out += "X-Forwarded-For: ";
  const bool list = client.believed_peer && append_list(out, head.fields, FieldId::x_forwarded_for);
  if (options.peer != nullptr) out.append(list ? ", " : "").append(options.peer->shown());
  if (list || options.peer != nullptr) {
    out += "\r\n";
  } else {
    out.resize(before);
  }
  const auto believed = [&](FieldId id) { return client.believed_peer && find(head.fields, id) != nullptr; };
  if (!believed(FieldId::x_forwarded_proto)) append_field(out, "X-Forwarded-Proto", options.scheme);
  if (!head.authority.empty() && !believed(FieldId::x_forwarded_host)) {
    append_field(out, "X-Forwarded-Host", head.authority);
  }
  if (client.known) append_field(out, "X-Real-IP", client.address.shown());
  append_forwarded(out, head, options);
}

void append_request_id(std::string& out, const RequestHead& head, const UpstreamHeadOptions& options) {
  const std::string_view theirs = believed_request_id(head, options.client);
  const std::string_view id = theirs.empty() ? options.request_id : theirs;
  if (!id.empty()) append_field(out, "X-Request-Id", id);
}

}  // namespace

std::string_view believed_request_id(const RequestHead& head, const ClientIdentity& client) {
  const Field* sent = client.believed_peer ? find(head.fields, FieldId::x_request_id) : nullptr;
  return sent != nullptr && clean_request_id(sent->value) ? sent->value : std::string_view();
}

void append_upstream_head(std::string& out, const RequestHead& head, const UpstreamHeadOptions& options) {
  out.append(head.method_text).append(" ");
  if (head.target.starts_with('?')) out += '/';  // of an absolute form without a path
  out.append(head.target).append(" HTTP/1.1\r\n");
  append_field(out, "Host", head.authority);
  const HopByHop hop(head.fields);
  for (const Field& field : head.fields) {
    if (passes(field, head, options, hop)) append_passed(out, field, options.drop_cookie);
  }
  append_framing(out, head.body);
  if (options.websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  append_forwarding(out, head, options);
  append_request_id(out, head, options);
  if (options.via) append_field(out, "Via", head.minor == 0 ? "1.0 limpet" : "1.1 limpet");
  out += "\r\n";
}

}  // namespace limpet::wire
