// What a request says in a field: its first value, or an empty text.
#pragma once

#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::http {

inline std::string_view value_of(const wire::RequestHead& head, wire::FieldId id) {
  const wire::Field* field = wire::find(head.fields, id);
  return field == nullptr ? std::string_view() : field->value;
}

// For names that have no FieldId; any case.
inline std::string_view value_of(const wire::RequestHead& head, std::string_view name) {
  for (const wire::Field& field : head.fields) {
    if (wire::equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

}  // namespace limpet::http
