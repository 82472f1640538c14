#include "proxy/admin/server.h"

#include <list>
#include <string>

#include "proxy/net/listener.h"
#include "proxy/net/stream.h"
#include "proxy/wire/head.h"

namespace limpet::admin {
namespace {

constexpr std::size_t kMostConnections = 64;
constexpr std::uint64_t kDeadlineMs = 10'000;

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    default: return "Service Unavailable";
  }
}

std::string_view header(std::span<const wire::Field> fields, std::string_view name) {
  for (const wire::Field& each : fields) {
    if (wire::equal_ignoring_case(each.name, name)) return each.value;
  }
  return {};
}

// A page in a browser on this machine can send requests here; its own words give it away.
bool from_a_page(const wire::RequestHead& head) {
  const std::string_view site = header(head.fields, "Sec-Fetch-Site");
  if (!header(head.fields, "Origin").empty()) return true;
  if (!site.empty() && site != "none" && site != "same-origin") return true;
  const auto ip = wire::IpAddress::parse(head.host);
  return !(wire::equal_ignoring_case(head.host, "localhost") || head.host.empty() ||
           (ip && ip->is_loopback()));
}

}  // namespace

struct Server::Impl {
  struct Connection {
    Connection(Impl& s, net::Fd fd)
        : server(s), stream(s.loop, std::move(fd)), deadline(s.loop, net::delegate<&Connection::end>(this)) {}
    void start() {
      deadline.after(kDeadlineMs);
      stream.wait_read(net::delegate<&Connection::on_readable>(this));
    }
    void on_readable();
    void respond(std::string_view head);
    void send(const Reply& reply);
    void write();
    void end() { server.connections.erase(self); }

    Impl& server;
    net::Stream stream;
    net::Timer deadline;
    wire::HeadScanner scanner{wire::HeadScanner::Kind::request, {}};
    std::string in;
    std::string out;
    bool head_only = false;
    std::uint64_t number = 0;
    std::list<Connection>::iterator self;
  };

  Impl(net::Loop& l, net::Fd listening, bool tcp, Source& s) : loop(l), source(s), on_tcp(tcp) {
    acceptor = std::make_unique<net::Acceptor>(
        loop, std::move(listening), [this](net::Fd fd, const net::Address&) { accept(std::move(fd)); });
    acceptor->start();
  }

  void accept(net::Fd fd) {
    if (connections.size() >= kMostConnections) connections.pop_front();
    Connection& connection = connections.emplace_back(*this, std::move(fd));
    connection.self = std::prev(connections.end());
    connection.number = ++last_number;
    connection.start();
  }

  // The answer to what a source took over: its client may have gone, and this server, too.
  std::function<void(Reply)> answer_to(std::uint64_t number) {
    return [weak = std::weak_ptr<Impl*>(alive), number](const Reply& reply) {
      const auto impl = weak.lock();
      if (!impl) return;
      for (Connection& each : (*impl)->connections) {
        if (each.number == number) return each.send(reply);
      }
    };
  }

  net::Loop& loop;
  Source& source;
  const bool on_tcp;
  std::uint64_t last_number = 0;
  std::shared_ptr<Impl*> alive = std::make_shared<Impl*>(this);
  std::list<Connection> connections;
  std::unique_ptr<net::Acceptor> acceptor;
};

void Server::Impl::Connection::on_readable() {
  char bytes[4096];
  const net::IoResult got = stream.read(bytes);
  if (got.status == net::Io::eof || got.status == net::Io::error) return end();
  in.append(bytes, got.bytes);
  switch (scanner.feed(in)) {
    case wire::HeadScanner::Step::more:
      stream.wait_read(net::delegate<&Connection::on_readable>(this));
      return;
    case wire::HeadScanner::Step::refused:
      out = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
      return write();
    case wire::HeadScanner::Step::complete:
      return respond(std::string_view(in).substr(scanner.start(), scanner.length() - scanner.start()));
  }
}

void Server::Impl::Connection::respond(std::string_view head_bytes) {
  wire::FieldList fields;
  const auto parsed = wire::parse_request(head_bytes, fields);
  const auto* head = std::get_if<wire::RequestHead>(&parsed);
  if (head == nullptr) return send({400, "text/plain", "bad request\n", {}});
  head_only = head->method == wire::Method::head;
  if (server.on_tcp && from_a_page(*head)) return send({403, "text/plain", "not for browsers' pages\n", {}});
  // `this` may have been answered, and gone, when take() returns.
  Impl& owner = server;
  if (!owner.source.take(head->method_text, head->path, owner.answer_to(number)))
    send(answer(owner.source, head->method_text, head->path));
}

void Server::Impl::Connection::send(const Reply& reply) {
  if (!out.empty()) return;  // answered already
  out = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  out += reason_phrase(reply.status);
  out += "\r\nContent-Type: " + reply.type + "\r\nContent-Length: " + std::to_string(reply.body.size()) +
         "\r\nCache-Control: no-store\r\nConnection: close\r\n";
  if (!reply.allow.empty()) out += "Allow: " + reply.allow + "\r\n";
  out += "\r\n";
  if (!head_only) out += reply.body;
  write();
}

void Server::Impl::Connection::write() {
  while (!out.empty()) {
    const net::IoResult sent = stream.write(out);
    if (sent.status == net::Io::error) return end();
    out.erase(0, sent.bytes);
    if (sent.status == net::Io::again) {
      stream.wait_write(net::delegate<&Connection::write>(this));
      return;
    }
  }
  stream.shutdown_write();
  end();
}

Server::Server(net::Loop& loop, net::Fd listening, const net::Address& address, Source& source)
    : impl_(std::make_unique<Impl>(loop, std::move(listening), !address.is_unix(), source)) {}
Server::~Server() = default;

}  // namespace limpet::admin
