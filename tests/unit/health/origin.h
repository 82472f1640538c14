// Origin: a server of the test's own on loopback, on the test's loop.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "proxy/net/listener.h"
#include "proxy/net/stream.h"

namespace limpet::health {

inline net::Address loopback(std::uint16_t port) {
  return net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
}

// Answers every connection with the same bytes once it has sent something; may hang, or close at once.
struct Origin {
  enum class Way : std::uint8_t { answer, hang, close_at_once };
  Origin(net::Loop& l, std::string text, Way w = Way::answer, const net::Address& at = loopback(0))
      : loop(l), answer(std::move(text)), way(w), bound(net::bind_listener(at, 1)) {
    accept = std::make_unique<net::Acceptor>(
        loop, std::move(bound.sockets[0]), [this](net::Fd fd, const net::Address&) {
          ++connections;
          if (way == Way::close_at_once) return;
          open.emplace_back(*this, std::move(fd));
          open.back().stream.wait_read(net::delegate<&Connection::on_readable>(&open.back()));
        });
    accept->start();
  }
  struct Connection {
    Connection(Origin& o, net::Fd fd) : origin(o), stream(o.loop, std::move(fd)) {}
    void on_readable() {
      char bytes[4096];
      const net::IoResult got = stream.read(bytes);
      if (got.status != net::Io::ok) return;
      origin.seen.append(bytes, got.bytes);
      if (origin.way == Way::answer) stream.write(origin.answer);
    }
    Origin& origin;
    net::Stream stream;
  };
  net::Loop& loop;
  std::string answer;
  Way way;
  std::string seen;
  int connections = 0;
  net::BoundListener bound;
  std::unique_ptr<net::Acceptor> accept;
  std::list<Connection> open;
};

}  // namespace limpet::health
