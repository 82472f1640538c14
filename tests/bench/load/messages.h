// Messages: WebSockets on which messages of one kind go out and come back.
#pragma once

#include "tests/bench/load/sockets_mode.h"

namespace limpet::bench {

class Messages : public SocketsMode {
 public:
  explicit Messages(Load& load);
  void on_bytes(Client& client, std::span<char> bytes) override;
  void on_end(Client& client, std::string_view why) override;

 protected:
  void send(Client& client, std::uint32_t count = 1);
  virtual void on_message(Client& client) = 0;  // client.received counts it already
  virtual void after_batch(Client&) {}          // what was read at once is done
  std::uint64_t in_flight() const { return in_flight_; }

 private:
  const std::uint64_t size_;
  const Pattern message_;
  std::uint64_t in_flight_ = 0;  // of all sockets
};

}  // namespace limpet::bench
