// Redis Cluster: a user's keys lie on different slots, so that nothing can change them at once.
//
// The hash of the user's sockets is the truth, and each change of it is atomic. Whoever has made one then
// reads it, names the newest in the two other keys, and reads it again: if it has changed, once more. Of
// several nodes the one that names last has read after it, so that what it leaves is what there is.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "backend/presence/script.h"
#include "backend/presence/store.h"

namespace limpet::presence {
namespace {

namespace json = boost::json;

constexpr int kMostRounds = 16;  // of naming and looking again

// One key, so that it works in a cluster. 1: something has changed.
constexpr std::string_view kScript = R"lua(
local op, id, entry, server, at = unpack(ARGV)
local there = redis.call('HGET', KEYS[1], id)
if op == 'drop' then
  if there == entry then return redis.call('HDEL', KEYS[1], id) end
  return 0
end
if op == 'again' and there and there ~= entry then
  local ok, it = pcall(cjson.decode, there)
  if ok and type(it) == 'table' and it.serverId ~= server and (tonumber(it.connectedAt) or 0) > tonumber(at) then
    return 0
  end
end
redis.call('HSET', KEYS[1], id, entry)
return 1
)lua";

struct Newest {
  std::string socket, server;
  std::uint64_t at = 0;
  bool operator==(const Newest&) const = default;
};

std::optional<Newest> read_entry(std::string_view socket, std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const json::value* server = object->if_contains("serverId");
  const json::value* at = object->if_contains("connectedAt");
  if (server == nullptr || !server->is_string()) return std::nullopt;
  Newest it{std::string(socket), std::string(server->get_string()), 0};
  if (at != nullptr) {
    json::error_code no_number;
    it.at = at->to_number<std::uint64_t>(no_number);
    if (no_number) it.at = 0;
  }
  return it;
}

std::optional<Newest> newest_of(const redis::Reply& all) {
  std::optional<Newest> best;
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
    auto it = read_entry(all[i].text(), all[i + 1].text());
    if (!it) continue;
    if (!best || it->at > best->at || (it->at == best->at && it->socket > best->socket)) best = std::move(it);
  }
  return best;
}

// Names the newest of one user. Another call for the same user meanwhile waits for one more round of it.
struct Naming : std::enable_shared_from_this<Naming> {
  using Table = std::map<std::string, std::shared_ptr<Naming>, std::less<>>;

  Naming(redis::Redis& r, std::weak_ptr<Table> t, const Names& names, std::string_view u)
      : redis(r), table(std::move(t)), user(u), keys(names.of(u)), connections(names.connections()) {}

  static void start(redis::Redis& redis, const std::shared_ptr<Table>& table, const Names& names,
                    std::string_view user, Store::Dropped done);
  void look();
  void on_look(const redis::Result& result);
  void name();
  void on_named(bool ok);
  void finish(Outcome outcome);

  redis::Redis& redis;
  std::weak_ptr<Table> table;  // the store's, which may end before we do
  std::string user;
  Names::User keys;
  std::string connections;
  std::optional<std::optional<Newest>> named;  // what we have written, once we have
  std::optional<Newest> seen;
  bool asked_again = false;
  int rounds = 0;
  int owed = 0;
  bool failed = false;
  std::vector<Store::Dropped> waiting;
};

void Naming::start(redis::Redis& redis, const std::shared_ptr<Table>& table, const Names& names,
                   std::string_view user, Store::Dropped done) {
  const auto found = table->find(user);
  if (found != table->end()) {
    found->second->asked_again = true;
    found->second->waiting.push_back(std::move(done));
    return;
  }
  const auto it = std::make_shared<Naming>(redis, table, names, user);
  it->waiting.push_back(std::move(done));
  table->emplace(user, it);
  it->look();
}

void Naming::look() {
  asked_again = false;
  redis.command(
      {"HGETALL", keys.sockets},
      [self = shared_from_this()](const redis::Result& result) { self->on_look(result); }, keys.sockets);
}

