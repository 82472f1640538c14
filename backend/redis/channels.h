// Channels: which channels this process listens to, who hears them, and on which link each was asked for.
//
// Owned by Redis, on its thread. Listeners may subscribe, end any Subscription, their own included, and
// destroy Redis from within their callbacks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/redis/link.h"

namespace limpet::redis {

class Channels;

struct Channel {
  enum class State : std::uint8_t { unasked, asked, heard };
  Subscribed kind;
  std::string name;
  Channels* table;  // null once that is gone
  State state = State::unasked;
  Link* link = nullptr;  // on which it was asked for; only compared unless it is up
  std::vector<Subscription::Entry*> listeners = {};  // null: has gone
  bool settled = true;                               // listeners have no holes
};

struct Subscription::Entry {
  std::shared_ptr<Channel> channel;
  Listener* listener;
  bool told = false;  // on_subscribed() has been called since the last gap
};

class Channels {
 public:
  // Who knows the links.
  class Carrier {
   public:
    virtual Link* link_of(Subscribed kind, std::string_view channel) = 0;  // null: none is known now
    virtual void on_subscribe_refused(Subscribed kind, std::string_view channel, std::string_view error) = 0;

   protected:
    ~Carrier() = default;
  };

  Channels(net::Loop& loop, Carrier& carrier, std::uint64_t retry_ms);
  ~Channels();
  Channels(const Channels&) = delete;

  Subscription::Entry* add(Subscribed kind, std::string_view name, Listener& listener);
  void remove(Subscription::Entry& entry);
  void close();  // nobody hears anything any more

  void link_lost(Link& link);
  bool some_wait() const { return retry_.armed(); }  // that were refused, or taken away
  void place_all();  // links have come, gone or changed places: each channel goes where it belongs
  // From any other link than the one that a channel is asked for on now it has been heard, or will be.
  void message(const Link& link, Subscribed kind, std::string_view name, std::string_view channel,
               std::string_view payload);
  // Whether one that was heard has been taken away; else it was the answer to a wish of ours.
  bool sunsubscribed(const Link& link, std::string_view name);

 private:
  using Table = std::unordered_map<std::string_view, std::shared_ptr<Channel>>;  // by the channel's own name

  Table& of(Subscribed kind) { return tables_[static_cast<std::size_t>(kind)]; }
  const Table& of(Subscribed kind) const { return tables_[static_cast<std::size_t>(kind)]; }
  void place(const std::shared_ptr<Channel>& channel);
  void on_confirmed(Channel& channel, Link* link, const Result& result);
  void lose(Channel& channel);
  void tell_subscribed(Channel& channel);
  void tell_late();
  std::vector<std::shared_ptr<Channel>> all() const;

  Carrier& carrier_;
  net::Loop& loop_;
  const std::uint64_t retry_ms_;
  std::array<Table, 3> tables_;
  std::vector<std::weak_ptr<Channel>> late_;  // confirmed before a listener came
  net::Deferred tell_late_;
  net::Timer retry_;  // of what was refused
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace limpet::redis
