// FlatJson: see the header. Lenient in what it passes over, exact in what it gives out.
#include "proxy/wire/flat_json.h"

#include <charconv>

namespace limpet::wire {

bool FlatJson::stop(At at) {
  at_ = at;
  return false;
}

// The next byte that is not white space, or NUL.
char FlatJson::peek() {
  const std::size_t at = rest_.find_first_not_of(" \t\r\n");
  rest_.remove_prefix(at == rest_.npos ? rest_.size() : at);
  return rest_.empty() ? '\0' : rest_.front();
}

bool FlatJson::take(char c) {
  if (peek() != c) return false;
  rest_.remove_prefix(1);
  return true;
}

bool FlatJson::next(Member& member) {
  if (at_ == At::end || at_ == At::broken) return false;
  const bool first = at_ == At::start;
  if (first && !take('{')) return stop(At::broken);
  at_ = At::inside;
  if (take('}')) return stop(At::end);
  if (!first && !take(',')) return stop(At::broken);
  member = {};
  if (!string(member.key) || !take(':') || !value(member)) return stop(At::broken);
  return true;
}

bool FlatJson::string(std::string_view& out) {
  if (!take('"')) return false;
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] == '\\') {
      ++i;
    } else if (rest_[i] == '"') {
      out = rest_.substr(0, i);
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool FlatJson::value(Member& member) {
  const char c = peek();
  if (c == '"') {
    member.kind = Kind::string;
    return string(member.text);
  }
  if (c == '{' || c == '[') return nested();
  const std::size_t end = rest_.find_first_of(",}] \t\r\n");
  if (end == rest_.npos || end == 0) return false;  // cut, or no value at all
  const std::string_view token = rest_.substr(0, end);
  rest_.remove_prefix(end);
  if (c != '-' && (c < '0' || c > '9')) return token == "true" || token == "false" || token == "null";
  if (token.find_first_not_of("0123456789+-.eE") != token.npos) return false;  // from_chars knows "-nan"
  member.kind = Kind::number;
  const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), member.number);
  if (error == std::errc::result_out_of_range) member.number = c == '-' ? -1e300 : 1e300;
  return error != std::errc::invalid_argument && stop == token.data() + token.size();
}

// Passes over an object or array, by counting brackets outside strings.
bool FlatJson::nested() {
  std::size_t depth = 0;
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '"') {
      std::string_view passed;
      if (!string(passed)) return false;
      continue;
    }
    rest_.remove_prefix(1);
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

}  // namespace limpet::wire
