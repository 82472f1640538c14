// Memory: the adapter of a node that is alone. With recovery it keeps what was broadcast lately, and the
// sessions of clients that have gone, for those who come back; the packets for as long as the memory budget
// has room for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/adapter/yeast.h"
#include "backend/budget/reserve.h"
#include "backend/budget/share.h"
#include "proxy/net/loop.h"

namespace limpet::adapter {

class Memory final : public Adapter, private budget::Reserve {
 public:
  struct Settings {
    bool recovery = false;
    std::uint64_t max_disconnection_ms = 120'000;
    // Of what is kept, the oldest goes first.
    std::size_t max_packets = 100'000;
    std::size_t max_bytes = 64 * 1024 * 1024;
    std::size_t max_sessions = 50'000;
    std::size_t max_session_bytes = 64 * 1024 * 1024;
  };
  Memory(Host& host, const Settings& settings);

  void broadcast(const Event& event, const Target& target) override;
  void broadcast_with_ack(const Event& event, const Target& target,
                          std::function<void(std::size_t)> on_clients,
                          std::function<void(const Args&)> on_ack) override;
  void server_count(std::function<void(std::size_t)> done) override { done(1); }
  void fetch_sockets(const Target& target,
                     std::function<void(std::string_view error, std::vector<RemoteSocket>)> done) override;
  void join(const Target& target, const std::vector<std::string>& rooms) override {
    host_.join(target, rooms);
  }
  void leave(const Target& target, const std::vector<std::string>& rooms) override {
    host_.leave(target, rooms);
  }
  void disconnect(const Target& target, bool close) override { host_.disconnect(target, close); }
  void server_side_emit(std::string_view name, const Args& args,
                        std::function<void(std::string_view error, const Args& answers)> done) override;

  bool appends_offsets() const override { return settings_.recovery; }
  void persist(Session session) override;
  void restore(std::string_view pid, std::string_view offset,
               std::function<void(std::optional<Restored>)> done) override;

 private:
  struct Kept {
    Yeast::Stamp offset;
    std::uint64_t time_ms;
    Encoded packet;
    Target target;
    std::size_t bytes;
  };
  struct Away {
    Session session;
    std::uint64_t since_ms = 0;
    std::size_t bytes = 0;
  };

  // budget::Reserve: the packets that are kept
  std::size_t held() const override { return kept_bytes_; }
  std::size_t let_go(std::size_t bytes) override;

  void keep(const Encoded& packet, const Target& target, const Yeast::Stamp& offset);
  void forget_oldest_packet();
  void forget_oldest_session();
  void forget_old();
  std::deque<Kept>::const_iterator find(std::string_view offset) const;

  Host& host_;
  Settings settings_;
  Yeast yeast_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  budget::Share kept_beside_;  // of kept_bytes_, what is not the messages', which count themselves
  std::unordered_map<std::string, Away> away_;  // by pid
  std::size_t away_bytes_ = 0;
  std::deque<std::pair<std::uint64_t, std::string>>
      away_since_;  // when, pid; those that came and went again stand twice
  net::Timer sweep_;
};

}  // namespace limpet::adapter
