// One Redis server: each change is one script.
#include <cstdint>
#include <optional>
#include <utility>

#include "backend/presence/script.h"
#include "backend/presence/store.h"

namespace limpet::presence {
namespace {

// The user's newest socket follows from the hash of its sockets. That is read as a whole only where the
// newest may have gone. Numbers are written by format(): Lua would write 1.7e+12.
constexpr std::string_view kScript = R"lua(
local sockets, newest, connections, mine, alive = unpack(KEYS)
local op, user, id, server, at = unpack(ARGV)
at = tonumber(at)

local function number(text) return tonumber(text or 0) or 0 end
local function written(n) return string.format('%.0f', n) end
local function entry(n) return '{"serverId":' .. cjson.encode(server) .. ',"connectedAt":' .. written(n) .. '}' end
local function read(text)
  local ok, it = pcall(cjson.decode, text)
  if ok and type(it) == 'table' and type(it.serverId) == 'string' then
    return it.serverId, tonumber(it.connectedAt) or 0
  end
end
local function name(socket, on, since)
  redis.call('HSET', newest, 'socketId', socket, 'serverId', on, 'connectedAt', written(since), 'status', 'online')
  redis.call('HSET', connections, user, on)
end
local function choose()
  local all = redis.call('HGETALL', sockets)
  local best, best_on, best_since
  for i = 1, #all, 2 do
    local on, since = read(all[i + 1])
    if on and (not best or since > best_since or (since == best_since and all[i] > best)) then
      best, best_on, best_since = all[i], on, since
    end
  end
  if best then return name(best, best_on, best_since) end
  redis.call('DEL', newest)
  redis.call('HDEL', connections, user)
end
local function newest_lives()
  local holder = redis.call('HGET', newest, 'socketId')
  return holder and holder ~= id and redis.call('HEXISTS', sockets, holder) == 1
end

local there = redis.call('HGET', sockets, id)
if op == 'drop' or op == 'clear' then
  if op == 'clear' and redis.call('EXISTS', alive) == 1 then return -1 end
  local member = redis.call('HGET', mine, id)
  redis.call('HDEL', mine, id)
  if there then
    local on, since = read(there)
    local known = member and tonumber(string.match(member, '^%d+') or '')
    if not on or (on == server and (not known or known == since)) then redis.call('HDEL', sockets, id) end
  end
  local holder = redis.call('HGET', newest, 'socketId')
  if not holder or redis.call('HEXISTS', sockets, holder) == 0 then choose() end
  return 0
end

local since = number(redis.call('HGET', newest, 'connectedAt'))
if op == 'new' then
  if at <= since then at = since + 1 end
elseif there then
  local on, its = read(there)
  if on and on ~= server and its > at then
    redis.call('HSET', mine, id, written(at) .. ' ' .. user)
    return at
  end
end
redis.call('HSET', mine, id, written(at) .. ' ' .. user)
redis.call('HSET', sockets, id, entry(at))
if at >= since then name(id, server, at) elseif not newest_lives() then choose() end
return at
)lua";

class ScriptStore final : public Store {
 public:
  ScriptStore(redis::Redis& redis, const Names& names, const Life& own)
      : redis_(redis), names_(names), own_(own) {}

  void put(const Socket& socket, bool fresh, Put done) override {
    run(fresh ? "new" : "again", own_, socket,
        [at = socket.at, done = std::move(done)](const redis::Result& result) {
          const std::optional<std::int64_t> written = result.reply.integer();
          if (!result.ok() || !written || *written < 0) return done(Outcome::failed, at);
          done(Outcome::done, static_cast<std::uint64_t>(*written));
        });
  }

  void drop(const Life& life, const Socket& socket, Dropped done) override {
    run(life.name == own_.name ? "drop" : "clear", life, socket,
        [done = std::move(done)](const redis::Result& result) {
          const std::optional<std::int64_t> code = result.reply.integer();
          if (!result.ok() || !code) return done(Outcome::failed);
          done(*code == 0 ? Outcome::done : Outcome::alive);
        });
  }

 private:
  struct LifeKeys {
    std::string sockets, alive;
  };
  LifeKeys keys_of(const Life& life) const {
    return {names_.sockets_of_life(life.name), names_.alive(life.name)};
  }

  void run(std::string_view op, const Life& life, const Socket& socket, redis::Done done) {
    const Names::User names = names_.of(socket.user);
    const bool ours = life.name == own_.name;
    const LifeKeys theirs = ours ? LifeKeys() : keys_of(life);
    const LifeKeys& keys = ours ? own_keys_ : theirs;
    script_.run(redis_, {names.sockets, names.newest, names_.connections(), keys.sockets, keys.alive},
                {op, socket.user, socket.id, life.server, std::to_string(socket.at)}, std::move(done));
  }

  redis::Redis& redis_;
  const Names& names_;
  const Life& own_;
  const LifeKeys own_keys_ = keys_of(own_);
  Script script_{kScript};
};

}  // namespace

std::unique_ptr<Store> script_store(redis::Redis& redis, const Names& names, const Life& own) {
  return std::make_unique<ScriptStore>(redis, names, own);
}

}  // namespace limpet::presence
