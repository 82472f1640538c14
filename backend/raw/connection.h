// Connection: one client of an Endpoint. Owned by it; ends itself when its socket does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "backend/raw/endpoint.h"
#include "backend/raw/topics.h"
#include "backend/ws/socket.h"
#include "proxy/net/loop.h"

namespace limpet::raw {

class Connection final : ws::Receiver {
 public:
  Connection(Endpoint::Impl& endpoint, http::Exchange::Upgraded from, const ws::Options& options);
  std::vector<Topics::Membership>& memberships() { return memberships_; }
  void close(std::uint16_t code, std::string_view reason) { socket_.close(code, reason); }
  void drop() { socket_.drop(ws::End::slow_consumer); }
  std::size_t holds() const { return socket_.holds(); }
  bool deliver(const ws::MessageRef& message);

  std::size_t place = 0;  // in the Endpoint

 private:
  void on_message(ws::Kind kind, std::string_view body) override;
  void on_end(const ws::Ending& ending) override;
  void on_ping() override { heard(); }
  void on_pong(std::string_view) override { heard(); }
  void heard();
  void on_quiet();

  void command(ws::Kind kind, std::string_view body);
  void publish(ws::Kind kind, std::string_view topic, std::string_view data);
  void answer(std::string_view word, std::string_view rest);

  Endpoint::Impl& endpoint_;
  ws::Socket socket_;
  std::vector<Topics::Membership> memberships_;
  net::Timer quiet_;
  std::uint64_t heard_ms_;
  bool pinged_ = false;  // and not heard since
};

}  // namespace limpet::raw
