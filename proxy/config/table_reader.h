// TableReader: one TOML table, key by key, every complaint with its place. The rooms of config that see
// toml++.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/config/load.h"
#include "proxy/config/values.h"

namespace limpet::config {

struct Place {
  int line = 0;
  int column = 0;
};
constexpr Place kWholeFile{1, 1};  // of what is wrong with all of it
Place place_of(const toml::node& node);
Place place_of(const toml::key& key);

// What reading collects.
struct Findings {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
  void problem(Place at, std::string message) {
    problems.push_back({at.line, at.column, std::move(message)});
  }
  void warning(Place at, std::string message) {
    warnings.push_back({at.line, at.column, std::move(message)});
  }
};

class TableReader {
 public:
  // `documented` is the table's name in known_keys(); `path` is how messages call it ("pool.ws.cookie").
  TableReader(Findings& findings, const toml::table& table, std::string_view documented, std::string path);

  const toml::node* find(std::string_view key) const { return table_.get(key); }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  void wrong(std::string_view key, const toml::node& at, const std::string& why);
  std::string name(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }
  Place place() const { return place_of(table_); }
  std::size_t problems() const { return findings_.problems.size(); }  // until now, of all tables
  const std::string& path() const { return path_; }

  // Each leaves `out` alone if the key is absent or wrong.
  void string(std::string_view key, std::string& out, std::size_t least = 1, std::size_t most = 4096);
  void string(std::string_view key, std::optional<std::string>& out);
  void boolean(std::string_view key, bool& out);
  void duration(std::string_view key, Duration& out, Duration least,
                Duration most = std::chrono::hours(365 * 24));
  template <class T>
  void size(std::string_view key, T& out, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    if (read_size(key, value, least, most)) out = static_cast<T>(value);
  }
  template <class T>
  void integer(std::string_view key, T& out, std::int64_t least,
               std::int64_t most = std::numeric_limits<T>::max()) {
    std::int64_t value = 0;
    if (read_integer(key, value, least, most)) out = static_cast<T>(value);
  }
  void number(std::string_view key, double& out, double least, double most);
  template <class T>
  void parsed(std::string_view key, T& out, Value<T> (*parse)(std::string_view)) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    if (const auto text = text_of(key, *node)) accept(key, *node, parse(*text), out);
  }
  template <class T>
  void parsed(std::string_view key, std::optional<T>& out, Value<T> (*parse)(std::string_view)) {
    T value{};
    const std::size_t before = findings_.problems.size();
    parsed(key, value, parse);
    if (has(key) && findings_.problems.size() == before) out = std::move(value);
  }
  template <class E>
  void choice(std::string_view key, E& out, std::span<const std::pair<std::string_view, E>> words) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto text = text_of(key, *node);
    if (!text) return;
    std::vector<std::string_view> known;
    for (const auto& [word, value] : words) {
      if (word == *text) {
        out = value;
        return;
      }
      known.push_back(word);
    }
    wrong_word(key, *node, *text, known);
  }
  // Calls `each` for every string of an array; anything else in it is a problem.
  void strings(std::string_view key,
               const std::function<void(std::string_view text, const toml::node& node)>& each);
  // A sub-table, or nothing; a key of that name that is no table is a problem.
  const toml::table* table(std::string_view key);

  // Complains about every key that known_keys() does not name for this table, with the nearest one that it
  // does. `tables` are the sub-tables that may stand here.
  void refuse_unknown(std::initializer_list<std::string_view> tables = {});

  // Warns of every key that is there, known and, as `idle` says, without effect `with` something else.
  void warn_idle(std::string_view with, const std::function<bool(std::string_view key)>& idle);

  template <class T>
  void accept(std::string_view key, const toml::node& at, Value<T> value, T& out) {
    if (auto* good = std::get_if<T>(&value)) {
      out = std::move(*good);
    } else {
      wrong(key, at, std::get<Wrong>(value).why);
    }
  }
  std::optional<std::string_view> text_of(std::string_view key, const toml::node& node);

 private:
  bool read_size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  bool read_integer(std::string_view key, std::int64_t& out, std::int64_t least, std::int64_t most);
  void wrong_word(std::string_view key, const toml::node& at, std::string_view text,
                  std::span<const std::string_view> known);
  void wrong_type(std::string_view key, const toml::node& at, std::string_view wanted);

  Findings& findings_;
  const toml::table& table_;
  std::string_view documented_;
  std::string path_;
};

}  // namespace limpet::config
