#include "proxy/config/table_reader.h"

#include <algorithm>

namespace limpet::config {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

std::string number_text(double value) {
  std::string text = std::to_string(value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// Keys of the design that no code serves yet, so that they are not taken for typing errors.
constexpr std::pair<std::string_view, std::string_view> kNotYet[] = {
    {"listener", "tls"},
    {"listener", "proxy_protocol"},
    {"pool.NAME.cookie", "key_file"},
};

bool not_yet(std::string_view table, std::string_view key) {
  return std::any_of(std::begin(kNotYet), std::end(kNotYet),
                     [&](const auto& each) { return each.first == table && each.second == key; });
}

// "tunnel_idle belongs in [pool.NAME.timeouts]": where else a key of this name, in whatever case, is known.
std::string home_of(std::string_view key) {
  const std::string wanted = lower(key);
  for (const KeyDoc& each : known_keys()) {
    if (each.key != wanted) continue;
    const std::string table(each.table);
    const std::string begin = wanted + " belongs in ";
    if (table == "pool.NAME.servers") return begin + "a server's table";
    return begin + (table == "listener" || table == "route" ? "[[" + table + "]]" : "[" + table + "]");
  }
  return {};
}

}  // namespace

Place place_of(const toml::node& node) {
  const auto& begin = node.source().begin;
  return {static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

Place place_of(const toml::key& key) {
  const auto& begin = key.source().begin;
  return {static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

TableReader::TableReader(Findings& findings, const toml::table& table, std::string_view documented,
                         std::string path)
    : findings_(findings), table_(table), documented_(documented), path_(std::move(path)) {}

void TableReader::wrong(std::string_view key, const toml::node& at, const std::string& why) {
  findings_.problem(place_of(at), name(key) + ": " + why);
}

void TableReader::wrong_type(std::string_view key, const toml::node& at, std::string_view wanted) {
  wrong(key, at, std::string(wanted) + " is expected, this is " + std::string(type_name(at)));
}

std::optional<std::string_view> TableReader::text_of(std::string_view key, const toml::node& node) {
  if (const auto* value = node.as_string()) return std::string_view(value->get());
  wrong_type(key, node, "a string");
  return std::nullopt;
}

void TableReader::string(std::string_view key, std::string& out, std::size_t least, std::size_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto text = text_of(key, *node);
  if (!text) return;
  if (text->size() < least || text->size() > most || std::any_of(text->begin(), text->end(), is_control)) {
    return wrong(key, *node,
                 quoted(*text) + ": " + std::to_string(least) + " to " + std::to_string(most) +
                     " bytes without control characters are accepted");
  }
  out = *text;
}

void TableReader::string(std::string_view key, std::optional<std::string>& out) {
  std::string value;
  string(key, value);
  if (!value.empty()) out = std::move(value);
}

void TableReader::boolean(std::string_view key, bool& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_boolean()) {
    out = value->get();
  } else {
    wrong_type(key, *node, "true or false");
  }
}

void TableReader::duration(std::string_view key, Duration& out, Duration least, Duration most) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_string())
    return wrong_type(key, *node, "a duration such as \"500ms\", \"30s\", \"5m\", \"1h\", \"7d\"");
  const std::string_view text = node->as_string()->get();
  Value<Duration> value = to_duration(text);
  const auto* good = std::get_if<Duration>(&value);
  if (good != nullptr && *good > most) {
    return wrong(key, *node, quoted(text) + " is too long; at most \"" + duration_text(most) + "\"");
  }
  if (good != nullptr && *good < least) {
    return wrong(key, *node,
                 quoted(text) + " is out of range; \"" + duration_text(least) + "\" to \"" +
                     duration_text(most) + "\" are accepted");
  }
  accept(key, *node, std::move(value), out);
}

bool TableReader::read_size(std::string_view key, std::uint64_t& out, std::uint64_t least,
                            std::uint64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  std::string shown;
  bool below = false;
  if (const auto* integer = node->as_integer()) {
    shown = std::to_string(integer->get());
    below = integer->get() < 0;
    out = below ? 0 : static_cast<std::uint64_t>(integer->get());
  } else if (const auto* text = node->as_string()) {
    const Value<std::uint64_t> value = to_size(text->get());
    if (const auto* bad = std::get_if<Wrong>(&value)) {
      wrong(key, *node, bad->why);
      return false;
    }
    shown = quoted(text->get());
    out = std::get<std::uint64_t>(value);
  } else {
    wrong_type(key, *node, "a size such as \"16KiB\" or \"128MiB\"");
    return false;
  }
  if (!below && out >= least && out <= most) return true;
  wrong(key, *node,
        out > most ? shown + " is too large; at most \"" + size_text(most) + "\""
                   : shown + " is out of range; \"" + size_text(least) + "\" to \"" + size_text(most) +
                         "\" are accepted");
  return false;
}

bool TableReader::read_integer(std::string_view key, std::int64_t& out, std::int64_t least,
                               std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    wrong_type(key, *node, "an integer");
    return false;
  }
  out = value->get();
  if (out >= least && out <= most) return true;
  wrong(key, *node,
        std::to_string(out) + " is out of range; " + std::to_string(least) + " to " + std::to_string(most) +
            " are accepted");
  return false;
}

void TableReader::number(std::string_view key, double& out, double least, double most) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) return wrong_type(key, *node, "a number");
  if (!(*value >= least && *value <= most)) {
    return wrong(key, *node,
                 "out of range; " + number_text(least) + " to " + number_text(most) + " are accepted");
  }
  out = *value;
}

