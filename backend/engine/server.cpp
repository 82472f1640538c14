#include "backend/engine/server.h"

#include <algorithm>
#include <array>
#include <limits>

#include "backend/engine/server_impl.h"

namespace limpet::engine {
namespace {

constexpr std::uint64_t kDrainTickMs = 20;
constexpr std::uint64_t kCrossingMs = 500;  // a round trip, and some

}  // namespace

std::string_view text_of(Reason reason) {
  constexpr std::array<std::string_view, kReasons> kTexts = {
      "transport error", "transport close", "parse error",          "ping timeout",
      "forced close",    "slow consumer",   "server shutting down",
  };
  return kTexts[static_cast<std::size_t>(reason)];
}

MessageRef packet_of(Kind kind, std::initializer_list<std::string_view> pieces) {
  const std::string_view type = kind == Kind::text ? "4" : "";
  const std::string_view* p = pieces.begin();
  switch (pieces.size()) {
    case 0: return ws::Message::make(kind, {type});
    case 1: return ws::Message::make(kind, {type, p[0]});
    case 2: return ws::Message::make(kind, {type, p[0], p[1]});
    case 3: return ws::Message::make(kind, {type, p[0], p[1], p[2]});
    default: break;
  }
  std::string whole(type);
  for (const std::string_view piece : pieces) whole += piece;
  return ws::Message::make(kind, {whole});
}

Server::Server(net::Loop& loop, http::Server& http, const Options& options, Application& application)
    : impl_(std::make_unique<Impl>(loop, http, options, application)) {}
Server::~Server() = default;

std::size_t Server::sessions() const {
  return impl_->table.size();
}
std::size_t Server::leaving() const {
  return impl_->hub.leaving();
}
bool Server::full() const {
  return impl_->full();
}
const Totals& Server::totals() const {
  return impl_->totals;
}
budget::Budget& Server::budget() {
  return impl_->budget;
}
void Server::refuse_new() {
  impl_->refusing = true;
}
void Server::drain(std::uint64_t window_ms) {
  impl_->drain(window_ms);
}
bool Server::crossing() const {
  return impl_->crossing();
}
void Server::close_all() {
  impl_->close_all();
}

// --- draining ---

void Server::Impl::drain(std::uint64_t window_ms) {
  refusing = true;
  drain_ = {net::now_ms(), window_ms, table.size(), 0, 0};
  on_drain_tick();
}

// As many as are due by now, the first one at once, so that those who come back elsewhere do not come
// together and nobody waits for a lone one. A session that came or went by itself meanwhile only makes it
// shorter or longer by a tick.
void Server::Impl::on_drain_tick() {
  const std::uint64_t gone_ms = net::now_ms() - drain_.began_ms;
  const bool all_due = gone_ms >= drain_.window_ms;
  const std::size_t due = all_due ? std::numeric_limits<std::size_t>::max()
                                  : static_cast<std::size_t>(drain_.all * gone_ms / drain_.window_ms) + 1;
  for (std::size_t looked = table.size(); looked > 0 && drain_.ended < due; --looked) {
    LiveSession* session = table.next_from(drain_.place);
    if (session == nullptr) break;
    if (session->closing() || (!all_due && session->takes_body())) continue;
    session->close(Reason::server_shutting_down);
    ++drain_.ended;
  }
  if (!all_due) drain_tick_.after(kDrainTickMs);
}

void Server::Impl::note_told(std::string_view sid) {
  told_.emplace(sid);
  told_ms_ = net::now_ms();
}

bool Server::Impl::crossing() const {
  return !told_.empty() && net::now_ms() < told_ms_ + kCrossingMs;
}

void Server::Impl::close_all() {
  drain_tick_.cancel();
  refusing = true;
  std::size_t place = 0;
  while (LiveSession* session = table.next_from(place)) session->discard(Reason::server_shutting_down);
}

}  // namespace limpet::engine
