// Cookie and Set-Cookie, as far as affinity needs them (RFC 6265).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::wire {

// Values of cookie `name` in all Cookie fields, in order, at most out.size() of them; surrounding double
// quotes are removed. Bounded work: one pass over the fields. Returns how many were found.
std::size_t cookie_values(std::span<const Field> fields, std::string_view name,
                          std::span<std::string_view> out);

// Appends `value` (of a Cookie field) without the cookie `name`; false if nothing would be left.
bool append_without_cookie(std::string& out, std::string_view value, std::string_view name);

struct SetCookie {
  std::string_view name;
  std::string_view value;
};
// The name and value of a Set-Cookie field; nothing if it has none.
std::optional<SetCookie> parse_set_cookie(std::string_view field_value);

// Appends the field value with its cookie value replaced, attributes as they were.
void append_with_value(std::string& out, std::string_view set_cookie, std::string_view new_value);

}  // namespace limpet::wire
