// Modes of messages on open WebSockets: echo (closed loop), paced (open loop) and push (the server's).
#include <cmath>
#include <cstring>

#include "tests/bench/load/json.h"
#include "tests/bench/load/messages.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/sent_times.h"

namespace limpet::bench {
namespace {

// K messages in flight on every socket: each that comes back sends the next.
class Echo : public Messages {
 public:
  explicit Echo(Load& load)
      : Messages(load), each_(load.options().in_flight), sent_at_(load.options().sockets, each_) {}

  void run() {
    open_all();
    for (const auto& client : clients()) {
      if (client->open()) send_more(*client, each_);
    }
    load_.window(*this);
    const bool check = load_.options().tunnels_done_check;
    stopping_ = true;
    if (check)
      load_.loop(
          *this, [this] { return in_flight() == 0; }, now_ns() + 10 * kSecond);
    close_all(check);
  }

 private:
  void send_more(Client& client, std::uint32_t count) {
    const std::int64_t now = now_ns();
    for (std::uint32_t i = 0; i < count; ++i) sent_at_.at(client, client.sent + i) = now;
    send(client, count);
  }

  void on_message(Client& client) override {
    load_.unit();
    ++back_;
    if (load_.measuring()) load_.latency(now_ns() - sent_at_.at(client, client.received - 1));
  }

  // All that came back at once goes out at once.
  void after_batch(Client& client) override {
    const std::uint32_t back = std::exchange(back_, 0);
    if (back > 0 && client.open() && !stopping_) send_more(client, back);
  }

  const std::uint32_t each_;
  std::uint32_t back_ = 0;  // of the batch
  SentTimes sent_at_;
  bool stopping_ = false;
};

// Message j is due at a fixed time, on socket j mod N, whatever became of those before it; a latency counts
// from then. So a stall is seen by every message that it held up.
class Paced : public Messages {
 public:
  using Messages::Messages;

  void run() {
    open_all();
    first_due_ = now_ns();
    load_.window(*this);
    stopping_ = true;
    load_.note("backlog", json(static_cast<double>(in_flight())));
    load_.loop(
        *this, [this] { return in_flight() == 0; }, now_ns() + 2 * kSecond);
    count_missing();
    close_all(load_.options().tunnels_done_check);
  }

  std::int64_t on_time(std::int64_t now) override {
    if (first_due_ == 0 || stopping_) return kNever;
    for (; due(next_) <= now; ++next_) {
      Client& client = *clients()[next_ % clients().size()];
      if (client.open()) send(client);
    }
    return due(next_);
  }

 private:
  std::int64_t due(std::uint64_t message) const {
    return first_due_ + std::llround(static_cast<double>(message) * 1e9 / load_.options().rate);
  }

  std::int64_t due(const Client& client, std::uint64_t message) {
    return due(message * clients().size() + client.index);
  }

  void on_message(Client& client) override {
    load_.unit();
    const std::int64_t was_due = due(client, client.received - 1);
    if (load_.window_began() != 0 && was_due >= load_.window_began()) load_.latency(now_ns() - was_due);
  }

  // Those that have not come by now have taken at least so long.
  void count_missing() {
    const std::int64_t now = now_ns();
    for (const auto& client : clients()) {
      for (std::uint64_t i = client->received; i < client->sent; ++i) load_.latency(now - due(*client, i));
    }
    load_.note("missing", json(static_cast<double>(in_flight())));
  }

  std::int64_t first_due_ = 0;
  std::uint64_t next_ = 0;
  bool stopping_ = false;
};

// The server sends, each frame with the time at which it was due.
class Push : public SocketsMode {
 public:
  explicit Push(Load& load)
      : SocketsMode(load,
                    load.upgrade_request("/push?rate=" + std::to_string(std::llround(load.options().rate)) +
                                         "&size=" + std::to_string(load.options().size))),
        stamps_(load.options().sockets) {}

  void run() {
    open_all();
    load_.window(*this);
    const double rounds = load_.options().rate * load_.options().seconds;
    load_.note("due", json(rounds * opened()));
    close_all(false);
  }

  void on_bytes(Client& client, std::span<char> bytes) override {
    Stamp& stamp = stamps_[client.index];
    FrameReader::Slice slice;
    while (client.frames.next(bytes, slice)) {
      if (slice.length != load_.options().size) return client.fail("a frame of another size");
      if (slice.first) stamp.have = 0;
      const std::size_t count = std::min(sizeof stamp.due - stamp.have, slice.payload.size());
      std::memcpy(reinterpret_cast<char*>(&stamp.due) + stamp.have, slice.payload.data(), count);
      stamp.have += count;
      if (!slice.last) continue;
      load_.unit();
      if (load_.measuring()) load_.latency(now_ns() - stamp.due);
    }
  }

 private:
  struct Stamp {
    std::int64_t due = 0;
    std::size_t have = 0;  // bytes of it
  };
  std::vector<Stamp> stamps_;  // of the frame that is being read, by socket
};

}  // namespace

void run_echo(Load& load) {
  Echo(load).run();
}
void run_paced(Load& load) {
  Paced(load).run();
}
void run_push(Load& load) {
  Push(load).run();
}

}  // namespace limpet::bench
