// LiveSessions: sessions that were saved while their sockets live, of one namespace: their keys must not
// expire before their sockets go.
//
// Owned by a streams adapter that saves early, on the loop's thread. Each key's expiry is put off when half
// of it has passed; keys that are due within one tick of the timer go out together. Who has come beyond the
// bound is saved when it goes, and not before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/names/hash.h"
#include "proxy/net/loop.h"

namespace limpet::cluster {

class LiveSessions {
 public:
  static constexpr std::size_t kMost = 50'000;

  // Puts off the expiry of one key.
  using Renew = std::function<void(const std::string& pid, const std::string& sid)>;
  LiveSessions(net::Loop& loop, std::uint64_t expiry_ms, Renew renew);

  bool keep(const std::string& pid, const std::string& sid);  // it has just been saved. False: too many
  void drop(std::string_view pid);                            // its socket has gone
  std::size_t size() const { return table_.size(); }

 private:
  struct Kept {
    std::string pid, sid;
    std::uint64_t due_ms;
  };
  void on_tick();

  const std::uint64_t period_ms_, tick_ms_;
  const Renew renew_;
  std::list<Kept> line_;  // who is due first stands first
  std::unordered_map<std::string_view, std::list<Kept>::iterator, names::Hash> table_;  // by pid, the line's
  net::Timer timer_;
};

}  // namespace limpet::cluster
