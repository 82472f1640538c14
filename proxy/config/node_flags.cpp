#include "proxy/config/node_flags.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/config/node_keys.h"

namespace limpet::config {
std::string flag_of(std::string_view key) {
  std::string name = "--" + std::string(key);
  std::ranges::replace(name, '_', '-');
  return name;
}

namespace {

// Collects what flags there are.
struct Lister {
  std::vector<NodeFlag> flags;
  static std::string group_of(std::string_view key) {
    for (const std::string_view start :
         {"redis", "adapter", "channel_", "sharded", "responses", "requests_", "stream", "session_key_",
          "recovery_save", "presence", "strict_health"}) {
      if (key.starts_with(start)) return "Cluster";
    }
    return key.starts_with("jwt_") ? "Identity" : key.starts_with("raw") ? "Plain WebSocket endpoint" : "";
  }
  void add(std::string_view key, std::string_view type, std::string_view help, bool repeats = false) {
    flags.push_back({flag_of(key), std::string(type), std::string(help), group_of(key), repeats});
  }
  template <class T, class Parse>
  void parsed(std::string_view key, T&, Parse, std::string_view type, std::string_view help) {
    add(key, type, help);
  }
  template <class Parse>
  void list(std::string_view key, std::vector<std::string>&, Parse, std::string_view type,
            std::string_view help) {
    add(key, type, help, true);
  }
  template <class E>
  void choice(std::string_view key, E&, std::span<const std::pair<std::string_view, E>>,
              std::string_view help) {
    add(key, "WORD", help);
  }
  template <class E>
  void choice(std::string_view key, std::optional<E>&, std::span<const std::pair<std::string_view, E>>,
              std::string_view help) {
    add(key, "WORD", help);
  }
  template <class T>
  void integer(std::string_view key, T&, std::int64_t, std::int64_t, std::string_view help) {
    add(key, "NUMBER", help);
  }
  template <class T>
  void size(std::string_view key, T&, std::uint64_t, std::uint64_t, std::string_view help) {
    add(key, "SIZE", help);
  }
  void duration(std::string_view key, Duration&, Duration, Duration, std::string_view help) {
    add(key, "DURATION", help);
  }
  void boolean(std::string_view key, bool&, std::string_view help) { add(key, "", help); }
};

// Sets the one key that the flag means.
struct Setter {
  std::string_view flag;
  const std::vector<std::string>& values;
  std::optional<std::string> wrong;
  bool found = false;

  bool is_it(std::string_view key) {
    if (flag_of(key) != flag) return false;
    found = true;
    return true;
  }
  const std::string& value() const { return values.back(); }
  template <class T>
  void accept(Value<T> got, T& out) {
    if (auto* good = std::get_if<T>(&got)) {
      out = std::move(*good);
    } else {
      wrong = std::get<Wrong>(got).why;
    }
  }
  template <class T>
  void parsed(std::string_view key, T& out, Value<T> (*parse)(std::string_view), std::string_view,
              std::string_view) {
    if (is_it(key)) accept(parse(value()), out);
  }
  template <class T>
  void parsed(std::string_view key, std::optional<T>& out, Value<T> (*parse)(std::string_view),
              std::string_view, std::string_view) {
    if (!is_it(key)) return;
    T good{};
    accept(parse(value()), good);
    out = good == T{} ? std::nullopt : std::optional(std::move(good));
  }
  void list(std::string_view key, std::vector<std::string>& out,
            Value<std::string> (*parse)(std::string_view), std::string_view, std::string_view) {
    if (!is_it(key)) return;
    out.clear();
    for (const std::string& each : values) accept(parse(each), out.emplace_back());
  }
  template <class E>
  void choice(std::string_view key, E& out, std::span<const std::pair<std::string_view, E>> words,
              std::string_view) {
    if (!is_it(key)) return;
    wrong = quoted(value()) + " is not accepted; write ";
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].first == value()) {
        out = words[i].second;
        wrong.reset();
        return;
      }
      *wrong += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i].first);
    }
  }
  template <class E>
  void choice(std::string_view key, std::optional<E>& out,
              std::span<const std::pair<std::string_view, E>> words, std::string_view help) {
    E word{};
    if (flag_of(key) != flag) return;
    choice(key, word, words, help);
    if (!wrong) out = word;
  }
  template <class T>
  void integer(std::string_view key, T& out, std::int64_t least, std::int64_t most, std::string_view) {
    if (!is_it(key)) return;
    std::int64_t number = 0;
    const std::string& text = value();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      wrong = quoted(text) + " is no number";
    } else if (number < least || number > most) {
      wrong = text + " is out of range; " + std::to_string(least) + " to " + std::to_string(most) +
              " are accepted";
    } else {
      out = static_cast<T>(number);
    }
  }
  template <class T>
  void size(std::string_view key, T& out, std::uint64_t least, std::uint64_t most, std::string_view) {
    if (!is_it(key)) return;
    std::uint64_t bytes = 0;
    accept(to_size(value()), bytes);
    if (wrong) return;
    if (bytes < least || bytes > most) {
      wrong = quoted(value()) + " is out of range; " + size_text(least) + " to " + size_text(most) +
              " are accepted";
    } else {
      out = static_cast<T>(bytes);
    }
  }
  void duration(std::string_view key, Duration& out, Duration least, Duration most, std::string_view) {
    if (!is_it(key)) return;
    Duration time{};
    accept(to_duration(value()), time);
    if (wrong) return;
    if (time < least || time > most) {
      wrong = quoted(value()) + " is out of range; " + duration_text(least) + " to " + duration_text(most) +
              " are accepted";
    } else {
      out = time;
    }
  }
  void boolean(std::string_view key, bool& out, std::string_view) {
    if (!is_it(key)) return;
    if (value() != "true" && value() != "false") {
      wrong = quoted(value()) + " is not accepted; write true or false";
    } else {
      out = value() == "true";
    }
  }
};

}  // namespace

std::vector<NodeFlag> node_flags() {
  Node node;
  Lister lister;
  visit_node_keys(node, lister);
  return std::move(lister.flags);
}

std::optional<std::string> set_node_flag(Node& node, std::string_view name,
                                         const std::vector<std::string>& values) {
  if (values.empty()) return "a value is missing";
  Setter setter{name, values, std::nullopt};
  visit_node_keys(node, setter);
  if (!setter.found) return "there is no such flag";
  return setter.wrong;
}

}  // namespace limpet::config
