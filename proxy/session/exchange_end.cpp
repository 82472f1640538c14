// Exchange, last part: refusals, cuts, the hand-over to a tunnel, the log line.
#include "proxy/log/access.h"
#include "proxy/session/affinity_cookie.h"
#include "proxy/session/exchange.h"
#include "proxy/session/tunnel_record.h"

namespace limpet::session {
namespace {

constexpr std::uint64_t kProgress = 4096;  // what a reader must take in one idle_timeout

std::string_view name_of(Blame blame) {
  switch (blame) {
    case Blame::client: return "client";
    case Blame::server: return "server";
    case Blame::proxy: return "proxy";
    case Blame::nobody: break;
  }
  return "server";
}

}  // namespace

// Answered by us. If an answer is on its way already, it can only be cut.
void Exchange::refuse(Outcome outcome) {
  if (ended()) return;
  if (head_out_) return cut(outcome);
  outcome_ = outcome;
  const bool left_over = websocket_ && (!session_.rest().empty() || !session_.ahead().empty());
  const bool short_of = outcome.cause == Cause::local_shortage;  // its descriptor is needed elsewhere
  const bool clean = outcome.cause != Cause::bad_request && request_done_ && !left_over;
  close_client_ = close_client_ || !clean || short_of || (websocket_ && outcome.cause == Cause::sid_gone);
  close_client_unread_ = !clean;
  drop_upstream();
  head_out_ = answer_done_ = true;
  request_broken_ = true;  // no more of it is read
  phase_ = Phase::answering;
  status_ = static_cast<std::uint16_t>(session::status_of(outcome));
  const wire::Field* accept = wire::find(head_.fields, wire::FieldId::accept);
  PageOptions page;
  page.request_id = request_id_;
  page.json = accept != nullptr && accepts_json(accept->value);
  page.head_only = head_.method == wire::Method::head;
  page.close = close_client_;
  page.upgrade = websocket_;
  page.client_minor = head_.minor;
  append_answer(down_pending_, outcome, page);
  write_down({});
  check_over();
}

void Exchange::answer_ready() {
  outcome_ = {Cause::ready, std::nullopt};
  close_client_ = close_client_ || !request_done_;
  const bool ready = worker_.shared().ready.load(std::memory_order_relaxed);
  head_out_ = answer_done_ = true;
  phase_ = Phase::answering;
  status_ = ready ? 200 : 503;
  append_ready(
      down_pending_, ready,
      {.head_only = head_.method == wire::Method::head, .close = close_client_, .client_minor = head_.minor});
  write_down({});
  check_over();
}

// The answer cannot be finished: the client must not take what it has for a whole one.
void Exchange::cut(Outcome outcome) {
  if (ended()) return;
  outcome_ = outcome;
  drop_upstream();
  phase_ = Phase::cut;
  reset_client_ = head_out_;
}

void Exchange::abort(Cause cause) {
  cut({cause, std::nullopt});
}

void Exchange::close_after() {
  close_client_ = true;
}

void Exchange::become_tunnel(std::string_view early) {
  if (const auto fault = wire::check_switching(answer_, offer_)) return refuse({Cause::bad_answer, *fault});
  // Its tunnels were closed before this one began.
  if (pool_->settings.health.on_down == config::OnDown::close &&
      (ticket_->state() == routing::State::down || has_left())) {
    return refuse(Cause::server_closed);
  }
  const AffinityCookie cookie = decide_cookie(*pool_, choice_, kind_, answer_, client_scheme());
  wire::ClientHeadOptions options;
  options.websocket = true;
  options.set_cookie = cookie.set;
  options.replace_cookie = cookie.replace;
  options.rewrite_value = cookie.rewrite_value;
  if (snapshot_->config->proxy.via) options.via_pseudonym = "limpet";
  const auto result = wire::append_client_head(down_pending_, answer_, options);
  if (result.server_cookie_dropped) warn_of_cookie();
  down_pending_.append(early);
  status_ = 101;
  write_down({});
  if (ended()) return;  // the client has gone
  session_.client().cancel_write();
  up_head_.clear();
  up_head_sent_ = 0;
  up_pending_.append(session_.rest()).append(session_.ahead());  // what followed the request waited for this
  const std::size_t held = up_pending_.size();
  flush_up({});

  tunnel::Handover handover;
  handover.bytes_in = held;
  handover.bytes_out = early.size();
  handover.to_client = down_pending_;  // mostly empty, both
  handover.to_server = up_pending_;
  handover.idle_ms = config::ms(pool_->settings.timeouts.tunnel_idle);
  handover.server_serial = ticket_->serial;
  handover.close_on_server_down = pool_->settings.health.on_down == config::OnDown::close;
  const bool learned = kind_ == routing::Kind::belongs && choice_.by == routing::By::learned;
  const log::AccessRecord record = access_record();
  leave_handshake_list();
  handover.record =
      TunnelRecord::make(worker_.shared(), {ticket_.become_tunnel(), choice_.by, begun_us_, learned}, record);
  session_.give_place();
  worker_.count().upgrades.add();
  handover.client = std::move(session_.client());
  handover.server = std::move(upstream_);
  worker_.engine().adopt(std::move(handover));  // from here on nobody in this folder owns a socket of it
  drop_upstream();
  phase_ = Phase::tunnelled;
}

// The server has been forgotten since this exchange began.
bool Exchange::has_left() const {
  return snapshot_ != worker_.snapshot() && !worker_.lists(*ticket_);
}

void Exchange::arm(Wait why, std::uint64_t after_ms) {
  waiting_for_ = why;
  deadline_.after(after_ms);
}

void Exchange::arm_up(Wait why, std::uint64_t after_ms) {
  up_waiting_for_ = why;
  if (why == Wait::none) {
    up_timer_.cancel();
  } else {
    up_timer_.after(after_ms);
  }
}

void Exchange::on_deadline() {
  const Wait why = std::exchange(waiting_for_, Wait::none);
  if (why == Wait::handshake) {
    on_handshake_late();
  } else if (why == Wait::reader && bytes_out_ - stall_mark_down_ >= kProgress) {
    stall_mark_down_ = bytes_out_;
    arm(Wait::reader, config::ms(snapshot_->config->limits.idle_timeout));
  } else if (why == Wait::reader) {
    cut({Cause::client_stalled, std::nullopt});
  } else {
    refuse(Cause::server_silent);
  }
  session_.settle();
}

log::AccessRecord Exchange::access_record() {
  const auto since = [this](std::uint64_t us) {
    return us == ~0ull ? log::AccessRecord::kNever : us - std::min(us, begun_us_);
  };
  log::AccessRecord record;
  record.client = client_text();
  record.request_id = request_id_;
  record.method = head_.method_text.empty() ? "-" : head_.method_text;
  record.host = head_.authority;
  record.target = head_.target.empty() ? "-" : snapshot_->config->log.query ? head_.target : head_.path;
  record.http_minor = head_.minor;
  record.status = status_;
  if (pool_ != nullptr) record.route = pool_->settings.name;
  if (servers_ > 0) record.server = tried_[servers_ - 1u]->id;
  if (servers_ > 0) record.by = routing::name_of(choice_.by);
  record.sid = engineio_.sid();
  record.retries = retries_;
  record.connect_us = since(connected_us_);
  record.first_byte_us = since(first_byte_us_);
  record.total_us = net::now_us() - begun_us_;
  record.bytes_in = bytes_in_;
  record.bytes_out = bytes_out_;
  record.ended_by = name_of(answer_of(outcome_.cause).ended_by);
  record.reason = reason_of(outcome_);
  if (const wire::Field* agent = wire::find(head_.fields, wire::FieldId::user_agent))
    record.user_agent = agent->value;
  return record;
}

std::string_view Exchange::client_text() {
  const std::string_view peer = session_.peer_text();
  if (!client_.believed_peer || !client_.known) return peer;
  client_text_ = client_.address.shown();
  return client_text_;
}

void Exchange::log() {
  Metrics& count = worker_.count();
  const auto cause = static_cast<std::size_t>(outcome_.cause);
  count.causes[cause].add();
  if (outcome_.fault) {
    auto& faults = outcome_.cause == Cause::bad_request ? count.request_faults : count.answer_faults;
    faults[static_cast<std::size_t>(*outcome_.fault)].add();
  }
  count.by_status_class[std::min<std::size_t>(status_ / 100u, 5)].add();
  if (phase_ == Phase::tunnelled) return;  // its line comes at its end
  count.bytes_in.add(bytes_in_);
  count.bytes_out.add(bytes_out_);
  if (servers_ > 0) {
    auto& load = const_cast<routing::Server*>(tried_[servers_ - 1u])->load;
    load.bytes_in.fetch_add(bytes_in_, std::memory_order_relaxed);
    load.bytes_out.fetch_add(bytes_out_, std::memory_order_relaxed);
  }
  if (log::access_enabled()) log::access(access_record());
}

}  // namespace limpet::session
