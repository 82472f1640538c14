#include "tests/bench/load/socketio/sessions.h"

#include <stdexcept>

namespace limpet::bench {

std::string socket_io_path(const Load& load) {
  return load.options().path.empty() ? std::string(kSocketIoPath) : load.options().path;
}

Pattern packet(std::string_view text, std::size_t room) {
  return Pattern(masked_frame(kText, text), room);
}

Pattern echo_event(std::uint64_t size, std::size_t room) {
  return packet("421[\"echo\",\"" + std::string(size, '.') + "\"]", room);
}

std::string echo_ack(std::uint64_t size) {
  return "431[\"" + std::string(size, '.') + "\"]";
}

Sessions::Sessions(Load& load, std::uint32_t more)
    : SocketsMode(load, load.upgrade_request(socket_io_path(load)), more),
      connect_(packet("40")),
      pong_(packet("3")),
      join_(packet("420[\"join\",\"" + std::string(kRoom) + "\"]")),
      readers_(load.options().sockets + more) {}

void Sessions::on_head(Client& client) {
  if (as_expected(client)) readers_[client.index] = {};
}

void Sessions::on_bytes(Client& client, std::span<char> bytes) {
  std::string_view text;
  while (client.open()) {
    switch (readers_[client.index].next(client.frames, bytes, text)) {
      case TextReader::Got::nothing: return after_batch(client);
      case TextReader::Got::text: on_text(client, text); break;
      case TextReader::Got::close: return client.fail("closed by a Close frame");
      case TextReader::Got::strange: return client.fail("a frame that is neither text nor Close");
    }
  }
}

void Sessions::on_text(Client& client, std::string_view text) {
  if (closing()) return;  // our FIN is out
  if (text == "2") {
    if (client.unsent() > 0) return client.fail("no room for a pong");
    client.send(pong_, 1);
    return on_ping(client);
  }
  if (client.ready) return on_packet(client, text);
  if (text.starts_with("0{")) {
    client.send(connect_, 1);
  } else if (text.starts_with("40{")) {
    count_as_open(client);
  } else {
    client.fail("neither an open packet nor a connection: " + std::string(text.substr(0, 60)));
  }
}

void Sessions::join_all() {
  std::uint32_t asked = 0;
  joined_ = 0;
  for (std::size_t i = first_member_; i < clients().size(); ++i) {
    if (!clients()[i]->open()) continue;
    ++asked;
    clients()[i]->send(join_, 1);
    // Some at a time: this is no burst.
    if (asked % 256 == 0)
      load_.loop(
          *this, [this, asked] { return joined_ == asked; }, now_ns() + 10 * kSecond);
  }
  load_.loop(
      *this, [this, asked] { return joined_ == asked; }, now_ns() + 10 * kSecond);
  if (joined_ != asked) throw std::runtime_error("some could not join the room");
}

bool Sessions::joined(std::string_view text) {
  if (!text.starts_with("430[")) return false;
  ++joined_;
  return true;
}

}  // namespace limpet::bench
