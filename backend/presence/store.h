// Store: one socket of one user, written to Redis or taken out of it, so that the user's newest is right.
//
// Two of them. One server: a script does all of it at once. A cluster, where a user's keys lie on different
// slots: single commands; whoever has changed a user's sockets then names the newest, and looks again until
// what it has named is what there is, so that of several nodes the last one leaves it right.
//
// Keeps no queue: what Redis cannot be told fails. Completions may come after the Store's end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/presence/names.h"
#include "backend/redis/redis.h"

namespace limpet::presence {

struct Socket {
  std::string user;
  std::string id;
  std::uint64_t at = 0;  // connected: ms since 1970
};

// Which process has the socket: "ws1/Zk3-..." of the server "ws1".
struct Life {
  std::string name;
  std::string server;
  static Life named(std::string_view name);
};

enum class Outcome : std::uint8_t {
  done,
  failed,
  alive,  // the life that was to be cleared up after goes on: nothing has changed
};

class Store {
 public:
  // `at`: of the socket, as it has been written.
  using Put = std::function<void(Outcome, std::uint64_t at)>;
  using Dropped = std::function<void(Outcome)>;

  virtual ~Store() = default;
  // `fresh`: it has just connected and is the newest, whatever a clock says. Else it is written again: where
  // its id is another node's by now (a session that was restored there), that one stays.
  virtual void put(const Socket& socket, bool fresh, Put done) = 0;
  // Of `life`: our own, or one that has ended, and only while its heartbeat is not there. Of another's socket
  // of the same id nothing is taken.
  virtual void drop(const Life& life, const Socket& socket, Dropped done) = 0;
};

std::unique_ptr<Store> script_store(redis::Redis& redis, const Names& names, const Life& own);
std::unique_ptr<Store> cluster_store(redis::Redis& redis, const Names& names, const Life& own);

// What stands in a user's hash of sockets, and in a life's: {"serverId":"ws1","connectedAt":17} and "17 ada".
std::string entry_of(std::string_view server, std::uint64_t at);
std::string member_of(const Socket& socket);
Socket socket_of(std::string_view id, std::string_view member);  // of what is no member: no user

}  // namespace limpet::presence
