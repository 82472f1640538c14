#include "backend/http/server.h"

#include <algorithm>
#include <utility>

#include "backend/http/server_impl.h"
#include "proxy/net/refuse.h"

namespace limpet::http {
namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n"
    "Content-Length: 21\r\n\r\ntoo many connections\n";

// Of those who have waited longest, looked at before a new connection is refused.
constexpr int kLooks = 8;

}  // namespace

Server::Impl::Impl(net::Loop& loop, const Limits& limits)
    : loop(loop),
      limits(limits),
      keep_alive("Connection: keep-alive\r\nKeep-Alive: timeout=" +
                 std::to_string(std::max<std::uint64_t>(limits.idle_timeout_ms / 1000, 1)) + "\r\n") {}

Server::Impl::~Impl() {
  acceptors.clear();
  while (first != nullptr) first->end_told();
}

Handler* Server::Impl::handler_of(std::string_view target) const {
  for (const auto& [prefix, handler] : routes) {
    if (target.starts_with(prefix)) return handler;
  }
  return nullptr;
}

void Server::Impl::adopt(net::Fd fd, const net::Address& peer) {
  ++totals.accepted;
  const bool full = count >= limits.max_connections || count + upgraded() >= limits.max_with_upgraded;
  if (full && !make_room()) {
    ++totals.refused;
    net::answer_and_close(std::move(fd), kFull);
    return;
  }
  auto* connection = new Connection(*this, net::Stream(loop, std::move(fd)), peer);
  connection->next_ = first;
  if (first != nullptr) first->prev_ = connection;
  first = connection;
  ++count;
  connection->start();
}

// Whoever connects and says nothing must not keep those out who have something to say. A new connection has
// its head on the way, so that what has been silent for a while goes first; a connection that was answered
// already may have its next request on the way.
bool Server::Impl::make_room() {
  const std::uint64_t now = loop.turn_ms();
  int looks = 0;
  for (auto* waiting : {&fresh, &idle}) {
    for (; looks < kLooks && !waiting->empty(); ++looks) {
      Connection& longest = waiting->front();
      if (now - longest.since_ms_ < limits.yields_after_ms) break;
      if (!longest.has_something_to_read()) {
        ++totals.yielded;
        bury(longest);
        return true;
      }
      longest.stop_waiting();  // we are late, not the client
      longest.wait_for_request();
    }
  }
  return false;
}

void Server::Impl::weigh(budget::Census& census) const {
  for (const Connection* each = first; each != nullptr; each = each->next_) census.count(each->holds());
}

void Server::Impl::evict(budget::Eviction& eviction) {
  for (Connection* each = first; each != nullptr; each = each->next_) {
    if (eviction.take(each->holds())) each->evict();
  }
}

void Server::Impl::bury(Connection& connection) {
  (connection.prev_ != nullptr ? connection.prev_->next_ : first) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->prev_ = connection.prev_;
  --count;
  delete &connection;
}

void Server::Impl::drain() {
  draining = true;
  for (Connection* each = first; each != nullptr;) {
    Connection* next = each->next_;  // nobody else is ended by drain()
    each->drain();
    each = next;
  }
}

std::string_view Server::Impl::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_of_) {
    date_of_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[64];
    date_.assign(text, std::strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts));
  }
  return date_;
}

Server::Server(net::Loop& loop, const Limits& limits) : impl_(std::make_unique<Impl>(loop, limits)) {}
Server::~Server() = default;

void Server::route(std::string prefix, Handler& handler) {
  auto& routes = impl_->routes;
  const auto at =
      std::ranges::find_if(routes, [&](const auto& each) { return each.first.size() <= prefix.size(); });
  routes.insert(at, {std::move(prefix), &handler});
}

void Server::count_also(std::function<std::size_t()> upgraded) {
  impl_->upgraded = std::move(upgraded);
}

void Server::listen(net::Fd socket) {
  impl_->acceptors.push_back(std::make_unique<net::Acceptor>(
      impl_->loop, std::move(socket),
      [impl = impl_.get()](net::Fd fd, const net::Address& peer) { impl->adopt(std::move(fd), peer); }));
  impl_->acceptors.back()->start();
}

void Server::adopt(net::Fd connection, const net::Address& peer) {
  impl_->adopt(std::move(connection), peer);
}

void Server::stop_accepting() {
  for (const auto& each : impl_->acceptors) {
    each->accept_all();
    each->close();
  }
}

void Server::close_idle() {
  impl_->drain();
}

std::size_t Server::connections() const {
  return impl_->count;
}

std::size_t Server::exchanges() const {
  return impl_->open;
}

const Totals& Server::totals() const {
  return impl_->totals;
}

budget::Spender& Server::spender() {
  return *impl_;
}

}  // namespace limpet::http
