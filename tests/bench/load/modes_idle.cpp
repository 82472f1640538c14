// Modes of memory: what a connection that does nothing costs the proxy, and what is left of it afterwards.
#include "tests/bench/load/ledger.h"
#include "tests/bench/load/messages.h"
#include "tests/bench/load/modes.h"

namespace limpet::bench {
namespace {

constexpr std::uint32_t kBurst = 8;     // messages on every socket at once
constexpr std::uint32_t kAtOnce = 256;  // sockets, where it is not to be a burst

class IdleTunnels : public Messages {
 public:
  using Messages::Messages;

  void run() {
    measure_memory([this] { open_all(); }, [this](Ledger& ledger) { stages(ledger); });
  }

 private:
  void stages(Ledger& ledger) {
    idle_window();
    ledger.stage("after_101", opened());
    exchange(1, kAtOnce);
    load_.loop_for(*this, load_.options().seconds);
    ledger.stage("after_message", opened());
    exchange(kBurst, load_.options().sockets);
    load_.loop_for(*this, load_.options().seconds);
    ledger.stage("after_burst", opened());
  }

  // Sends so many messages on each socket, on some sockets at a time, until all are back.
  void exchange(std::uint32_t messages, std::uint32_t at_once) {
    messages_ = messages;
    next_ = 0;
    for (std::uint32_t i = 0; i < at_once; ++i) exchange_next();
    load_.loop(*this, [this] { return in_flight() == 0; });
  }

  void exchange_next() {
    while (next_ < clients().size()) {
      Client& client = *clients()[next_++];
      if (client.open()) return send(client, messages_);
    }
  }

  void on_message(Client& client) override {
    if (client.received == client.sent) exchange_next();
  }

  std::uint32_t messages_ = 0;
  std::size_t next_ = 0;
};

class IdleKeepalive : public SocketsMode {
 public:
  explicit IdleKeepalive(Load& load)
      : SocketsMode(load,
                    load.plain_request("GET", load.options().path.empty() ? "/" : load.options().path)) {}

  void run() {
    measure_memory([this] { open_all(); },
                   [this](Ledger& ledger) {
                     idle_window();
                     ledger.stage("after_get", opened());
                   });
  }

  void on_bytes(Client& client, std::span<char> bytes) override {
    if (bytes.size() > client.body_left) return client.fail("more bytes than announced");
    client.body_left -= bytes.size();
  }
};

}  // namespace

void run_idle(Load& load) {
  IdleTunnels(load).run();
}
void run_keepalive_idle(Load& load) {
  IdleKeepalive(load).run();
}

}  // namespace limpet::bench
