#include "tests/bench/load/serve.h"

#include <cstring>
#include <map>
#include <memory>

#include "tests/bench/load/handshake.h"
#include "tests/bench/load/serve_connection.h"

namespace limpet::bench {
namespace {

// Everybody who asked for the same rate and size.
struct Group {
  std::vector<Connection*> members;
  std::vector<char> frame;
  std::size_t payload_at = 0;
  std::int64_t interval = 0;
  std::int64_t next = 0;
};

class Server {
 public:
  explicit Server(const ServeOptions& options);
  [[noreturn]] void run();

 private:
  void accept(int listener);
  void on_connection(Connection& connection);
  void join(Connection& connection, const std::string& query);
  void forget(Connection& connection);
  std::int64_t push_due();

  Poller poller_;
  ServeBuffers buffers_;
  std::vector<std::unique_ptr<Fd>> listeners_;
  std::shared_ptr<TlsContext> tls_;
  std::map<std::string, Group> groups_;
  std::vector<Connection*> doomed_;  // freed after the batch: an event in it may still name them
};

// Epoll tells a listener from a connection by the lowest bit of its pointer.
void* tagged(Fd* listener) {
  return reinterpret_cast<char*>(listener) + 1;
}

Server::Server(const ServeOptions& options) {
  if (!options.tls.empty()) tls_ = TlsContext::server(options.tls.at(0), options.tls.at(1));
  std::string addresses;
  for (const std::string& text : options.listen) {
    listeners_.push_back(std::make_unique<Fd>(listen_on(parse_address(text))));
    Fd* const listener = listeners_.back().get();
    poller_.add(listener->get(), EPOLLIN, tagged(listener));
    addresses += to_text(bound_address(listener->get())) + "\n";
  }
  announce(addresses, options.ports_file);
}

void Server::run() {
  for (;;) {
    for (const epoll_event& event : poller_.wait(push_due())) {
      const auto bits = reinterpret_cast<std::uintptr_t>(event.data.ptr);
      if (bits & 1) {
        accept(reinterpret_cast<Fd*>(bits - 1)->get());
      } else {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (connection.over()) continue;
        connection.on_events();
        on_connection(connection);
      }
    }
    for (Connection* each : std::exchange(doomed_, {})) delete each;
  }
}

void Server::accept(int listener) {
  for (int i = 0; i < 64; ++i) {
    Fd fd = accept_from(listener);
    if (!fd) return;
    auto* const connection = new Connection(Stream(std::move(fd), tls_.get()), buffers_);
    connection->registered = EPOLLIN;
    poller_.add(connection->fd(), EPOLLIN, connection);
  }
}

// After each call that may have changed what the connection waits for.
void Server::on_connection(Connection& connection) {
  if (connection.over()) return forget(connection);
  if (const std::string query = connection.take_push(); !query.empty()) join(connection, query);
  const std::uint32_t interest = connection.interest();
  if (interest == connection.registered) return;
  connection.registered = interest;
  poller_.modify(connection.fd(), interest, &connection);
}

void Server::join(Connection& connection, const std::string& query) {
  std::uint64_t rate = 0, size = 0;
  for (std::string_view rest = query; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.starts_with("rate=")) to_number(pair.substr(5), rate);
    if (pair.starts_with("size=")) to_number(pair.substr(5), size);
  }
  if (rate < 1 || rate > 100'000 || size < 8 || size > 64 * 1024) return;
  Group& group = groups_[query];
  if (group.members.empty()) {
    group.frame.resize(kMostFrameHead + size, 'p');
    group.payload_at = write_frame_head(group.frame.data(), kFinal | kBinary, size, false);
    group.frame.resize(group.payload_at + size);
    group.interval = kSecond / static_cast<std::int64_t>(rate);
    group.next = now_ns() + group.interval;
  }
  group.members.push_back(&connection);
  connection.group = &group;
}

void Server::forget(Connection& connection) {
  if (connection.group != nullptr) std::erase(static_cast<Group*>(connection.group)->members, &connection);
  doomed_.push_back(&connection);
}

// Sends a round to each group that has one due and returns when the next is. One at a time, so that a server
// that cannot keep up still accepts and reads; what it is a second late for it leaves out.
std::int64_t Server::push_due() {
  std::int64_t soonest = kNever;
  for (auto& [query, group] : groups_) {
    if (group.members.empty()) continue;
    const std::int64_t now = now_ns();
    if (group.next <= now) {
      if (group.next < now - kSecond) group.next = now;
      std::memcpy(group.frame.data() + group.payload_at, &group.next, sizeof group.next);
      group.next += group.interval;
      for (const auto members = group.members; Connection * each : members) {
        each->push(group.frame);
        on_connection(*each);
      }
    }
    soonest = std::min(soonest, group.next);
  }
  return soonest;
}

}  // namespace

void serve(const ServeOptions& options) {
  raise_descriptor_limit();
  Server(options).run();
}

}  // namespace limpet::bench