void Naming::on_look(const redis::Result& result) {
  if (!result.ok()) return finish(Outcome::failed);
  seen = newest_of(result.reply);
  if (named && *named == seen) return asked_again ? look() : finish(Outcome::done);
  if (++rounds > kMostRounds) return finish(Outcome::failed);
  name();
}

void Naming::name() {
  owed = 2;
  failed = false;
  named = seen;
  const auto done = [self = shared_from_this()](const redis::Result& result) { self->on_named(result.ok()); };
  if (!seen) {
    redis.command({"DEL", keys.newest}, done, keys.newest);
    redis.command({"HDEL", connections, user}, done, connections);
    return;
  }
  const std::string at = std::to_string(seen->at);
  redis.command({"HSET", keys.newest, "socketId", seen->socket, "serverId", seen->server, "connectedAt", at,
                 "status", "online"},
                done, keys.newest);
  redis.command({"HSET", connections, user, seen->server}, done, connections);
}

void Naming::on_named(bool ok) {
  failed = failed || !ok;
  if (--owed > 0) return;
  if (failed) return finish(Outcome::failed);
  look();
}

void Naming::finish(Outcome outcome) {
  const auto keep = shared_from_this();
  if (const auto those = table.lock()) those->erase(user);
  for (const Store::Dropped& each : std::exchange(waiting, {})) each(outcome);
}

class ClusterStore final : public Store {
 public:
  ClusterStore(redis::Redis& redis, const Names& names, const Life& own)
      : redis_(redis), names_(names), own_(own) {}

  // What a life has is written first and taken out last, so that whoever clears up after it misses nothing.
  void put(const Socket& socket, bool fresh, Put done) override {
    redis_.command({"HSET", mine_, socket.id, member_of(socket)}, {}, mine_);
    change(fresh ? "new" : "again", own_, socket,
           [at = socket.at, done = std::move(done)](Outcome outcome) { done(outcome, at); });
  }

  void drop(const Life& life, const Socket& socket, Dropped done) override {
    if (life.name == own_.name) return drop_now(life, socket, std::move(done));
    const std::string alive = names_.alive(life.name);
    redis_.command(
        {"EXISTS", alive},
        [this, guard = std::weak_ptr(table_), life, socket,
         done = std::move(done)](const redis::Result& result) mutable {
          if (!result.ok() || guard.expired()) return done(Outcome::failed);
          if (result.reply.integer() != 0) return done(Outcome::alive);
          drop_now(life, socket, std::move(done));
        },
        alive);
  }

 private:
  void drop_now(const Life& life, const Socket& socket, Dropped done) {
    change("drop", life, socket,
           [this, guard = std::weak_ptr(table_), mine = names_.sockets_of_life(life.name), socket,
            done = std::move(done)](Outcome outcome) {
             if (outcome != Outcome::done || guard.expired()) return done(outcome);
             script_.run(redis_, {mine}, {"drop", socket.id, member_of(socket), "", "0"},
                         [done](const redis::Result& result) {
                           done(result.ok() ? Outcome::done : Outcome::failed);
                         });
           });
  }

  void change(std::string_view op, const Life& life, const Socket& socket, Dropped done) {
    const std::string key = names_.of(socket.user).sockets;
    script_.run(redis_, {key},
                {op, socket.id, entry_of(life.server, socket.at), life.server, std::to_string(socket.at)},
                [this, guard = std::weak_ptr(table_), user = socket.user,
                 done = std::move(done)](const redis::Result& result) {
                  const auto table = guard.lock();
                  if (!result.ok() || !table) return done(Outcome::failed);
                  Naming::start(redis_, table, names_, user, done);
                });
  }

  redis::Redis& redis_;
  const Names& names_;
  const Life& own_;
  const std::string mine_ = names_.sockets_of_life(own_.name);
  Script script_{kScript};
  // Nobody else owns it: answers hold it weakly, and know by it whether this store is still there.
  std::shared_ptr<Naming::Table> table_ = std::make_shared<Naming::Table>();
};

}  // namespace

std::unique_ptr<Store> cluster_store(redis::Redis& redis, const Names& names, const Life& own) {
  return std::make_unique<ClusterStore>(redis, names, own);
}

}  // namespace limpet::presence
