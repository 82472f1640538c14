// A Socket on a real loop, its client and its owner doing whatever the input says in any order, within calls
// and between them: nothing is used after it is gone (the sanitizers look), the end is told once and nothing
// after it, and at last nobody is left.
#include <sys/socket.h>

#include <cassert>
#include <string>
#include <vector>

#include "backend/ws/hub.h"
#include "backend/ws/socket.h"
#include "proxy/wire/ws_frame.h"

using namespace limpet;

namespace {

std::string frame(std::uint8_t first, std::string_view body) {
  char head[wire::kMostFrameHead];
  std::string bytes(head, wire::write_frame_head(head, first, body.size(), 0));
  return bytes.append(body);
}

class Play final : ws::Receiver {
 public:
  explicit Play(std::string_view script) : script_(script) {}

  void run() {
    begin();
    for (int steps = 0; !script_.empty() && steps < 300; ++steps) step(next());
    socket_ = {};
    client_.reset();
    turn();
    turn();
    assert(hub_.leaving() == 0 || loop_has_deadlines_);
  }

 private:
  std::uint8_t next() {
    if (script_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(script_.front());
    script_.remove_prefix(1);
    return value;
  }

  void begin() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    const int small = 4096;
    ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    client_ = net::Fd(fds[1]);
    ws::Options options;
    options.max_message = 2000;
    options.max_queued = 20'000;
    const std::uint8_t how = next();
    options.deflate = ws::negotiate("permessage-deflate", static_cast<ws::Deflate>(how % 3));
    ended_ = false;
    socket_ = ws::Socket(hub_, net::Stream(loop_, net::Fd(fds[0])), options, *this,
                         how & 4 ? frame(0x81, "early") : "", how & 8 ? "HTTP/1.1 101" : "");
  }

  void turn() {
    loop_.post([this] { loop_.stop(); });
    loop_.run();
  }

  void say(std::string_view bytes) {
    if (client_) [[maybe_unused]]
      const ssize_t sent = ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void hear() {
    char bytes[8192];
    if (client_) [[maybe_unused]]
      const ssize_t got = ::recv(client_.get(), bytes, sizeof(bytes), 0);
  }

  void step(std::uint8_t what) {
    switch (what % 16) {
      case 0: return turn();
      case 1: return say(frame(0x81, "text"));
      case 2: return say(frame(0x01, "cut"));
      case 3: return say(frame(0x80, "end"));
      case 4: return say(frame(0x89, "ping"));
      case 5: return say(frame(0x8a, "pong"));
      case 6: return say(frame(0x88, std::string_view("\x03\xe8", 2)));
      case 7: return say(frame(0x82, std::string(what * 10u, 'b')).substr(0, what * 5u));
      case 8: return say(std::string(1, static_cast<char>(next())));
      case 9: return hear();
      case 10: return client_.reset();
      case 11: {
        if (client_) ::shutdown(client_.get(), SHUT_WR);
        return;
      }
      case 12:
        if (ended_ || !socket_) begin();
        return;
      default: return act(next());
    }
  }

  // The owner's; also from within its calls.
  void act(std::uint8_t what) {
    if (!socket_) return;
    switch (what % 12) {
      case 0: return socket_.send(ws::Message::make(ws::Kind::text, {"answer"}));
      case 1: return socket_.send(ws::Message::make(ws::Kind::binary, {std::string(what * 40u, 'x')}));
      case 2:
        static_cast<void>(socket_.offer(ws::Message::make(ws::Kind::text, {std::string(5000, 'y')})));
        return;
      case 3: return socket_.ping("?");
      case 4: return close(1000);
      case 5: return close(0);
      case 6: return socket_.drop();
      case 7: return socket_.pause();
      case 8: return socket_.resume();
      case 9: {
        ws::Socket moved = std::move(socket_);
        moved.hand_to(*this);
        socket_ = std::move(moved);
        return;
      }
      case 10:
        for (int i = 0; i < 100; ++i)
          socket_.send(ws::Message::make(ws::Kind::text, {std::string(1000, 'z')}));
        return;
      default: socket_ = {};
    }
  }

  void close(std::uint16_t code) {
    loop_has_deadlines_ = true;
    socket_.close(code, "reason");
  }

  void within() {
    assert(!ended_ && "nothing comes after the end");
    assert(!within_ && "no call within a call");
    within_ = true;
    const std::uint8_t many = next();
    for (int i = 0; i < many % 4; ++i) act(next());
    within_ = false;
  }

  void on_message(ws::Kind, std::string_view body) override {
    const std::string before(body);
    within();
    assert(body == before && "the bytes are there until the call returns");
  }
  void on_pong(std::string_view) override { within(); }
  void on_ping() override { within(); }
  void on_drained() override { within(); }
  void on_end(const ws::Ending&) override {
    loop_has_deadlines_ = true;
    assert(!within_);
    assert(!ended_);
    ended_ = true;
    const std::uint8_t many = next();
    for (int i = 0; i < many % 4; ++i) act(next());
  }

  std::string_view script_;
  net::Loop loop_;
  ws::Hub hub_{loop_};
  ws::Socket socket_;
  net::Fd client_;
  bool ended_ = false;
  bool within_ = false;
  bool loop_has_deadlines_ = false;  // somebody may still be given time to leave
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Play(std::string_view(reinterpret_cast<const char*>(data), size)).run();
  return 0;
}
