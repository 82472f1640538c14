#include "peers.h"

#include <fcntl.h>

namespace limpet::ws {
namespace {

std::string_view name_of(End end) {
  switch (end) {
    case End::closed_by_peer: return "closed_by_peer";
    case End::closed_by_us: return "closed_by_us";
    case End::connection_lost: return "connection_lost";
    case End::protocol_error: return "protocol_error";
    case End::slow_consumer: return "slow_consumer";
  }
  return "?";
}

std::string spell(const wire::FrameHead& head, std::string_view body) {
  std::string line;
  switch (head.opcode) {
    case wire::Opcode::continuation: line = "continuation "; break;
    case wire::Opcode::text: line = "text "; break;
    case wire::Opcode::binary: line = "binary "; break;
    case wire::Opcode::ping: line = "ping "; break;
    case wire::Opcode::pong: line = "pong "; break;
    case wire::Opcode::close: {
      if (body.empty()) return "close";
      const auto byte = [&](int i) { return static_cast<unsigned>(static_cast<std::uint8_t>(body[i])); };
      line = "close " + std::to_string(byte(0) << 8 | byte(1));
      return body.size() == 2 ? line : line + " " + std::string(body.substr(2));
    }
  }
  if (head.rsv == wire::kRsv1) line = "deflated " + line;
  return line.append(body);
}

}  // namespace

std::vector<std::string> spell(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    wire::FrameHead head;
    const auto [step, size] = wire::read_frame_head(bytes, head);
    if (step != wire::HeadStep::whole || bytes.size() - size < head.length) {
      lines.push_back(step == wire::HeadStep::refused ? "garbage" : "more");
      break;
    }
    EXPECT_FALSE(head.masked) << "RFC 6455, 5.1: a server masks nothing";
    lines.push_back(spell(head, bytes.substr(size, head.length)));
    bytes.remove_prefix(size + head.length);
  }
  return lines;
}

void Listener::on_message(Kind kind, std::string_view body) {
  EXPECT_FALSE(ended);
  heard.push_back((kind == Kind::text ? "text " : "binary ") + std::string(body));
  if (when_message) when_message(kind, body);
}

void Listener::on_end(const Ending& ending) {
  EXPECT_FALSE(ended) << "told twice";
  ended = true;
  std::string line = "end " + std::string(name_of(ending.end)) + " " + std::to_string(ending.code);
  if (!ending.reason.empty()) line += " " + std::string(ending.reason);
  heard.push_back(line);
  if (when_end) when_end();
}

void Peers::open(const Options& options, std::string_view early, std::string_view unsent) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  client = net::Fd(fds[1]);
  Options told = options;
  told.tell_drained = true;
  socket = Socket(hub, net::Stream(loop, net::Fd(fds[0])), told, server, early, unsent);
}

void Peers::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    ASSERT_TRUE(sent > 0 || errno == EAGAIN);
    turn(2);
  }
}

void Peers::turn(int turns) {
  for (int i = 0; i < turns; ++i) {
    loop.post([this] { loop.stop(); });
    loop.run();
  }
}

void Peers::until(const std::function<bool()>& holds) {
  const std::uint64_t deadline = net::now_ms() + 20'000;
  while (!holds()) {
    ASSERT_LT(net::now_ms(), deadline) << "waited in vain";
    net::Timer tick(loop, {[](void* self) { static_cast<net::Loop*>(self)->stop(); }, &loop});
    tick.after(2);
    loop.run();
  }
}

std::string Peers::answers() {
  turn(2);
  std::string bytes;
  char part[65536];
  for (ssize_t got; (got = ::recv(client.get(), part, sizeof(part), 0)) > 0; turn(2)) {
    bytes.append(part, static_cast<std::size_t>(got));
  }
  return bytes;
}

bool Peers::client_sees_end() {
  turn(2);
  char byte;
  const ssize_t got = ::recv(client.get(), &byte, 1, MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

}  // namespace limpet::ws
