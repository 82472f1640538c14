// What sessions share: their table, the fields of answers, the packets that are made once, the end of a turn.
#include "backend/engine/server_impl.h"

#include <algorithm>
#include <utility>

#include "backend/codec/base64.h"
#include "backend/engine/cors.h"

namespace limpet::engine {
namespace {

constexpr std::size_t kMostScratch = 256 * 1024;
// Sessions that nobody has asked for again: so many, and this part of all, are no flood.
constexpr std::size_t kFewUnasked = 100, kPartUnasked = 8;

MessageRef text(std::string_view packet) {
  return ws::Message::make(Kind::text, {packet});
}

// Prefixes of paths, as engine.io makes them of its option.
std::string normal_path(std::string path) {
  if (path.empty() || path.back() != '/') path += '/';
  return path;
}

// Internet Explorer blocked polls as cross-site scripting.
bool is_internet_explorer(const wire::RequestHead& head) {
  const wire::Field* agent = wire::find(head.fields, wire::FieldId::user_agent);
  return agent != nullptr && (agent->value.find(";MSIE") != std::string_view::npos ||
                              agent->value.find("Trident/") != std::string_view::npos);
}

}  // namespace

std::optional<std::string_view> origin_of(const wire::RequestHead& head) {
  for (const wire::Field& field : head.fields) {
    if (field.id == wire::FieldId::other && wire::equal_ignoring_case(field.name, "origin"))
      return field.value;
  }
  return std::nullopt;
}

ControlPackets::ControlPackets()
    : close(text("1")), ping(text("2")), pong(text("3")), probe_answer(text("3probe")), noop(text("6")) {}

Server::Impl::Impl(net::Loop& its_loop, http::Server& http, const Options& its_options,
                   Application& its_application)
    : loop(its_loop),
      options(its_options),
      application(its_application),
      hub(its_loop),
      sids(its_options.node_id),
      budget(its_loop, its_options.max_buffered),
      turn_end_(net::delegate<&Impl::on_turn_end>(this)),
      drain_tick_(its_loop, net::delegate<&Impl::on_drain_tick>(this)) {
  hub.limit_leaving(options.max_leaving);
  budget.watch(*this);
  budget.watch(http.spender());
  http.route(normal_path(options.path), *this);
}

Server::Impl::~Impl() {
  std::size_t place = 0;
  while (LiveSession* session = table.next_from(place)) {
    table.remove(*session);
    delete session;
  }
}

// --- sessions ---

void Server::Impl::admit(LiveSession& session) {
  table.add(session);
  ++totals.opened;
}

void Server::Impl::forget(LiveSession& session, Reason reason) {
  table.remove(session);
  ++totals.closed;
  ++totals.by_reason[static_cast<std::size_t>(reason)];
  dead_.emplace_back(&session);
  loop.at_end_of_turn(turn_end_);
}

void Server::Impl::overflow(LiveSession& session) {
  overflowing_.push_back(&session);  // freed after on_turn_end() has looked at it, not before
  loop.at_end_of_turn(turn_end_);
}

void Server::Impl::on_turn_end() {
  for (std::size_t i = 0; i < overflowing_.size(); ++i) overflowing_[i]->discard(Reason::slow_consumer);
  overflowing_.clear();
  carried_ = {};
  for (auto dead = std::exchange(dead_, {}); auto& session : dead) session.reset();
}

// A flood of handshakes is of those who never come back with the sid; an honest client does within a round
// trip.
bool Server::Impl::unasked_may_go() const {
  return unasked.size() > std::max<std::size_t>(kFewUnasked, options.max_sessions / kPartUnasked);
}

void Server::Impl::weigh(budget::Census& census) const {
  std::size_t place = 0;
  for (std::size_t i = 0; i < table.size(); ++i) census.count(table.next_from(place)->holds());
  hub.weigh(census);
}

// The table moves as they go.
void Server::Impl::evict(budget::Eviction& eviction) {
  std::vector<LiveSession*> largest;
  std::size_t place = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    LiveSession* const session = table.next_from(place);
    if (eviction.take(session->holds())) largest.push_back(session);
  }
  for (LiveSession* const each : largest) each->evict();
  hub.evict(eviction);
}

// --- answers ---

std::string_view Server::Impl::cors_fields_for(const http::Exchange& exchange) {
  fields_.clear();
  if (options.cors.enabled) append_cors_fields(fields_, options.cors, origin_of(exchange.head()));
  return fields_;
}

std::string_view Server::Impl::poll_fields_for(const http::Exchange& exchange, Coding coding,
                                               std::string_view new_sid) {
  cors_fields_for(exchange);
  if (coding != Coding::identity) {
    fields_ += "Content-Encoding: ";
    fields_ += name_of(coding);
    fields_ += "\r\n";
  }
  if (is_internet_explorer(exchange.head())) fields_ += "X-XSS-Protection: 0\r\n";
  fields_ += "cache-control: no-store\r\n";
  if (!new_sid.empty()) append_cookie(fields_, new_sid);
  return fields_;
}

void Server::Impl::append_cookie(std::string& fields, std::string_view sid) const {
  const Cookie& cookie = options.cookie;
  if (cookie.name.empty()) return;
  fields += "Set-Cookie: " + cookie.name + '=';
  fields += cookie.value.empty() ? sid : std::string_view(cookie.value);
  if (!cookie.attributes.empty()) fields += "; " + cookie.attributes;
  fields += "\r\n";
}

// One large answer must not be held for ever.
void Server::Impl::shrink_scratch() {
  if (body.capacity() > kMostScratch) body = {};
  if (compressed.capacity() > kMostScratch) compressed = {};
}

// --- packets ---

MessageRef Server::Impl::as_carried(const MessageRef& binary, int revision, bool base64) {
  if (&*binary == (carried_.from ? &*carried_.from : nullptr) && carried_.revision == revision &&
      carried_.base64 == base64) {
    return carried_.to;
  }
  MessageRef made;
  if (base64) {
    std::string packet = revision == 3 ? "b4" : "b";
    codec::append_base64(packet, binary->body());
    made = text(packet);
  } else {
    made = ws::Message::make(Kind::binary, {"\x04", binary->body()});
  }
  carried_ = {binary, made, revision, base64};
  loop.at_end_of_turn(turn_end_);  // which lets go of it
  return made;
}

}  // namespace limpet::engine
