#include "proxy/config/values.h"

#include <algorithm>
#include <charconv>

namespace limpet::config {
namespace {

constexpr std::uint64_t kMostMs = 365ull * 24 * 3600 * 1000;
constexpr std::uint64_t kMostBytes = 1ull << 50;
constexpr std::uint64_t kBeyond = ~0ull;

// The leading digits as a number, kBeyond if it has over 64 bits, and what follows; nothing without digits.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) number = kBeyond;
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// kBeyond for anything above `most`.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units, std::uint64_t most) {
  const auto split = split_number(text);
  if (!split) return std::nullopt;
  for (const Unit& unit : units) {
    if (split->second != unit.name) continue;
    return split->first > most / unit.factor ? kBeyond : split->first * unit.factor;
  }
  return std::nullopt;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return result;
}

std::string quoted(std::string_view text, std::size_t most) {
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (text.size() > most ? "...\"" : "\"");
}

std::string duration_text(Duration d) {
  constexpr Unit kUnits[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}};
  for (const Unit& unit : kUnits) {
    if (d.count() != 0 && ms(d) % unit.factor == 0)
      return std::to_string(ms(d) / unit.factor) + std::string(unit.name);
  }
  return d.count() == 0 ? "0s" : std::to_string(d.count()) + "ms";
}

std::string size_text(std::uint64_t bytes) {
  constexpr Unit kUnits[] = {{"GiB", 1024 * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}};
  for (const Unit& unit : kUnits) {
    if (bytes >= unit.factor && bytes % unit.factor == 0)
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
  }
  return std::to_string(bytes) + "B";
}

Value<Duration> to_duration(std::string_view text) {
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  if (const auto count = scaled(text, kUnits, kMostMs))
    return *count == kBeyond ? Duration::max() : Duration(static_cast<std::int64_t>(*count));
  return Wrong{quoted(text) +
               " is not a duration; write a number and a unit: \"500ms\", \"30s\", \"5m\", \"1h\", "
               "\"7d\" (at most \"365d\")"};
}

Value<std::uint64_t> to_size(std::string_view text) {
  constexpr Unit kUnits[] = {
      {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
  if (const auto bytes = scaled(text, kUnits, kMostBytes)) return *bytes;
  return Wrong{quoted(text) +
               " is not a size; write a number and a unit: \"512B\", \"64KiB\", \"16MiB\", \"1GiB\""};
}

Value<std::string> to_prefix(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.starts_with('/') && clean && text.find_first_of("?#") == std::string_view::npos)
    return std::string(text);
  return Wrong{quoted(text) +
               " is not a path; it begins with \"/\" and has no query, space or control character"};
}

Value<std::string> to_token(std::string_view text) {
  const bool token = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  if (token) return std::string(text);
  return Wrong{quoted(text) + " is not a token; letters, digits and !#$%&'*+-.^_`|~ are accepted"};
}

// Methods are case-sensitive: a server would not know "get".
Value<std::string> to_method(std::string_view text) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_upper)) return std::string(text);
  const bool letters = !text.empty() && std::all_of(text.begin(), text.end(), is_letter);
  return Wrong{quoted(text) + " is not a method; it has upper-case letters alone: write " +
               (letters ? quoted(upper(text)) : "\"GET\" or \"HEAD\"")};
}

Value<std::string> to_server_id(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == ':' || c == '-';
  });
  if (clean && !text.empty() && text.size() <= 64) return std::string(text);
  return Wrong{quoted(text) + " is not a server id; 1 to 64 of A-Z a-z 0-9 _ . : - are accepted"};
}

Value<std::pair<std::uint16_t, std::uint16_t>> to_status_range(std::string_view text) {
  const auto first = split_number(text);
  if (first && first->first >= 100 && first->first <= 599) {
    const auto low = static_cast<std::uint16_t>(first->first);
    if (first->second.empty()) return std::pair(low, low);
    if (first->second.starts_with('-')) {
      const auto last = split_number(first->second.substr(1));
      if (last && last->second.empty() && last->first >= low && last->first <= 599) {
        return std::pair(low, static_cast<std::uint16_t>(last->first));
      }
    }
  }
  return Wrong{quoted(text) + " is not a status; write 200 or \"200-299\" (100 to 599)"};
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || !is_control(c); });
}

std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = ~std::size_t{0};
  if (text.size() > 64) return best;
  const std::string wanted = lower(text);
  for (const std::string_view each : candidates) {
    const std::size_t distance = edit_distance(wanted, lower(each));
    if (distance < best_distance) {
      best = each;
      best_distance = distance;
    }
  }
  const std::size_t allowed = std::max<std::size_t>(2, text.size() / 3);
  return best_distance <= allowed && best_distance < std::max(text.size(), best.size()) ? best
                                                                                        : std::string_view{};
}

}  // namespace limpet::config
