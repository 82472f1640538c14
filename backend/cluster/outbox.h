// Outbox: what this node is to do itself once Redis has taken it: deliver a broadcast to its own sockets, let
// them join, leave or go. In the order in which it was said, whatever the order of Redis' answers.
//
// Owned by a streams adapter, on the loop's thread. What Redis has refused, or not answered when its link was
// lost, is done all the same, without an offset. Bounded in number and in bytes: when too much waits, the
// oldest is not waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/parts.h"

namespace limpet::cluster {

class Outbox {
 public:
  struct Join {
    std::vector<std::string> rooms;
  };
  struct Leave {
    std::vector<std::string> rooms;
  };
  struct Disconnect {
    bool close;
  };
  struct Other {
    std::function<void()> deed;
  };
  // Said: a broadcast that is encoded once its offset is known.
  using Deed = std::variant<adapter::Encoded, Said, Join, Leave, Disconnect, Other>;

  explicit Outbox(adapter::Host& host) : host_(host) {}
  Outbox(const Outbox&) = delete;

  // Returns its number. `bytes`: about what it keeps. Does nothing yet: relieve() follows once it is written.
  std::uint64_t add(adapter::Target target, Deed deed, std::size_t bytes = 0);
  void relieve() { flush(); }  // of what is too much
  // Redis' answer to it: its offset, or nothing.
  void settle(std::uint64_t number, std::optional<std::string_view> offset);
  // What waits for nothing but what was said before it.
  void add_settled(adapter::Target target, Deed deed);
  std::size_t size() const { return waiting_.size(); }
  bool busy() const { return flushing_ || !waiting_.empty(); }  // something waits, or is being done

  static constexpr std::size_t kMost = 20'000;
  // All of it may be done in one turn: half of what a client may have queued.
  static constexpr std::size_t kMostBytes = 8 * 1024 * 1024;

 private:
  struct Entry {
    adapter::Target target;
    Deed deed;
    std::size_t bytes = 0;
    bool settled = false;
    std::string offset;
  };
  bool is_too_much() const { return waiting_.size() > kMost || (waiting_.size() > 1 && bytes_ > kMostBytes); }
  void flush();
  void perform(const Entry& entry);

  adapter::Host& host_;
  std::deque<Entry> waiting_;
  std::size_t bytes_ = 0;    // of all that wait
  std::uint64_t first_ = 0;  // number of the first of them
  bool flushing_ = false;
};

}  // namespace limpet::cluster
