// The inside of Server. Included by http's .cpp files alone.
#pragma once

#include <array>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/http/connection.h"
#include "backend/http/room.h"
#include "backend/http/server.h"

namespace limpet::http {

struct Server::Impl final : budget::Spender {
  Impl(net::Loop& loop, const Limits& limits);
  ~Impl();

  void weigh(budget::Census& census) const override;
  void evict(budget::Eviction& eviction) override;

  Handler* handler_of(std::string_view target) const;
  void adopt(net::Fd fd, const net::Address& peer);
  bool make_room();  // false: nobody has been silent for long
  void drain();
  void bury(Connection& connection);  // destroys it
  std::string_view date();            // a whole field

  net::Loop& loop;
  const Limits limits;
  std::vector<std::pair<std::string, Handler*>> routes;  // longest first
  std::vector<std::unique_ptr<net::Acceptor>> acceptors;
  Connection* first = nullptr;
  std::size_t count = 0;
  // Who waits for a request, the first one, or another: the longest first.
  boost::intrusive::list<Connection> fresh, idle;
  std::function<std::size_t()> upgraded = [] { return std::size_t{0}; };
  std::size_t open = 0;    // exchanges
  std::size_t unsent = 0;  // bytes of answers, of all connections
  Totals totals;
  Rooms rooms;
  bool draining = false;
  std::string head;              // of the answer that is being written
  const std::string keep_alive;  // whole fields
  std::array<char, 64 * 1024> scratch;

 private:
  std::time_t date_of_ = -1;
  std::string date_;
};

}  // namespace limpet::http
