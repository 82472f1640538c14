// Cookie and Set-Cookie: pairs are found by their separators; what is no pair is passed over, never refused.
#include "proxy/wire/cookie.h"

#include "proxy/wire/bytes.h"

namespace limpet::wire {
namespace {

struct Pair {
  std::string_view name;
  std::string_view value;
};

std::optional<Pair> split(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return std::nullopt;
  return Pair{trim(text.substr(0, equals)), trim(text.substr(equals + 1))};
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::size_t cookie_values(std::span<const Field> fields, std::string_view name,
                          std::span<std::string_view> out) {
  std::size_t found = 0;
  for (const Field& field : fields) {
    if (field.id != FieldId::cookie) continue;
    ListReader pairs(field.value, ';');
    for (std::string_view text; pairs.next(text);) {
      if (found == out.size()) return found;
      const auto pair = split(text);
      if (pair && pair->name == name) out[found++] = unquoted(pair->value);
    }
  }
  return found;
}

bool append_without_cookie(std::string& out, std::string_view value, std::string_view name) {
  bool kept = false;
  ListReader pairs(value, ';');
  for (std::string_view text; pairs.next(text);) {
    const auto pair = split(text);
    if (pair && pair->name == name) continue;
    if (kept) out += "; ";
    out += text;
    kept = true;
  }
  return kept;
}

std::optional<SetCookie> parse_set_cookie(std::string_view field_value) {
  const auto pair = split(field_value.substr(0, field_value.find(';')));
  if (!pair || pair->name.empty()) return std::nullopt;
  return SetCookie{pair->name, pair->value};
}

void append_with_value(std::string& out, std::string_view set_cookie, std::string_view new_value) {
  const std::size_t end = std::min(set_cookie.find(';'), set_cookie.size());
  const auto pair = split(set_cookie.substr(0, end));
  if (pair) {
    out.append(pair->name).append("=").append(new_value).append(set_cookie.substr(end));
  } else {
    out.append(set_cookie);
  }
}

}  // namespace limpet::wire
