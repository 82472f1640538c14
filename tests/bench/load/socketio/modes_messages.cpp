// Modes of Socket.IO messages: io-echo (with acks, closed loop), io-fanout (broadcasts to a room) and
// io-publish (broadcasts that nobody here hears).
#include "tests/bench/load/json.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/sent_times.h"
#include "tests/bench/load/socketio/sessions.h"

namespace limpet::bench {
namespace {

// K events in flight on every socket: each ack that comes sends the next.
class EchoAcks : public Sessions {
 public:
  explicit EchoAcks(Load& load)
      : Sessions(load),
        event_(echo_event(load.options().size, 64 * 1024)),
        ack_(echo_ack(load.options().size)),
        each_(load.options().in_flight),
        sent_at_(load.options().sockets, each_) {}

  void run() {
    open_all();
    for (const auto& client : clients()) {
      if (client->open()) send_more(*client, each_);
    }
    load_.window(*this);
    close_all(false);
  }

 private:
  void send_more(Client& client, std::uint32_t count) {
    const std::int64_t now = now_ns();
    for (std::uint32_t i = 0; i < count; ++i) sent_at_.at(client, client.sent + i) = now;
    client.sent += count;
    client.send(event_, count);
  }

  void on_packet(Client& client, std::string_view text) override {
    if (text != ack_) return client.fail("another ack: " + std::string(text.substr(0, 60)));
    if (client.received == client.sent) return client.fail("an ack that nobody asked for");
    load_.unit();
    ++back_;
    if (load_.measuring()) load_.latency(now_ns() - sent_at_.at(client, client.received));
    ++client.received;
  }

  // For all that came back at once others go out at once.
  void after_batch(Client& client) override {
    const std::uint32_t back = std::exchange(back_, 0);
    if (back > 0 && client.open()) send_more(client, back);
  }

  const Pattern event_;
  const std::string ack_;
  const std::uint32_t each_;
  std::uint32_t back_ = 0;  // of the batch
  SentTimes sent_at_;
};

// --sockets members of a room, and beside them --in-flight broadcasters: each sends when all have its last. A
// unit is a frame that came to a member; a latency is up to the last of them.
class Fanout : public Sessions {
 public:
  explicit Fanout(Load& load)
      : Sessions(load, load.options().in_flight),
        size_(load.options().size),
        broadcasts_(load.options().in_flight) {
    first_member_ = load.options().in_flight;
    for (std::uint32_t i = 0; i < first_member_; ++i) {
      std::string data(size_, '.');
      data[0] = static_cast<char>('a' + i);
      broadcasts_[i] = {packet("42[\"broadcast\",\"" + std::string(kRoom) + "\",\"" + data + "\"]"),
                        "42[\"message\",\"" + data + "\"]"};
    }
  }

  void run() {
    open_all();
    join_all();
    for (std::uint32_t i = 0; i < first_member_; ++i) send(i);
    load_.window(*this);
    close_all(false);
  }

 private:
  struct Broadcast {
    Pattern event;
    std::string message;     // what members get
    std::uint32_t came = 0;  // to so many of them
    std::int64_t sent_at = 0;
  };

  void send(std::uint32_t index) {
    Broadcast& broadcast = broadcasts_[index];
    broadcast.came = 0;
    broadcast.sent_at = now_ns();
    clients()[index]->send(broadcast.event, 1);
  }

  void on_packet(Client& client, std::string_view text) override {
    if (joined(text)) return;
    const std::size_t at = std::string_view("42[\"message\",\"").size();
    const std::size_t index = text.size() > at ? static_cast<std::size_t>(text[at] - 'a') : first_member_;
    if (index >= first_member_ || text != broadcasts_[index].message || client.index < first_member_) {
      return client.fail("another message: " + std::string(text.substr(0, 60)));
    }
    load_.unit();
    Broadcast& broadcast = broadcasts_[index];
    if (++broadcast.came < load_.options().sockets) return;
    if (load_.measuring()) load_.latency(now_ns() - broadcast.sent_at);
    send(static_cast<std::uint32_t>(index));
  }

  const std::uint64_t size_;
  std::vector<Broadcast> broadcasts_;
};

// Each socket tells a room where nobody is K times at once, and again when the last is acknowledged: what is
// left for a node of a cluster to do is to publish. A unit is one of them.
class Publishing : public Sessions {
 public:
  explicit Publishing(Load& load)
      : Sessions(load), each_(load.options().in_flight), burst_(burst(each_, load.options().size)) {}

  void run() {
    open_all();
    for (const auto& client : clients()) {
      if (client->open()) send(*client);
    }
    load_.window(*this);
    close_all(false);
  }

 private:
  static Pattern burst(std::uint32_t count, std::uint64_t size) {
    const std::string event = "[\"broadcast\",\"nobody\",\"" + std::string(size, '.') + "\"]";
    std::string frames;
    for (std::uint32_t i = 1; i < count; ++i) frames += masked_frame(kText, "42" + event);
    return Pattern(frames + masked_frame(kText, "421" + event), 0);
  }
  void send(Client& client) { client.send(burst_, 1); }
  void on_packet(Client& client, std::string_view text) override {
    if (text != "431[]") return client.fail("another ack: " + std::string(text.substr(0, 60)));
    load_.unit(each_);
    send(client);
  }

  const std::uint32_t each_;
  const Pattern burst_;
};

}  // namespace

void run_io_echo(Load& load) {
  EchoAcks(load).run();
}
void run_io_fanout(Load& load) {
  Fanout(load).run();
}
void run_io_publish(Load& load) {
  Publishing(load).run();
}

}  // namespace limpet::bench
