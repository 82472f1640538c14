// Redis: what a node says to Redis and hears from it, over one server, the master that a Sentinel names, or a
// Cluster.
//
// One object a process, on its loop's thread. Behind it stand one connection for commands and one for
// subscriptions (in a cluster: one of each for each master in use). Commands of one turn of the loop leave in
// one write and are answered in order. A connection that is lost is made again, with back-off and jitter;
// then subscriptions are renewed.
//
// What is lost while the link is down: commands fail, at once, with an error: nothing is kept to be sent
// later. Messages of channels are gone; Listeners are told that there was a gap. Knows nothing of Socket.IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/redis/reply.h"
#include "backend/redis/settings.h"
#include "proxy/net/loop.h"

namespace limpet::redis {

using Done = std::function<void(const Result&)>;  // called exactly once, maybe from within the call
using Words = std::span<const std::string_view>;

enum class Subscribed : std::uint8_t { channel, pattern, shard };  // SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE

// Who hears a channel. From within any of these it may end its Subscription, and destroy itself and Redis.
class Listener {
 public:
  // `channel` is the one that was published to, also for a pattern.
  virtual void on_message(std::string_view channel, std::string_view payload) = 0;
  virtual void on_subscribed() {}  // Redis has confirmed; again after each gap
  // The link was lost, or the channel moved to another server: messages may be missing until on_subscribed().
  virtual void on_gap() {}

 protected:
  ~Listener() = default;
};

class Redis;

// One interest in one channel; its end unsubscribes once nobody else has one.
class Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription();

  struct Entry;

 private:
  friend class Redis;
  explicit Subscription(Entry* entry) : entry_(entry) {}
  Entry* entry_ = nullptr;  // ours; it may outlive Redis, and then does nothing
};

// One more connection, for a command that blocks (XREAD BLOCK). Lost with its link: then the answer that it
// owes fails, and it is made again like the others. Commands go one behind the other. May be destroyed from
// within any callback, before Redis or after it.
class Dedicated {
 public:
  ~Dedicated();  // what is owed fails
  Dedicated(const Dedicated&) = delete;
  // `blocks_ms`: for so long the command may keep Redis silent (BLOCK). A silence of answer_timeout_ms more
  // means that the link is dead.
  void command(Words words, Done done, std::uint64_t blocks_ms = 0);
  void command(std::initializer_list<std::string_view> words, Done done, std::uint64_t blocks_ms = 0) {
    command(Words(words.begin(), words.size()), std::move(done), blocks_ms);
  }
  bool up() const;
  std::function<void(bool up)> on_link;  // the link has come up, or was lost; may be unset

  struct Impl;

 private:
  friend class Redis;
  explicit Dedicated(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

struct Totals {
  std::uint64_t commands = 0, failed = 0;             // failed: no answer, or an error
  std::uint64_t published = 0, publishes_failed = 0;  // PUBLISH, SPUBLISH and XADD among them
  std::uint64_t messages = 0;                         // that came by subscriptions
  // Of links. A reconnect is a connect as well: of a link that had been up before.
  std::uint64_t connects = 0, reconnects = 0, connects_failed = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t last_answer_us = 0;  // how long the last command took: Redis' lag
  std::size_t pending_bytes = 0;     // now
};

// May be destroyed from within any callback of its own.
class Redis {
 public:
  Redis(net::Loop& loop, Settings settings);
  ~Redis();  // what is owed fails, from within
  Redis(const Redis&) = delete;

  void start();
  bool up() const;  // commands and subscriptions have a link (in a cluster: to every master)
  // Told of what an operator should know, once for each change: "connected to 127.0.0.1:6379",
  // "lost 127.0.0.1:6379: connection reset; trying again". `bad`: worth a warning.
  std::function<void(bool bad, std::string_view what)> on_event;
  std::function<void(bool up)> on_link;

  // A command and its arguments. In a cluster it goes to the master of `key`; those without a key go to any.
  void command(Words words, Done done = {}, std::string_view key = {});
  void command(std::initializer_list<std::string_view> words, Done done = {}, std::string_view key = {}) {
    command(Words(words.begin(), words.size()), std::move(done), key);
  }
  // `done` once all commands of before have been answered, by whichever server; maybe from within the call.
  // Not waited for: those that a cluster's server then sends on to another.
  void when_answered(std::function<void()> done);
  // MULTI, the commands, EXEC: the reply is EXEC's array.
  void transaction(std::initializer_list<std::initializer_list<std::string_view>> commands, Done done,
                   std::string_view key = {});
  void publish(std::string_view channel, std::string_view payload, Done done = {});
  void shard_publish(std::string_view channel, std::string_view payload, Done done = {});
  // PUBSUB NUMSUB / SHARDNUMSUB of one channel, summed over masters. Nothing: it could not be known.
  void count_subscribers(Subscribed kind, std::string_view channel,
                         std::function<void(std::optional<std::size_t>)> done);

  // The listener outlives the Subscription. Two of one channel share one SUBSCRIBE.
  [[nodiscard]] Subscription subscribe(Subscribed kind, std::string_view channel, Listener& listener);

  std::unique_ptr<Dedicated> dedicate(std::string_view key = {});  // to the master of `key`

  Totals totals() const;
  const Settings& settings() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;  // outlasts us while a callback of its own is under way
};

}  // namespace limpet::redis
