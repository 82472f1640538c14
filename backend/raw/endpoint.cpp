#include "backend/raw/endpoint.h"

#include <algorithm>

#include "backend/raw/endpoint_impl.h"
#include "proxy/wire/websocket.h"

namespace limpet::raw {
namespace {

constexpr std::uint64_t kDrainTickMs = 20;
constexpr std::uint16_t kPolicyViolation = 1008, kServiceRestart = 1012;

// The first subprotocol that is offered: clients end a connection whose whole offer is passed over.
std::string protocol_field(const wire::RequestHead& head) {
  const std::string offered = wire::offer_of(head).protocols;
  if (offered.empty()) return {};
  return "Sec-WebSocket-Protocol: " + offered.substr(0, offered.find_first_of(", \t")) + "\r\n";
}

struct Nobody final : ws::Receiver {
  void on_message(ws::Kind, std::string_view) override {}
  void on_end(const ws::Ending&) override {}
};

void answer_no_upgrade(http::Exchange& exchange, wire::Fault fault) {
  const bool asks = wire::asks_websocket(exchange.head());
  const bool version = !asks || fault == wire::Fault::version_not_13;
  exchange.answer({.status = version ? 426 : 400,
                   .content_type = "text/plain",
                   .fields = version ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "",
                   .body = asks ? wire::explain(fault) : "WebSocket only",
                   .close = true});
}

}  // namespace

Endpoint::Impl::Impl(net::Loop& its_loop, const Options& its_options)
    : loop(its_loop),
      options(its_options),
      hub(its_loop),
      drain_tick(its_loop, net::delegate<&Impl::on_drain_tick>(this)) {
  hub.limit_leaving(options.max_leaving);
}

Endpoint::Impl::~Impl() {
  for (Connection* const each : connections) delete each;
}

void Endpoint::Impl::on_request(http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  if (!options.path.empty() && head.path != options.path) return exchange.answer({.status = 404});
  const auto fault = wire::check_handshake(head);
  if (!fault && !refuses) return accept(exchange);
  ++totals.refused;
  if (fault) return answer_no_upgrade(exchange, *fault);
  exchange.answer({.status = 503, .fields = "Retry-After: 1\r\n", .close = true});
}

void Endpoint::Impl::accept(http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  ws::Options socket;
  socket.max_message = options.max_payload;
  socket.max_queued = options.max_backpressure;
  socket.deflate = ws::negotiate(wire::offer_of(head).extensions, options.deflate);
  std::string fields = protocol_field(head);
  if (const std::string answer = ws::answer_of(socket.deflate); !answer.empty()) {
    fields += "Sec-WebSocket-Extensions: " + answer + "\r\n";
  }
  http::Exchange::Upgraded upgraded = exchange.upgrade(fields);
  if (full()) {
    static Nobody nobody;
    ++totals.refused;
    ws::Socket(hub, std::move(upgraded.stream), socket, nobody, upgraded.early, upgraded.unsent)
        .close(kPolicyViolation, "Server at capacity");
    return;
  }
  auto* const connection = new Connection(*this, std::move(upgraded), socket);
  connection->place = connections.size();
  connections.push_back(connection);
  ++totals.opened;
}

void Endpoint::Impl::forget(Connection& connection) {
  topics.leave(connection.memberships());
  connections.back()->place = connection.place;
  connections[connection.place] = connections.back();
  connections.pop_back();
  ++totals.closed;
  delete &connection;
}

void Endpoint::Impl::weigh(budget::Census& census) const {
  for (const Connection* const each : connections) census.count(each->holds());
  hub.weigh(census);
}

// They leave the list at the end of the turn.
void Endpoint::Impl::evict(budget::Eviction& eviction) {
  for (Connection* const each : connections) {
    if (eviction.take(each->holds())) each->drop();
  }
  hub.evict(eviction);
}

// --- the end ---

void Endpoint::Impl::drain(std::uint64_t window_ms) {
  refuses = true;
  drain_until_ms = net::now_ms() + window_ms;
  untold = connections.size();
  on_drain_tick();
}

// An even share of those before `untold`. Who ends is replaced by the last one, so that one who has been told
// may come to stand among them: it does not hear it again.
void Endpoint::Impl::on_drain_tick() {
  const std::uint64_t now = net::now_ms();
  const std::uint64_t ticks = drain_until_ms > now ? (drain_until_ms - now) / kDrainTickMs + 1 : 1;
  untold = std::min(untold, connections.size());
  for (std::size_t share = (untold + ticks - 1) / ticks; share > 0; --share) {
    connections[--untold]->close(kServiceRestart, "Service restart");
  }
  if (untold > 0) drain_tick.after(kDrainTickMs);
}

Endpoint::Endpoint(net::Loop& loop, const Options& options) : impl_(std::make_unique<Impl>(loop, options)) {}
Endpoint::~Endpoint() = default;
void Endpoint::on_request(http::Exchange& exchange) {
  impl_->on_request(exchange);
}
void Endpoint::refuse_new() {
  impl_->refuses = true;
}
void Endpoint::drain(std::uint64_t window_ms) {
  impl_->drain(window_ms);
}
void Endpoint::close_all() {
  while (!impl_->connections.empty()) impl_->forget(*impl_->connections.back());
}
std::size_t Endpoint::connections() const {
  return impl_->connections.size();
}
std::size_t Endpoint::leaving() const {
  return impl_->hub.leaving();
}
std::size_t Endpoint::topics() const {
  return impl_->topics.size();
}
const Totals& Endpoint::totals() const {
  return impl_->totals;
}
void Endpoint::share(budget::Budget& budget) {
  impl_->budget = &budget;
  budget.watch(*impl_);
}

}  // namespace limpet::raw
