// Requests: what a namespace has asked the other nodes and still waits for. Owned by its adapter, on the
// loop's thread.
//
// A question is open from the call until as many nodes have answered as there are, or its time is up; whoever
// asked is called exactly once, at the latest when Requests are destroyed. Answers to nothing are nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/cluster.h"
#include "backend/codec/args.h"
#include "backend/names/hash.h"
#include "proxy/net/loop.h"

namespace limpet::cluster {

class Requests {
 public:
  using Fetched = std::function<void(std::string_view error, std::vector<adapter::RemoteSocket>)>;
  using Answered = std::function<void(std::string_view error, const codec::Args& answers)>;
  struct Asked {  // a broadcast with answers: the host counts them itself
    std::function<void(std::size_t)> on_clients;
    std::function<void(const codec::Args&)> on_ack;
  };

  // How they are called, and what is said of a fetch whose time is up (empty: as of the others).
  struct Manner {
    std::function<std::string()> draw_id;
    std::string_view fetch_timeout = {};
  };
  Requests(net::Loop& loop, Tally tally, Manner manner);
  ~Requests();
  void close();  // all that are open fail
  Requests(const Requests&) = delete;

  // Each returns the id. `found`: by this node itself.
  std::string fetch(std::uint64_t timeout_ms, Fetched done, std::vector<adapter::RemoteSocket> found = {});
  std::string emit(std::uint64_t timeout_ms, Answered done);
  std::string broadcast(std::uint64_t timeout_ms, Asked asked);

  // How many others there are. None: that was all.
  void expect(std::string_view id, std::size_t others);
  void fail(std::string_view id, std::string_view error);

  // False: it is no answer to what was asked, or one too many.
  bool on_sockets(std::string_view id, std::vector<adapter::RemoteSocket> sockets);
  bool on_answer(std::string_view id, const codec::Args& answer);
  bool on_clients(std::string_view id, std::size_t count);
  bool on_ack(std::string_view id, const codec::Args& answer);

  bool has(std::string_view id) const { return open_.contains(id); }
  std::size_t size() const { return open_.size(); }

 private:
  struct Open;
  using Table = std::unordered_map<std::string, std::unique_ptr<Open>, names::Hash, std::equal_to<>>;
  Open& add(std::uint64_t timeout_ms, std::string& id);
  Open* find(std::string_view id);
  void count(Open& open);  // one more node has answered
  void finish(Open& open, std::string_view error);

  net::Loop& loop_;
  Tally tally_;
  Manner manner_;
  Table open_;
};

}  // namespace limpet::cluster
