// Topics: who is subscribed to what. Members of a topic stand in a dense vector; a topic lives as long as it
// has one.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/names/hash.h"

namespace limpet::raw {

class Connection;

class Topics {
 public:
  struct Topic {
    std::string name;
    std::vector<Connection*> members;
  };
  // What a connection keeps of each of its topics.
  struct Membership {
    Topic* topic = nullptr;
    std::size_t place = 0;  // among the members
  };

  static bool subscribed(const std::vector<Membership>& its, std::string_view name);
  bool subscribe(Connection& connection, std::vector<Membership>& its,
                 std::string_view name);                                  // false: it was
  bool unsubscribe(std::vector<Membership>& its, std::string_view name);  // false: it was not
  void leave(std::vector<Membership>& its);                               // all of them
  const Topic* find(std::string_view name) const;
  std::size_t size() const { return topics_.size(); }

 private:
  void remove(const Membership& membership);
  std::unordered_map<std::string, Topic, names::Hash, std::equal_to<>>
      topics_;  // its nodes stay where they are
};

}  // namespace limpet::raw
