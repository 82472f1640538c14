// Exchange, first part: who asks, for what, and which server that makes.
#include "proxy/session/exchange.h"

#include "proxy/wire/cookie.h"

namespace limpet::session {

using routing::Affinity;
using routing::Kind;

Exchange::Exchange(Session& session, std::uint64_t begun_us)
    : session_(session),
      worker_(session.worker()),
      room_(session.room()),
      snapshot_(worker_.snapshot()),
      connect_(worker_.loop(), net::delegate<&Exchange::on_connected>(this)),
      answer_scanner_(wire::HeadScanner::Kind::response,
                      {snapshot_->config->limits.head_bytes, snapshot_->config->limits.head_fields,
                       snapshot_->config->limits.target_bytes}),
      deadline_(worker_.loop(), net::delegate<&Exchange::on_deadline>(this)),
      up_timer_(worker_.loop(), net::delegate<&Exchange::on_upload_deadline>(this)),
      slow_(worker_.loop(), net::delegate<&Exchange::on_slow>(this)),
      begun_us_(begun_us) {
  room_.clear_exchange();
  worker_.write_request_id(own_id_);
  request_id_ = {own_id_.data(), own_id_.size()};
}

Exchange::~Exchange() {
  leave_handshake_list();
}

void Exchange::begin(std::string_view head) {
  worker_.count().requests.add();
  bytes_in_ = head.size();
  auto parsed = wire::parse_request(head, room_.fields);
  if (const auto* fault = std::get_if<wire::Fault>(&parsed)) {
    head_ = wire::guess_request(head);
    return refuse({Cause::bad_request, *fault});
  }
  head_ = std::get<wire::RequestHead>(parsed);
  request_done_ = head_.body.empty();
  close_client_ =
      close_client_ || !head_.keep_alive || worker_.shared().draining.load(std::memory_order_relaxed);

  const auto& ready_path = session_.listener().ready_path;
  const bool reads = head_.method == wire::Method::get || head_.method == wire::Method::head;
  if (ready_path && reads && head_.path == *ready_path) return answer_ready();

  if (head_.body.kind == wire::BodyKind::length && head_.body.length > snapshot_->config->limits.body_bytes) {
    return refuse(Cause::body_too_large);
  }
  const auto target = snapshot_->routes.find(head_.host, head_.path);
  if (!target) return refuse(Cause::no_route);
  pool_ = snapshot_->pools[*target].get();
  websocket_ = wire::asks_websocket(head_);
  if (websocket_) {
    if (const auto fault = wire::check_handshake(head_)) return refuse({Cause::bad_request, *fault});
    offer_ = wire::offer_of(head_);
  }
  identify();
  classify();
  request_flow_ =
      BodyFlow(head_.body, head_.body.kind == wire::BodyKind::chunked, snapshot_->config->limits.body_bytes);
  choose();
}

void Exchange::identify() {
  const auto& proxy = snapshot_->config->proxy;
  const auto peer = session_.peer().ip_address();
  client_ =
      wire::identify_client(head_.fields, peer ? &*peer : nullptr, proxy.trusted_proxies, proxy.trust_unix);
  if (const auto theirs = wire::believed_request_id(head_, client_); !theirs.empty()) request_id_ = theirs;
  if (client_.known) key_ = routing::ClientKey::of(client_.address.bytes());
  if (!client_.believed_peer && wire::find(head_.fields, wire::FieldId::x_forwarded_for) != nullptr) {
    worker_.warn_untrusted(session_.peer());
  }
}

// What the client spoke to the outermost proxy: a trusted peer's word, else our own listener's.
std::string_view Exchange::client_scheme() const {
  const wire::Field* said = wire::find(head_.fields, wire::FieldId::x_forwarded_proto);
  if (!client_.believed_peer || said == nullptr) return "http";
  const std::string_view first =
      said->value.substr(0, said->value.find_first_of(", \t"));  // of a list: the outermost
  return wire::equal_ignoring_case(first, "https") ? "https" : "http";
}

// The design's words: a request begins a session, belongs to one, or is plain.
void Exchange::classify() {
  if (pool_->settings.engineio) engineio_ = wire::parse_engineio_query(head_.query);
  if (engineio_.engineio && engineio_.sid_length > 0) {
    kind_ = Kind::belongs;
  } else if (engineio_.engineio && engineio_.sid_given) {
    kind_ = Kind::plain;  // a sid that is none to us; what it is to the server, this must not be sent twice
  } else if (engineio_.engineio || websocket_) {
    kind_ = Kind::begins;
    pool_->shared->budget.count_handshake(worker_.loop().turn_ms());
  }
  if (holds(Affinity::cookie)) {
    cookie_count_ = wire::cookie_values(head_.fields, pool_->settings.cookie.name, cookies_);
  }
}

routing::Choice Exchange::ask(std::span<const routing::Server* const> not_these) {
  routing::Ask ask;
  ask.kind = kind_;
  ask.client = key_;
  ask.sid = engineio_.sid();
  ask.cookies = std::span(cookies_).first(cookie_count_);
  ask.now_ms = worker_.loop().turn_ms();
  ask.not_these = not_these;
  return worker_.chooser().choose(pool_->routing, ask);
}

// A server that was not tried, and a place on it. Another thread may take the last place between the choice
// and the count: then the choice is made again, and finds that server full.
Exchange::Place Exchange::place() {
  constexpr int kTries = 4;
  routing::Choice choice;
  for (int i = 0; i < kTries; ++i) {
    choice = ask(std::span(tried_).first(servers_));
    if (choice.member == nullptr) break;
    const std::uint32_t most = kind_ == Kind::belongs ? 0 : choice.member->max_connections;
    LoadTicket ticket = LoadTicket::take(choice.member->server, most);
    if (ticket && over_pool_bound()) break;
    if (ticket) return {choice, std::move(ticket)};
  }
  lack_ = choice.member == nullptr ? choice.refusal : routing::Refusal::full;
  return {};
}

void Exchange::take(Place place) {
  choice_ = place.choice;
  ticket_ = std::move(place.ticket);
}

// Looked at once more with the new place counted, so that no two workers can take the last one.
bool Exchange::over_pool_bound() const {
  const std::uint32_t most = pool_->settings.max_connections;
  return most != 0 && kind_ != Kind::belongs && servers_ == 0 && pool_->routing.load() > most;
}

void Exchange::choose() {
  take(place());
  if (!ticket_) {
    switch (lack_) {
      case routing::Refusal::none:
      case routing::Refusal::all_down: return refuse(Cause::all_down);
      case routing::Refusal::sid_gone: return refuse(Cause::sid_gone);
      case routing::Refusal::lost: return refuse(Cause::lost);
      case routing::Refusal::full: return refuse(Cause::full);
    }
  }
  worker_.count().chosen_by[static_cast<std::size_t>(choice_.by)].add();
  if (kind_ == Kind::belongs) {
    life_ms_ =
        choice_.life_ms ? choice_.life_ms : pool_->shared->session_life_ms.load(std::memory_order_relaxed);
  }
  build_upstream_head();
  attempt();
}

void Exchange::build_upstream_head() {
  wire::UpstreamHeadOptions options;
  const auto peer = session_.peer().ip_address();
  options.client = client_;
  options.peer = peer ? &*peer : nullptr;
  options.request_id = request_id_;
  const config::CookieMode mode = pool_->settings.cookie.mode;
  const bool hides_cookie = mode == config::CookieMode::insert || mode == config::CookieMode::rewrite;
  if (holds(Affinity::cookie) && hides_cookie) options.drop_cookie = pool_->settings.cookie.name;
  options.websocket = websocket_;
  options.via = snapshot_->config->proxy.via;
  options.drop_accept_encoding =
      engineio_.engineio && kind_ == Kind::begins && !websocket_ && holds(Affinity::sid);
  wire::append_upstream_head(up_head_, head_, options);
}

}  // namespace limpet::session
