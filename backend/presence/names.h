// Names: what the keys of presence are called. Pure.
//
//   user:connections       hash: user's id -> id of the server that has the newest socket
//   user:ID                hash: socketId, serverId, connectedAt, status, of the newest socket
//   user:ID:sockets        hash: socket's id -> {"serverId":"ws1","connectedAt":1700000000000}
//   limpet:nodes           set: lives, as "ws1/Zk3-..."; one is one process from its start to its end
//   limpet:nodes:{LIFE}:alive, :sockets, :sweeper     its heartbeat, what it has written, who clears up after
//   it
//
// The braces keep the keys of one life on one slot of a Redis Cluster; those of a user lie on different ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace limpet::presence {

// "user:<id>:sockets": a name with a user's id in it.
class Pattern {
 public:
  static std::optional<Pattern> parse(std::string_view text);  // nothing unless "<id>" is there, once
  std::string with(std::string_view id) const;
  bool makes(std::string_view name) const;  // of some id

 private:
  std::string before_, after_;
};

struct NameSettings {
  std::string connections = "user:connections";
  std::string user = "user:<id>";
  std::string sockets = "user:<id>:sockets";
  std::string nodes = "limpet:nodes";
};

class Names {
 public:
  explicit Names(const NameSettings& settings);  // throws std::invalid_argument for a pattern without "<id>"

  const std::string& connections() const { return connections_; }
  const std::string& nodes() const { return nodes_; }
  std::string alive(std::string_view life) const { return of_life(life, "alive"); }
  std::string sockets_of_life(std::string_view life) const { return of_life(life, "sockets"); }
  std::string sweeper(std::string_view life) const { return of_life(life, "sweeper"); }

  struct User {
    std::string newest, sockets;
  };
  User of(std::string_view id) const;

  // The id as it stands in names: itself, unless that would make one of them another's, or it looks like what
  // such an id is turned into. Then it is percent-encoded. Different ids stay different.
  std::string escaped(std::string_view id) const;

 private:
  std::string of_life(std::string_view life, std::string_view what) const;
  bool collides(std::string_view id) const;
  bool is_taken(std::string_view id) const;

  std::string connections_, nodes_, nodes_prefix_;
  Pattern user_, sockets_;
};

}  // namespace limpet::presence
