// Modes of connections: the wait for the target, upgrade and tls-handshake (one after the other), storm (all
// at once).
#include <stdexcept>

#include "tests/bench/load/json.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/sockets_mode.h"

namespace limpet::bench {
namespace {

std::string_view path_of(const Load& load) {
  return load.options().path.empty() ? std::string_view("/idle") : load.options().path;
}

// Asks again and again until there is an answer.
class Probe : public Handler {
 public:
  explicit Probe(Load& load)
      : load_(load),
        request_(load.upgrade_request(load.options().path.empty() ? "/echo" : load.options().path), 0),
        client_(load, *this, 0) {}

  void run() {
    const std::int64_t until = now_ns() + static_cast<std::int64_t>(load_.options().wait_ready * 1e9);
    while (!ready_) {
      if (now_ns() >= until) throw std::runtime_error("the target does not answer: " + why_);
      over_ = !client_.connect(request_);
      if (over_) why_ = client_.why();
      load_.loop(
          *this, [this] { return over_; }, std::min(until, now_ns() + kSecond));
      client_.close();
      if (!ready_) load_.loop_for(*this, 0.01);
    }
  }

  void on_head(Client&) override { ready_ = over_ = true; }
  void on_bytes(Client&, std::span<char>) override {}
  void on_end(Client&, std::string_view why) override {
    why_ = why;
    over_ = true;
  }

 private:
  Load& load_;
  const Pattern request_;
  Client client_;
  std::string why_ = "no answer within a second";
  bool over_ = false, ready_ = false;
};

// K connections at once, each: connect, upgrade, 101, FIN, the other side's end, and again. The unit is the
// whole of it, what the proxy does to end a tunnel included; the latency is up to the 101.
class Upgrade : public Handler {
 public:
  explicit Upgrade(Load& load) : load_(load), request_(load.upgrade_request(path_of(load)), 0) {
    for (std::uint32_t i = 0; i < load.options().in_flight; ++i) {
      clients_.push_back(std::make_unique<Client>(load, *this, i));
    }
  }

  void run() {
    for (const auto& each : clients_) connect(*each);
    load_.window(*this);
    load_.note("resets", json(static_cast<double>(resets_)));
    if (load_.tls() != nullptr) load_.note("resumed", json(static_cast<double>(resumed_)));
  }

  void on_head(Client& client) override {
    if (!client.upgraded()) return client.fail("not upgraded");
    if (load_.measuring()) load_.latency(now_ns() - client.started);
    if (client.resumed()) ++resumed_;
    client.finish();
  }

  void on_bytes(Client& client, std::span<char>) override { client.fail("bytes on a silent socket"); }

  // A reset after our FIN is a proxy's right, so it is counted apart.
  void on_end(Client& client, std::string_view why) override {
    if (!client.upgraded()) {
      load_.error(why);
    } else {
      load_.unit();
      if (!why.empty()) ++resets_;
    }
    connect(client);
  }

 private:
  void connect(Client& client) {
    if (!client.connect(request_)) load_.error(client.why());
  }

  Load& load_;
  const Pattern request_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t resets_ = 0, resumed_ = 0;
};

class Storm : public SocketsMode {
 public:
  explicit Storm(Load& load) : SocketsMode(load, load.upgrade_request(path_of(load))) {}

  void run() {
    load_.begin_window();
    open_all(load_.options().sockets);
    load_.end_window();
    load_.note("failed", json(load_.options().sockets - opened()));
    close_all(load_.options().tunnels_done_check);
  }

  void on_head(Client& client) override {
    SocketsMode::on_head(client);
    if (!client.ready) return;
    load_.unit();
    load_.latency(now_ns() - client.started);
  }

  void on_bytes(Client& client, std::span<char>) override { client.fail("bytes on a silent socket"); }
};

}  // namespace

void wait_until_ready(Load& load) {
  Probe(load).run();
}
void run_upgrade(Load& load) {
  Upgrade(load).run();
}
void run_storm(Load& load) {
  Storm(load).run();
}

}  // namespace limpet::bench
