#include "backend/redis/redis.h"

#include <algorithm>
#include <utility>

#include "backend/redis/impl.h"

namespace limpet::redis {
namespace {

constexpr std::string_view kNoLink = "there is no connection to Redis";
constexpr std::size_t kMostTold = 16;
constexpr std::size_t kLongestTold = 350;

Tally tally_of(Words words) {
  if (words.empty()) return Tally::command;
  const std::string_view verb = words.front();
  return verb == "PUBLISH" || verb == "SPUBLISH" || verb == "XADD" ? Tally::publish : Tally::command;
}

// Servers say some of it, and channels are named by clients: a line of a log, whatever it is.
std::string one_line(std::string_view what) {
  std::string text(what.substr(0, kLongestTold));
  std::ranges::replace_if(
      text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  return text;
}

}  // namespace

// --- what stands behind it ---

Redis::Impl::Impl(Redis& its_self, net::Loop& loop, Settings settings)
    : self(&its_self),
      context(std::make_shared<Context>(loop, std::move(settings))),
      channels(loop, *this, context->settings.last_retry_ms) {}

Redis::Impl::~Impl() = default;

std::shared_ptr<Link> Redis::Impl::make_link(Link::Owner& owner, Link::Use use) {
  const Settings& settings = context->settings;
  Greeting greeting{settings.user, settings.password, settings.db, settings.tls.on,
                    settings.kind == Kind::sentinel};
  return std::make_shared<Link>(context, owner, use, std::move(greeting));
}

Node& Redis::Impl::add_node(const Endpoint& at) {
  auto node = std::make_unique<Node>();
  node->at = at;
  node->commands = make_link(*this, Link::Use::commands);
  return *nodes.emplace_back(std::move(node));
}

void Redis::Impl::begin() {
  const Settings& settings = context->settings;
  if (settings.kind == Kind::cluster) return watch_cluster();
  Node& node = add_node(settings.endpoints.empty() ? Endpoint{} : settings.endpoints.front());
  node.subscriptions = make_link(*this, Link::Use::subscriptions);
  if (settings.kind == Kind::sentinel) watch_master();
}

void Redis::Impl::start() {
  if (std::exchange(started, true)) return;
  if (scout) scout->start();
  for (const auto& node : nodes) {
    node->commands->wake();
    if (node->subscriptions) node->subscriptions->wake();
  }
  for (const auto& weak : dedicated) {
    if (const auto each = weak.lock()) each->link->wake();
  }
}

void Redis::Impl::close() {
  self = nullptr;
  channels.close();
  if (scout) scout->end();
  const Nodes ended = std::exchange(nodes, {});
  if (cluster) cluster->close();
  for (const auto& weak : std::exchange(dedicated, {})) {
    if (const auto each = weak.lock()) each->link->end();
  }
  for (const auto& node : ended) {
    node->commands->end();
    if (node->subscriptions) node->subscriptions->end();
  }
}

bool Redis::Impl::all_up() const {
  if (nodes.empty()) return false;
  return std::ranges::all_of(nodes, [this](const auto& node) {
    const Link* heard = node->subscriptions.get();
    // In a cluster one more is made when a channel wants it: that is no loss.
    return node->commands->up() && (heard == nullptr || heard->up() || (cluster && heard->untried()));
  });
}

Link* Redis::Impl::keyless() {
  if (nodes.empty()) return nullptr;
  return (cluster ? cluster->home() : *nodes.front()).commands.get();
}

void Redis::Impl::command(Words words, Asked asked, std::string_view key) {
  if (cluster && !key.empty()) {
    std::string bytes;
    bytes.reserve(command_size(words));
    append_command(bytes, words);
    return send_by_key(std::move(bytes), std::move(asked), key);
  }
  Link* const link = keyless();
  if (link == nullptr) return refuse(asked, kNoLink);
  link->send(words, std::move(asked));
}

void Redis::Impl::command_encoded(std::string bytes, Asked asked, std::string_view key) {
  if (cluster && !key.empty()) return send_by_key(std::move(bytes), std::move(asked), key);
  Link* const link = keyless();
  if (link == nullptr) return refuse(asked, kNoLink);
  link->send_encoded(bytes, std::move(asked));
}

void Redis::Impl::send_by_key(std::string bytes, Asked asked, std::string_view key) {
  if (nodes.empty()) return refuse(asked, kNoLink);
  if (Node* const to = cluster->owner(slot_of(key))) {
    return cluster->send(std::move(bytes), std::move(asked), *to);
  }
  scout->ask();
  refuse(asked, "no master is known for this key");
}

void Redis::Impl::refuse(Asked& asked, std::string_view why) {
  context->asked(asked.tally);
  context->answered(asked.tally, false);
  if (asked.done) asked.done({why, false, Reply()});
}

void Redis::Impl::ask_all(Words words, const Done& each, const std::function<void()>& done) {
  std::vector<std::shared_ptr<Link>> links;
  for (const auto& node : nodes) links.push_back(node->commands);
  if (links.empty()) return done();
  const auto left = std::make_shared<std::size_t>(links.size());
  for (const auto& link : links) {
    link->send(words, {.done =
                           [left, each, done](const Result& result) {
                             each(result);
                             if (--*left == 0) done();
                           },
                       .tally = Tally::command});
  }
}

// --- news of links ---

std::optional<Endpoint> Redis::Impl::target_of(std::uint16_t slot) {
  if (context->settings.kind == Kind::sentinel) return master;
  if (cluster) {
    const Node* owner = cluster->owner(slot);
    return owner != nullptr ? std::optional(owner->at) : std::nullopt;
  }
  return nodes.empty() ? std::nullopt : std::optional(nodes.front()->at);
}

std::optional<Endpoint> Redis::Impl::link_target(const Link& link) {
  if (!cluster) return target_of(0);
  for (const auto& node : nodes) {
    if (node->commands.get() == &link || node->subscriptions.get() == &link) return node->at;
  }
  return std::nullopt;
}

void Redis::Impl::on_link_up(Link& link) {
  const auto pin = shared_from_this();
  if (std::ranges::any_of(nodes, [&](const auto& node) { return node->subscriptions.get() == &link; }))
    channels.place_all();
  check_up();
}

void Redis::Impl::on_link_lost(Link& link, bool link_was_up, std::string_view why) {
  const auto pin = shared_from_this();
  const Endpoint endpoint = link.endpoint();
  const bool silent = link.dead_silent();
  const std::string what =
      std::string(link_was_up ? "lost " : "cannot connect to ") + shown(endpoint) + ": " + std::string(why);
  if (link_was_up && was_up) {
    tell(true, what + "; trying again");
  } else if (!link_was_up) {
    tell_once(what + "; trying again");
  }
  if (link_was_up) channels.link_lost(link);
  check_up();
  if (link_was_up && silent) drop_all_of(endpoint, "another connection to it is dead");
  if (self == nullptr || !scout) return;
  if (link_was_up) {
    scout->ask();
  } else {
    scout->doubt();
  }
  if (cluster) channels.place_all();  // what has no slot is heard from any that is up
}

// What a failover leaves behind: the server is there, but not the one that we want.
void Redis::Impl::on_link_error(Link& link, std::string_view error) {
  if (error.starts_with("MOVED ") || error.starts_with("CLUSTERDOWN")) {
    if (cluster && error.starts_with("CLUSTERDOWN")) return scout->doubt();
    if (cluster) return on_moved(link, error);
    return tell_once(shown(link.endpoint()) + " is a node of a Redis Cluster: give redis+cluster://");
  }
  // These stay until somebody who reads a log does something.
  if (error.starts_with("NOPERM") || error.starts_with("OOM") || error.starts_with("MISCONF"))
    return tell_once(shown(link.endpoint()) + " refuses commands: " + std::string(error));
  const bool demoted = error.starts_with("READONLY") || error.starts_with("UNBLOCKED");
  if (!demoted && !error.starts_with("NOAUTH")) return;
  const auto pin = shared_from_this();
  drop_all_of(link.endpoint(),
              demoted ? "it is no master any more" : "it wants to be told the password again");
}

void Redis::Impl::drop_all_of(const Endpoint& endpoint, std::string_view why) {
  std::vector<std::shared_ptr<Link>> links;
  for (const auto& node : nodes) {
    links.push_back(node->commands);
    if (node->subscriptions) links.push_back(node->subscriptions);
  }
  for (const auto& weak : dedicated) {
    if (const auto each = weak.lock()) links.push_back(each->link);
  }
  for (const auto& link : links) {
    if (link->up() && link->endpoint() == endpoint) link->drop(why);
  }
}

void Redis::Impl::on_link_message(Link& link, Subscribed kind, std::string_view name,
                                  std::string_view channel, std::string_view payload) {
  const auto pin = shared_from_this();
  channels.message(link, kind, name, channel, payload);
}

void Redis::Impl::on_link_sunsubscribed(Link& link, std::string_view channel) {
  const auto pin = shared_from_this();
  if (channels.sunsubscribed(link, channel) && cluster) scout->ask();
}

Link* Redis::Impl::link_of(Subscribed kind, std::string_view channel) {
  if (nodes.empty()) return nullptr;
  if (!cluster) return nodes.front()->subscriptions.get();
  Node* node = kind == Subscribed::shard ? cluster->owner(slot_of(channel)) : &cluster->home();
  if (node == nullptr) return nullptr;
  if (!node->subscriptions) {
    node->subscriptions = make_link(*this, Link::Use::subscriptions);
    node->subscriptions->wake();
  }
  return node->subscriptions.get();
}

void Redis::Impl::on_subscribe_refused(Subscribed, std::string_view channel, std::string_view error) {
  if (cluster && error.starts_with("MOVED ")) return;  // the scout is asking
  tell_once("cannot subscribe to " + std::string(channel) + ": " + std::string(error) + "; trying again");
}

// --- telling ---

void Redis::Impl::check_up() {
  const bool up = all_up();
  if (self == nullptr || up == was_up) return;
  was_up = up;
  const auto pin = shared_from_this();
  if (up) {
    told.clear();
    tell(false, "connected to " + where());
  }
  if (self == nullptr) return;
  if (const auto on_link = self->on_link) on_link(up);
}

void Redis::Impl::tell(bool bad, std::string_view what) {
  if (self == nullptr) return;
  if (const auto on_event = self->on_event) on_event(bad, one_line(what));
}

void Redis::Impl::tell_once(std::string_view what) {
  const std::string line = one_line(what);
  if (std::ranges::find(told, line) != told.end() || told.size() >= kMostTold) return;
  told.push_back(line);
  tell(true, line);
}

// --- the interface ---

Redis::Redis(net::Loop& loop, Settings settings)
    : impl_(std::make_shared<Impl>(*this, loop, std::move(settings))) {
  impl_->begin();
}

Redis::~Redis() {
  impl_->close();
}

void Redis::start() {
  impl_->start();
}

bool Redis::up() const {
  return impl_->all_up();
}

void Redis::command(Words words, Done done, std::string_view key) {
  impl_->command(words, {.done = std::move(done), .tally = tally_of(words)}, key);
}

// Each link answers in order.
void Redis::when_answered(std::function<void()> done) {
  const std::string_view words[] = {"PING"};
  impl_->ask_all(
      words, [](const Result&) {}, done);
}

void Redis::transaction(std::initializer_list<std::initializer_list<std::string_view>> commands, Done done,
                        std::string_view key) {
  const std::string_view multi[] = {"MULTI"}, exec[] = {"EXEC"};
  std::string bytes;
  append_command(bytes, multi);
  for (const auto& each : commands) append_command(bytes, Words(each.begin(), each.size()));
  append_command(bytes, exec);
  const auto before = static_cast<std::uint16_t>(commands.size() + 1);
  impl_->command_encoded(std::move(bytes),
                         {.done = std::move(done), .tally = Tally::command, .before = before}, key);
}

void Redis::publish(std::string_view channel, std::string_view payload, Done done) {
  const std::string_view words[] = {"PUBLISH", channel, payload};
  impl_->command(words, {.done = std::move(done), .tally = Tally::publish}, {});
}

void Redis::shard_publish(std::string_view channel, std::string_view payload, Done done) {
  const std::string_view words[] = {"SPUBLISH", channel, payload};
  impl_->command(words, {.done = std::move(done), .tally = Tally::publish}, channel);
}

void Redis::count_subscribers(Subscribed kind, std::string_view channel,
                              std::function<void(std::optional<std::size_t>)> done) {
  struct Count {
    std::size_t sum = 0;
    bool failed = false;
  };
  const auto count = std::make_shared<Count>();
  count->failed = impl_->nodes.empty();
  const std::string_view words[] = {"PUBSUB", kind == Subscribed::shard ? "SHARDNUMSUB" : "NUMSUB", channel};
  const auto add = [count](const Result& result) {
    const auto number = result.reply[1].integer();
    if (result.ok() && number && *number >= 0) {
      count->sum += static_cast<std::size_t>(*number);
    } else {
      count->failed = true;
    }
  };
  impl_->ask_all(words, add, [count, done = std::move(done)] {
    done(count->failed ? std::nullopt : std::optional(count->sum));
  });
}

Subscription Redis::subscribe(Subscribed kind, std::string_view channel, Listener& listener) {
  return Subscription(impl_->channels.add(kind, channel, listener));
}

std::unique_ptr<Dedicated> Redis::dedicate(std::string_view key) {
  auto behind = std::make_shared<Dedicated::Impl>();
  behind->slot = slot_of(key);
  behind->redis = impl_;
  behind->link = impl_->make_link(*behind, Link::Use::commands);
  std::erase_if(impl_->dedicated, [](const auto& each) { return each.expired(); });
  impl_->dedicated.push_back(behind);
  if (impl_->started) behind->link->wake();
  return std::unique_ptr<Dedicated>(new Dedicated(std::move(behind)));
}

Totals Redis::totals() const {
  return impl_->context->totals;
}

const Settings& Redis::settings() const {
  return impl_->context->settings;
}

}  // namespace limpet::redis
