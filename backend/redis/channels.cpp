#include "backend/redis/channels.h"

#include <algorithm>
#include <utility>

namespace limpet::redis {
namespace {

std::string_view verb(Subscribed kind, bool on) {
  switch (kind) {
    case Subscribed::channel: return on ? "SUBSCRIBE" : "UNSUBSCRIBE";
    case Subscribed::pattern: return on ? "PSUBSCRIBE" : "PUNSUBSCRIBE";
    case Subscribed::shard: break;
  }
  return on ? "SSUBSCRIBE" : "SUNSUBSCRIBE";
}

// Those who are there now and still are when their turn comes.
template <class Tell>
void for_each_listener(Channel& channel, Tell tell) {
  const std::size_t count = channel.listeners.size();
  const bool outermost = std::exchange(channel.settled, false);
  for (std::size_t i = 0; i < count; ++i) {
    if (channel.listeners[i] != nullptr) tell(*channel.listeners[i]);
  }
  if (!outermost) return;
  std::erase(channel.listeners, nullptr);
  channel.settled = true;
}

}  // namespace

// --- subscriptions ---

Subscription::Subscription(Subscription&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) std::swap(entry_, other.entry_);
  return *this;
}

Subscription::~Subscription() {
  if (entry_ == nullptr) return;
  const std::unique_ptr<Entry> entry(std::exchange(entry_, nullptr));
  Channel& channel = *entry->channel;
  if (channel.table != nullptr) {
    channel.table->remove(*entry);
  } else {
    std::ranges::replace(channel.listeners, entry.get(), nullptr);
  }
}

Channels::Channels(net::Loop& loop, Carrier& carrier, std::uint64_t retry_ms)
    : carrier_(carrier),
      loop_(loop),
      retry_ms_(retry_ms),
      tell_late_(net::delegate<&Channels::tell_late>(this)),
      retry_(loop, net::delegate<&Channels::place_all>(this)) {}

Channels::~Channels() {
  close();
}

void Channels::close() {
  *alive_ = false;
  retry_.cancel();
  tell_late_.cancel();
  for (Table& table : tables_) {
    for (auto& [name, channel] : table) channel->table = nullptr;
    table.clear();
  }
}

Subscription::Entry* Channels::add(Subscribed kind, std::string_view name, Listener& listener) {
  Table& table = of(kind);
  const auto at = table.find(name);
  const bool fresh = at == table.end();
  const auto channel = fresh ? std::make_shared<Channel>(Channel{kind, std::string(name), this}) : at->second;
  if (fresh) table.emplace(channel->name, channel);
  auto* entry = new Subscription::Entry{channel, &listener};
  channel->listeners.push_back(entry);
  if (fresh) {
    place(channel);
  } else if (channel->state == Channel::State::heard) {
    late_.push_back(channel);
    loop_.at_end_of_turn(tell_late_);
  }
  return entry;
}

void Channels::remove(Subscription::Entry& entry) {
  const std::shared_ptr<Channel> channel = entry.channel;
  std::ranges::replace(channel->listeners, &entry, nullptr);
  if (channel->settled) std::erase(channel->listeners, nullptr);
  if (std::ranges::any_of(channel->listeners, [](auto* each) { return each != nullptr; })) return;
  channel->table = nullptr;
  of(channel->kind).erase(channel->name);
  if (channel->state == Channel::State::unasked || !channel->link->up()) return;
  const std::string_view words[] = {verb(channel->kind, false), channel->name};
  channel->link->send(words, {.unsubscribes = channel->kind == Subscribed::shard});
}

// --- where they are asked for ---

void Channels::place(const std::shared_ptr<Channel>& channel) {
  Link* link = carrier_.link_of(channel->kind, channel->name);
  if (channel->state != Channel::State::unasked) {
    if (link == channel->link) return;
    if (channel->link->up()) {
      const std::string_view words[] = {verb(channel->kind, false), channel->name};
      channel->link->send(words, {.unsubscribes = channel->kind == Subscribed::shard});
    }
    const auto alive = alive_;
    lose(*channel);
    if (!*alive || channel->table == nullptr) return;
  }
  channel->link = link;
  if (link == nullptr || !link->up()) return;
  channel->state = Channel::State::asked;
  const std::string_view words[] = {verb(channel->kind, true), channel->name};
  link->send(words, {.done = [weak = std::weak_ptr(channel), link](const Result& result) {
               const auto self = weak.lock();
               if (self && self->table != nullptr) self->table->on_confirmed(*self, link, result);
             }});
}

void Channels::on_confirmed(Channel& channel, Link* link, const Result& result) {
  if (channel.link != link || channel.state != Channel::State::asked || !link->up()) return;
  if (result.ok()) {
    channel.state = Channel::State::heard;
    return tell_subscribed(channel);
  }
  channel.state = Channel::State::unasked;
  if (!retry_.armed()) retry_.after(retry_ms_);
  carrier_.on_subscribe_refused(channel.kind, channel.name, result.error);
}

std::vector<std::shared_ptr<Channel>> Channels::all() const {
  std::vector<std::shared_ptr<Channel>> found;
  for (const Table& table : tables_) {
    for (const auto& [name, channel] : table) found.push_back(channel);
  }
  return found;
}

void Channels::place_all() {
  const auto alive = alive_;
  for (const auto& channel : all()) {
    if (!*alive) return;
    if (channel->table != nullptr) place(channel);
  }
}

void Channels::link_lost(Link& link) {
  const auto alive = alive_;
  for (const auto& channel : all()) {
    if (!*alive) return;
    if (channel->table != nullptr && channel->link == &link) lose(*channel);
  }
}

bool Channels::sunsubscribed(const Link& link, std::string_view name) {
  const auto at = of(Subscribed::shard).find(name);
  if (at == of(Subscribed::shard).end()) return false;
  const std::shared_ptr<Channel> channel = at->second;
  // One that is asked for will be answered: this was about an earlier interest.
  if (channel->link != &link || channel->state != Channel::State::heard) return false;
  const auto alive = alive_;
  lose(*channel);
  if (*alive && channel->table != nullptr && !retry_.armed()) retry_.after(retry_ms_);
  return true;
}

// --- telling ---

void Channels::lose(Channel& channel) {
  if (channel.state == Channel::State::unasked) return;
  channel.state = Channel::State::unasked;
  for_each_listener(channel, [](Subscription::Entry& entry) {
    if (std::exchange(entry.told, false)) entry.listener->on_gap();
  });
}

void Channels::tell_subscribed(Channel& channel) {
  for_each_listener(channel, [](Subscription::Entry& entry) {
    if (!std::exchange(entry.told, true)) entry.listener->on_subscribed();
  });
}

void Channels::tell_late() {
  const auto alive = alive_;
  for (const auto& weak : std::exchange(late_, {})) {
    if (!*alive) return;
    const auto channel = weak.lock();
    if (channel && channel->table != nullptr && channel->state == Channel::State::heard)
      tell_subscribed(*channel);
  }
}

void Channels::message(const Link& link, Subscribed kind, std::string_view name, std::string_view channel,
                       std::string_view payload) {
  const Table& table = of(kind);
  const auto at = table.find(name);
  if (at == table.end() || at->second->link != &link) return;  // not any more: its end is on its way
  const std::shared_ptr<Channel> pin = at->second;
  for_each_listener(*pin, [&](Subscription::Entry& entry) { entry.listener->on_message(channel, payload); });
}

}  // namespace limpet::redis
