// Family: what the sharded and the streams adapter have in common, which is what Node.js's ClusterAdapter is
// to its own two: questions to all nodes, their answers, and what others say turned into deeds of this node.
//
// One a namespace, owned by it, on the loop's thread. It subscribes to two channels: `PREFIX#NSP#` of all,
// and `PREFIX#NSP#UID#`, on which answers to this node come. There are as many nodes as Redis counts
// subscribers of the first. What it does not know: how a broadcast travels, and when this node's own sockets
// hear it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/cluster.h"
#include "backend/cluster/family_wire.h"
#include "backend/cluster/requests.h"
#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"
#include "backend/names/random_text.h"
#include "backend/redis/redis.h"

namespace limpet::cluster {

class Family : public adapter::Adapter, private redis::Listener {
 public:
  struct Settings {
    std::string prefix;
    bool sharded = false;       // SPUBLISH and SSUBSCRIBE
    bool prefers_text = false;  // bodies are JSON unless there are bytes in them
    std::uint64_t requests_timeout_ms = 5'000;
  };
  Family(adapter::Host& host, redis::Redis& redis, Settings settings, Tally tally);
  ~Family() override;

  void broadcast_with_ack(const adapter::Event& event, const adapter::Target& target,
                          std::function<void(std::size_t)> on_clients,
                          std::function<void(const codec::Args&)> on_ack) override;
  void server_count(std::function<void(std::size_t)> done) override;
  void fetch_sockets(const adapter::Target& target, Requests::Fetched done) override;
  void server_side_emit(std::string_view name, const codec::Args& args, Requests::Answered done) override;

 protected:
  // Publishes on a channel; failures are counted by Redis.
  void say(std::string_view channel, const family::Outgoing& what);
  // What another node says. `offset`: what its receivers remember it by.
  void on_said(family::Incoming said, std::optional<std::string_view> offset);
  virtual void on_superseded(std::string_view /*sid*/, std::string_view /*pid*/) {}
  virtual void on_nodes(std::size_t /*count*/) {}  // has been counted, of the namespace "/" every 10 s

  void on_message(std::string_view channel, std::string_view payload) override;
  redis::Subscription listen(std::string_view channel);
  std::string channel_of(std::string_view uid_or_room) const;  // PREFIX#NSP#THAT#
  redis::Subscribed kind() const;
  std::string draw_id();  // 16 digits: its uid, or the id of a question
  // For callbacks that may outlive it: expired once it is gone.
  std::weak_ptr<Family*> handle() { return self_; }

  adapter::Host& host_;
  redis::Redis& redis_;
  const Settings settings_;
  const Tally tally_;
  names::RandomText random_;
  const std::string uid_;
  const std::string channel_;  // PREFIX#NSP#

 private:
  // The channel of all, on which nodes are counted. What is heard is the owner's.
  class Everyone final : public redis::Listener {
   public:
    explicit Everyone(Family& owner) : owner_(owner) {}
    bool counts_us() const { return counts_us_; }
    void on_message(std::string_view channel, std::string_view payload) override {
      owner_.on_message(channel, payload);
    }
    void on_subscribed() override {
      counts_us_ = true;
      owner_.on_subscribed();
    }
    void on_gap() override {
      counts_us_ = false;
      owner_.on_gap();
    }

   private:
    Family& owner_;
    bool counts_us_ = false;
  };

  void on_subscribed() override { listening_ = true; }
  void on_gap() override;
  std::string_view body_of(const family::Outgoing& what);
  void publish(std::string_view channel, std::string_view body, redis::Done done = {});
  void ask(const std::string& id, const family::Outgoing& what);
  void count_others(std::function<void(Family&, std::optional<std::size_t>)> done);
  void look_around();
  void act(family::Incoming& said, std::optional<std::string_view> offset);
  bool on_broadcast(family::Incoming& said, std::optional<std::string_view> offset);
  bool on_broadcast_with_ack(const std::string& uid, const std::string& request, const Said& event,
                             const adapter::Target& target);
  bool on_rooms(const family::Incoming& said);
  bool on_fetch(const family::Incoming& said);
  bool on_server_event(family::Incoming& said);
  bool on_answer(family::Incoming& said);
  void answer(const std::string& uid, const family::Outgoing& what);

  const std::string own_channel_;
  std::shared_ptr<Family*> self_;
  Requests requests_;
  TextWriter text_;
  codec::msgpack::Writer binary_;
  std::unordered_map<std::uint64_t, std::function<void(std::size_t)>> counting_;  // who waits for a count
  std::uint64_t next_count_ = 0;
  bool listening_ = false;  // to any channel since the last gap
  net::Timer look_;
  Everyone everyone_;
  redis::Subscription of_everyone_, own_;  // last: nothing is heard by what is half gone
};

}  // namespace limpet::cluster
