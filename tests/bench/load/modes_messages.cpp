// Modes of messages on open WebSockets: echo (closed loop), paced (open loop) and push (the server's).
#include <cstring>

#include "tests/bench/load/json.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/sockets_mode.h"

namespace limpet::bench {
namespace {

constexpr char kFirst = '<', kLast = '>';

std::string message(std::uint64_t size) {
  char head[kMostFrameHead];
  const std::size_t used = write_frame_head(head, kFinal | kBinary, size, true);
  std::string frame(head, used);
  frame.append(size, '.');
  if (size > 0) {
    frame[used] = kFirst;
    frame.back() = kLast;
  }
  return frame;
}

// Sends messages of one kind and checks what comes back.
class Messages : public SocketsMode {
 public:
  explicit Messages(Load& load)
      : SocketsMode(load, load.upgrade_request(load.options().path.empty() ? "/echo" : load.options().path)),
        size_(load.options().size),
        message_(message(size_)) {}

  void on_bytes(Client& client, std::span<char> bytes) override {
    FrameReader::Slice slice;
    while (client.frames.next(bytes, slice)) {
      const bool right = slice.first_byte == (kFinal | kBinary) && slice.length == size_ &&
                         (size_ == 0 || ((!slice.first || slice.payload.front() == kFirst) &&
                                         (!slice.last || slice.payload.back() == kLast)));
      if (!right) {
        load_.error("a message came back changed");
        client.close();
        return;
      }
      if (slice.last) on_message(client);
      if (!client.open()) return;
    }
    after_batch(client);
  }

 protected:
  virtual void on_message(Client& client) = 0;
  virtual void after_batch(Client&) {}
  const std::uint64_t size_;
  const Pattern message_;
};

// K messages in flight on every socket: each that comes back sends the next.
class Echo : public Messages {
 public:
  explicit Echo(Load& load)
      : Messages(load),
        in_flight_(load.options().in_flight),
        sent_at_(std::size_t{load.options().sockets} * in_flight_) {}

  void run() {
    open_all();
    for (const auto& each : clients()) {
      if (each->open()) send(*each, in_flight_);
    }
    load_.window(*this);
    stopping_ = true;
    if (load_.options().tunnels_done_check)
      load_.loop(
          *this, [this] { return out_ == 0; }, now_ns() + 10 * kSecond);
  }

  void on_end(Client& client, std::string_view why) override {
    out_ -= client.sent - client.received;
    client.sent = client.received;
    Messages::on_end(client, why);
  }

 private:
  void send(Client& client, std::uint32_t count) {
    const std::int64_t now = now_ns();
    for (std::uint32_t i = 0; i < count; ++i) sent_at(client, client.sent++) = now;
    out_ += count;
    client.send(message_, count);
  }

  std::int64_t& sent_at(Client& client, std::uint64_t message) {
    return sent_at_[std::size_t{client.index} * in_flight_ + message % in_flight_];
  }

  void on_message(Client& client) override {
    load_.unit();
    ++back_;
    --out_;
    const std::int64_t began = sent_at(client, client.received++);
    if (load_.measuring()) load_.latency(now_ns() - began);
  }

  // All that came back at once goes out at once.
  void after_batch(Client& client) override {
    const std::uint32_t back = std::exchange(back_, 0);
    if (back > 0 && !stopping_) send(client, back);
  }

  const std::uint32_t in_flight_;
  std::uint32_t back_ = 0;  // of the batch
  std::uint64_t out_ = 0;   // in flight, of all
  bool stopping_ = false;
  std::vector<std::int64_t> sent_at_;  // in_flight_ of each socket
};

}  // namespace

void run_echo(Load& load) {
  Echo mode(load);
  mode.run();
  mode.close_all(load.options().tunnels_done_check);
}

}  // namespace limpet::bench
