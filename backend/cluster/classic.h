// Classic: one namespace of this node in a cluster of @socket.io/redis-adapter (createAdapter).
//
// A broadcast is published, then delivered here at once. What is asked of other nodes is asked on a request
// channel that all of them hear, and answered on one that all hear, or the asker alone; how many answers
// are due is the number of subscribers that Redis counts there. Joining, leaving and disconnecting many
// sockets happens on every node when the message arrives, on the one that has said it too: so all do it in
// the same order. Owned by its namespace, on its loop's thread; Redis outlives it.
//
// Without Redis this node is alone: broadcasts reach its own sockets, what is asked is answered with what is
// here and an error, and nothing is kept to be said later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/classic_wire.h"
#include "backend/cluster/cluster.h"
#include "backend/cluster/requests.h"
#include "backend/codec/msgpack.h"
#include "backend/names/random_text.h"
#include "backend/redis/redis.h"

namespace limpet::cluster {

class Classic final : public adapter::Adapter {
 public:
  using Target = adapter::Target;
  using Args = adapter::Args;

  Classic(adapter::Host& host, redis::Redis& redis, const ClassicSettings& settings, Tally tally);
  ~Classic() override;

  void broadcast(const adapter::Event& event, const Target& target) override;
  void broadcast_with_ack(const adapter::Event& event, const Target& target,
                          std::function<void(std::size_t)> on_clients,
                          std::function<void(const Args&)> on_ack) override;
  void server_count(std::function<void(std::size_t)> done) override;
  void fetch_sockets(const Target& target, Requests::Fetched done) override;
  void join(const Target& target, const std::vector<std::string>& rooms) override;
  void leave(const Target& target, const std::vector<std::string>& rooms) override;
  void disconnect(const Target& target, bool close) override;
  void server_side_emit(std::string_view name, const Args& args, Requests::Answered done) override;

  // What Redis brings: its subscriptions call these, and nobody else but tests.
  void on_broadcast(std::string_view channel, std::string_view body);
  void on_request(std::string_view channel, std::string_view body);
  void on_answer(std::string_view channel, std::string_view body);
  const std::string& uid() const { return uid_; }
  bool listening() const;  // Redis has confirmed all its channels, and has not been lost since

 private:
  using Type = classic_wire::Type;
  using OnCount = std::function<void(std::optional<std::size_t> nodes)>;

  // What is heard on one channel.
  class Ear final : public redis::Listener {
   public:
    using Heard = void (Classic::*)(std::string_view channel, std::string_view body);
    Ear(Classic& owner, Heard heard) : owner_(owner), heard_(heard) {}
    void on_message(std::string_view channel, std::string_view body) override;
    void on_subscribed() override { open_ = true; }
    void on_gap() override;
    bool open() const { return open_; }

   private:
    Classic& owner_;
    Heard heard_;
    bool open_ = false;
  };

  // What this node asks (classic_asking.cpp)
  void when_counted(const std::string& id, std::string request);
  bool hear(classic_wire::Answer& answer);  // false: it cannot be used
  void count(OnCount then);

  // To all nodes: this one does it when it hears itself.
  struct Told {
    std::uint64_t number;
    std::string body;
    classic_wire::Request request;
  };
  void tell(const std::string& body, classic_wire::Request request);
  void on_not_told(std::uint64_t number);
  bool is_own_echo(std::string_view body);
  void do_what_was_told(std::size_t count);
  void carry_out(const classic_wire::Request& request);  // which has a target

  // What other nodes ask (classic_answering.cpp)
  void obey(const classic_wire::Request& request);
  void answer_sockets(const classic_wire::Request& request);
  void answer_rooms(const classic_wire::Request& request);
  void answer_fetch(const classic_wire::Request& request);
  void answer_emit(const classic_wire::Request& request);
  void answer_broadcast(const classic_wire::Request& request);
  void answer(std::string_view uid, std::string_view body);
  bool knows(std::string_view room) const;

  std::string draw_id();
  void on_gap();
  void drop();  // something that could not be used

  adapter::Host& host_;
  redis::Redis& redis_;
  ClassicSettings settings_;
  Tally tally_;
  names::RandomText random_;
  std::string uid_;
  classic_wire::Channels channels_;
  std::string own_beginning_;      // of broadcasts
  codec::msgpack::Writer writer_;  // for one body at a time
  Requests asked_;
  std::unordered_map<std::uint64_t, OnCount> counting_;
  std::deque<Told> told_;
  std::uint64_t next_number_ = 0;   // of what is counted and told
  std::shared_ptr<Classic*> self_;  // null once this is no more: for what is called later
  Ear broadcasts_, requests_, answers_, own_answers_;
  redis::Subscription subscriptions_[4];  // last: nothing is heard by what is half gone
};

}  // namespace limpet::cluster
