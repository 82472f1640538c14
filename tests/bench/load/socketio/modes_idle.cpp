// Modes of Socket.IO clients that do nothing: io-idle (memory) and io-pings (CPU of the heartbeat).
#include "tests/bench/load/json.h"
#include "tests/bench/load/ledger.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/socketio/sessions.h"

namespace limpet::bench {
namespace {

constexpr std::uint32_t kAtOnce = 256;

// WebSockets in one namespace and one room.
class IdleSessions : public Sessions {
 public:
  explicit IdleSessions(Load& load)
      : Sessions(load), event_(echo_event(load.options().size)), ack_(echo_ack(load.options().size)) {}

  void run() {
    measure_memory(
        [this] {
          open_all(kAtOnce);
          join_all();
        },
        [this](Ledger& ledger) { stages(ledger); });
  }

 private:
  void stages(Ledger& ledger) {
    idle_window();
    ledger.stage("after_join", opened());
    for (std::uint32_t i = 0; i < kAtOnce; ++i) echo_next();
    load_.loop(
        *this, [this] { return acks_ == opened(); }, now_ns() + 10 * kSecond);
    load_.loop_for(*this, load_.options().seconds);
    ledger.stage("after_message", opened());
  }

  void echo_next() {
    while (next_ < clients().size()) {
      Client& client = *clients()[next_++];
      if (client.open()) return client.send(event_, 1);
    }
  }

  void on_packet(Client& client, std::string_view text) override {
    if (joined(text)) return;
    if (text != ack_) return client.fail("another packet: " + std::string(text.substr(0, 60)));
    ++acks_;
    echo_next();
  }

  const Pattern event_;
  const std::string ack_;
  std::uint32_t acks_ = 0;
  std::size_t next_ = 0;
};

// A unit is a ping and its pong: the server's interval has to be short.
class Pings : public Sessions {
 public:
  using Sessions::Sessions;

  void run() {
    open_all(kAtOnce);
    join_all();
    load_.window(*this);
    close_all(true);
  }

 private:
  void on_packet(Client& client, std::string_view text) override {
    if (!joined(text)) client.fail("a packet that was not expected");
  }
  void on_ping(Client&) override { load_.unit(); }
};

}  // namespace

void run_io_idle(Load& load) {
  IdleSessions(load).run();
}
void run_io_pings(Load& load) {
  Pings(load).run();
}

}  // namespace limpet::bench
