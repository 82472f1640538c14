// HopByHop: the fixed list, and what Connection adds to it.
#include "proxy/wire/hop_by_hop.h"

#include "proxy/wire/bytes.h"

namespace limpet::wire {

HopByHop::HopByHop(std::span<const Field> fields) : fields_(fields) {
  for (const Field& field : fields) {
    if (field.id != FieldId::connection) continue;
    ListReader options(field.value);
    for (std::string_view option; options.next(option);) {
      const bool plain = equal_ignoring_case(option, "keep-alive") || equal_ignoring_case(option, "close") ||
                         equal_ignoring_case(option, "upgrade");
      names_any_ = names_any_ || !plain;
    }
  }
}

bool HopByHop::ends_here(const Field& field) const {
  constexpr std::string_view kContent = "content-";
  switch (field.id) {
    case FieldId::connection:
    case FieldId::content_length:  // written again from the framing that was decided
    case FieldId::keep_alive:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    case FieldId::other:
      if (!names_any_ || equal_ignoring_case(field.name.substr(0, kContent.size()), kContent)) return false;
      return named(field.name);
    default: return false;
  }
}

bool HopByHop::named(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.id == FieldId::connection && has_token(field.value, name)) return true;
  }
  return false;
}

void append_framing(std::string& out, const Body& body) {
  if (body.kind == BodyKind::length) append_field(out, "Content-Length", std::to_string(body.length));
  if (body.kind == BodyKind::chunked) append_field(out, "Transfer-Encoding", "chunked");
}

}  // namespace limpet::wire
