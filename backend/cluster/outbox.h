// Outbox: what this node is to do itself once Redis has taken it: deliver a broadcast to its own sockets, let
// them join, leave or go. In the order in which it was said, whatever the order of Redis' answers.
//
// Owned by a streams adapter, on the loop's thread. What Redis has refused, or not answered when its link was
// lost, is done all the same, without an offset. Bounded: when too much waits, the oldest is not waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/adapter/adapter.h"

namespace limpet::cluster {

class Outbox {
 public:
  // A broadcast that is encoded once its offset is known.
  struct Pending {
    std::string name;
    bool name_is_number;
    codec::Args args;
  };
  struct Join {
    std::vector<std::string> rooms;
  };
  struct Leave {
    std::vector<std::string> rooms;
  };
  struct Disconnect {
    bool close;
  };
  using Deed = std::variant<adapter::Encoded, Pending, Join, Leave, Disconnect>;

  explicit Outbox(adapter::Host& host) : host_(host) {}
  Outbox(const Outbox&) = delete;

  // Returns its number.
  std::uint64_t add(adapter::Target target, Deed deed);
  // Redis' answer to it: its offset, or nothing.
  void settle(std::uint64_t number, std::optional<std::string_view> offset);
  // What waits for nothing but what was said before it.
  void add_settled(adapter::Target target, Deed deed);
  std::size_t size() const { return waiting_.size(); }

  static constexpr std::size_t kMost = 20'000;

 private:
  struct Entry {
    adapter::Target target;
    Deed deed;
    bool settled = false;
    std::string offset;
  };
  void flush();
  void perform(const Entry& entry);

  adapter::Host& host_;
  std::deque<Entry> waiting_;
  std::uint64_t first_ = 0;  // number of the first of them
  bool flushing_ = false;
};

}  // namespace limpet::cluster
