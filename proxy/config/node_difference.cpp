// [node] of two files, by the keys that node_keys.h names.
#include "proxy/config/difference.h"
#include "proxy/config/node_keys.h"

namespace limpet::config {
namespace {

// A visitor to whom a key is a name and a value.
template <class Take>
struct EachKey {
  Take take;
  template <class T, class... More>
  void parsed(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void list(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void choice(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void integer(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void size(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void duration(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
  template <class T, class... More>
  void boolean(std::string_view key, T& value, More&&...) {
    take(key, value);
  }
};
template <class Take>
EachKey(Take) -> EachKey<Take>;  // clang 14 finds it by no other way

}  // namespace

// The first visit says where the values of one are; the second, in the same order, compares them.
std::optional<std::string> first_difference(const Node& was, const Node& is) {
  if (was == is) return std::nullopt;
  Node before = was, after = is;  // who visits might write
  std::vector<const void*> places;
  EachKey note{[&](std::string_view, const auto& value) { places.push_back(&value); }};
  visit_node_keys(after, note);
  std::string found = "node";  // if there is a value without a key
  auto next = places.begin();
  EachKey compare{[&]<class T>(std::string_view key, const T& value) {
    const bool same = value == *static_cast<const T*>(*next++);
    if (!same && found == "node") found += "." + std::string(key);
  }};
  visit_node_keys(before, compare);
  return found;
}

}  // namespace limpet::config