void TableReader::wrong_word(std::string_view key, const toml::node& at, std::string_view text,
                             std::span<const std::string_view> known) {
  std::string why = quoted(text) + " is not accepted; write ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i > 0) why += i + 1 == known.size() ? " or " : ", ";
    why += quoted(known[i]);
  }
  wrong(key, at, why);
}

void TableReader::strings(std::string_view key,
                          const std::function<void(std::string_view text, const toml::node& node)>& each) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong_type(key, *node, "an array of strings");
  for (const toml::node& item : *array) {
    if (const auto text = text_of(key, item)) each(*text, item);
  }
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_type(key, *node, "a table");
  return node->as_table();
}

void TableReader::refuse_unknown(std::initializer_list<std::string_view> tables) {
  std::vector<std::string_view> known(tables);
  for (const KeyDoc& each : known_keys()) {
    if (each.table == documented_) known.push_back(each.key);
  }
  for (const auto& [key, node] : table_) {
    const std::string_view word = key.str();
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    const Place at = place_of(key);
    const std::string shown = quoted(word);
    const std::string full = name(shown.size() == word.size() + 2 ? word : std::string_view(shown));
    if (not_yet(documented_, word)) {
      findings_.problem(at, full + ": not supported yet");
    } else if (const std::string_view near = nearest(word, known); !near.empty()) {
      findings_.problem(at, full + ": unknown key (did you mean " + std::string(near) + "?)");
    } else if (const std::string home = home_of(word); !home.empty()) {
      findings_.problem(at, full + ": unknown key here; " + home);
    } else {
      std::string list;
      for (const std::string_view each : known) list += (list.empty() ? "" : ", ") + std::string(each);
      findings_.problem(at, full + ": unknown key; accepted are " + list);
    }
  }
}

void TableReader::warn_idle(std::string_view with, const std::function<bool(std::string_view key)>& idle) {
  for (const KeyDoc& each : known_keys()) {
    const toml::node* node = each.table == documented_ ? find(each.key) : nullptr;
    if (node != nullptr && idle(each.key))
      findings_.warning(place_of(*node),
                        name(each.key) + ": has no effect with " + std::string(with) + "; leave it out");
  }
}

}  // namespace limpet::config
