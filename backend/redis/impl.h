// What stands behind Redis: the servers, their links, and what is heard on them.
//
// Held by a shared_ptr, so that a callback may destroy Redis: close() ends every link, the memory goes when
// the stack has unwound. One server and the master of a Sentinel are one Node for good; a cluster's come and
// go.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/redis/channels.h"
#include "backend/redis/cluster.h"
#include "backend/redis/link.h"
#include "backend/redis/scout.h"

namespace limpet::redis {

struct Dedicated::Impl final : Link::Owner {
  std::weak_ptr<Redis::Impl> redis;
  Dedicated* self = nullptr;  // null once that is gone
  std::uint16_t slot = 0;     // of a cluster
  std::shared_ptr<Link> link;

  std::optional<Endpoint> link_target(const Link& link) override;
  void on_link_up(Link& link) override;
  void on_link_lost(Link& link, bool was_up, std::string_view why) override;
  void on_link_error(Link& link, std::string_view error) override;
};

struct Redis::Impl final : Link::Owner, Channels::Carrier, std::enable_shared_from_this<Redis::Impl> {
  Impl(Redis& its_self, net::Loop& loop, Settings settings);
  ~Impl();

  void begin();  // once there is a shared_ptr
  void close();
  void start();
  bool all_up() const;

  void command(Words words, Asked asked, std::string_view key);
  void command_encoded(std::string bytes, Asked asked, std::string_view key);
  Link* keyless();  // where commands without a key go, and all of one server; null: nowhere
  void send_by_key(std::string bytes, Asked asked, std::string_view key);
  void refuse(Asked& asked, std::string_view why);
  // Each server; `done` after the last answer.
  void ask_all(Words words, const Done& each, const std::function<void()>& done);

  // Of links.
  std::optional<Endpoint> link_target(const Link& link) override;
  void on_link_up(Link& link) override;
  void on_link_lost(Link& link, bool was_up, std::string_view why) override;
  void on_link_error(Link& link, std::string_view error) override;
  void on_link_message(Link& link, Subscribed kind, std::string_view name, std::string_view channel,
                       std::string_view payload) override;
  void on_link_sunsubscribed(Link& link, std::string_view channel) override;
  // Of channels.
  Link* link_of(Subscribed kind, std::string_view channel) override;
  void on_subscribe_refused(Subscribed kind, std::string_view channel, std::string_view error) override;

  std::optional<Endpoint> target_of(std::uint16_t slot);
  Node& add_node(const Endpoint& at);
  void watch_master();
  bool read_master(const Reply& reply);
  void watch_cluster();
  bool read_cluster(const Reply& reply, const Endpoint& from);
  void on_moved(const Link& link, std::string_view error);
  void follow_targets();  // links that are elsewhere now than they should be
  std::string where() const;
  std::shared_ptr<Link> make_link(Link::Owner& owner, Link::Use use);
  void drop_all_of(const Endpoint& endpoint, std::string_view why);
  void check_up();
  void tell(bool bad, std::string_view what);  // cut and cleaned, as all that is told
  void tell_once(std::string_view what);       // a trouble, until the link is up again

  Redis* self;  // null once that is gone
  const std::shared_ptr<Context> context;
  Channels channels;
  Nodes nodes;
  std::shared_ptr<Cluster> cluster;  // of a cluster
  std::shared_ptr<Scout> scout;      // of sentinels, or of a cluster
  std::optional<Endpoint> master;    // as a sentinel has named it last
  std::vector<std::weak_ptr<Dedicated::Impl>> dedicated;
  bool started = false;
  bool was_up = false;            // as told
  std::vector<std::string> told;  // troubles since then
};

}  // namespace limpet::redis
