// Exchange, second part: a server at a time. What is tried again, and what never, is decided here.
#include <errno.h>

#include "proxy/session/exchange.h"

namespace limpet::session {
namespace {

constexpr std::uint64_t kSlowMs = 500;     // a handshake without a byte: its server is probed
constexpr std::uint8_t kMostServers = 2;   // a request
constexpr std::uint8_t kMostConnects = 2;  // a server

}  // namespace

void Exchange::attempt() {
  tried_[servers_++] = choice_.member->server.get();
  connects_ = 0;
  reused_ = false;
  connect_begun_ms_ = worker_.loop().turn_ms();
  if (kind_ == routing::Kind::begins) {
    worker_.wait_for_handshake(*this);
    listed_ = true;
  }
  if (!websocket_) {
    upstream_ = worker_.idle().take(ticket_->serial);
    if (upstream_) {
      reused_ = true;
      worker_.count().reused.add();
      return send_request(0);
    }
  }
  connect();
}

void Exchange::connect() {
  phase_ = Phase::connecting;
  reused_ = false;
  ++connects_;
  worker_.count().connects.add();
  const std::uint64_t window = config::ms(pool_->settings.timeouts.connect);
  const std::uint64_t spent = worker_.loop().turn_ms() - connect_begun_ms_;
  // A head without a body may leave with the connect, once there is a connection. With the SYN goes only what
  // does no harm if a server sees it twice: the network may repeat a SYN, and a connect that failed for us
  // may have reached the server.
  const net::Early early{request_done_ ? std::string_view(up_head_) : std::string_view(),
                         pool_->settings.fast_open && may_resend()};
  const bool at_once =
      connect_.start(worker_.addresses(*pool_, *choice_.member), pool_->settings.source_addresses,
                     worker_.next_turn(), spent < window ? window - spent : 0, early);
  if (at_once) after_connect();
}

void Exchange::on_connected() {
  after_connect();
  session_.settle();
}

void Exchange::after_connect() {
  if (connect_.error() != 0) return on_connect_failed(connect_.error());
  worker_.shared().observer.connect_succeeded(*ticket_);
  upstream_ = std::move(connect_.stream());
  connected_us_ = net::now_us();
  send_request(connect_.early_sent());
}

void Exchange::on_connect_failed(int error) {
  const bool ours = net::is_local_shortage(error);
  if (!ours) worker_.shared().observer.connect_failed(*ticket_, error);
  if (kind_ == routing::Kind::belongs) {
    // No other can stand in for it, and it may be restarting: once more, late in the time that it has.
    const std::uint64_t window = config::ms(pool_->settings.timeouts.connect);
    const std::uint64_t again = connect_begun_ms_ + window - window / 4, now = worker_.loop().turn_ms();
    if (!ours && connects_ < kMostConnects && now < again) return arm_up(Wait::reconnect, again - now);
    if (!ticket_->serves_old()) return refuse(Cause::sid_gone);
    if (!ours) return refuse(Cause::unreachable);
  } else if (servers_ < kMostServers && !body_begun_) {
    if (Place another = place(); another.ticket) {
      leave_handshake_list();
      take(std::move(another));
      ++retries_;
      worker_.count().retries_connect.add();
      return attempt();
    }
    if (lack_ == routing::Refusal::lost) return refuse(Cause::lost);
  }
  refuse(ours ? Cause::local_shortage : error == ETIMEDOUT ? Cause::connect_timeout : Cause::connect_failed);
}

// A request that may be sent twice without harm, of which nothing but a head was written.
bool Exchange::may_resend() const {
  return wire::idempotent(head_.method) && !engineio_.sid_given && head_.body.empty();
}

void Exchange::send_request(std::size_t head_sent) {
  phase_ = Phase::waiting;
  up_head_sent_ = head_sent;
  request_broken_ = false;
  if (kind_ == routing::Kind::begins) slow_.after(kSlowMs);
  upstream_.wait_read(net::delegate<&Exchange::on_upstream_readable>(this));
  if (request_done_) {
    arm_first_byte();
    flush_up({});
    watch_client();
  } else {
    pump_request();
  }
}

void Exchange::arm_first_byte() {
  const bool first_try = kind_ == routing::Kind::begins && servers_ == 1 && !answer_begun_;
  if (first_try) {
    arm(Wait::handshake, config::ms(pool_->settings.timeouts.handshake));
  } else {
    arm(Wait::first_byte, response_ms());
  }
}

std::uint64_t Exchange::response_ms() const {
  constexpr std::uint64_t kPollMargin = 5'000;
  const std::uint64_t configured = config::ms(pool_->settings.timeouts.response);
  if (kind_ != routing::Kind::belongs || life_ms_ == 0) return configured;
  return std::max<std::uint64_t>(configured, life_ms_ + kPollMargin);
}

void Exchange::drop_upstream() {
  connect_.cancel();
  upstream_.close();
  deadline_.cancel();
  up_timer_.cancel();
  waiting_for_ = up_waiting_for_ = Wait::none;
  leave_handshake_list();
  ticket_.release();
}

void Exchange::leave_handshake_list() {
  if (listed_) worker_.forget_handshake(*this);
  listed_ = false;
  stop_slow_clock();
}

void Exchange::stop_slow_clock() {
  slow_.cancel();
  if (counted_slow_) ticket_->view.slow_handshakes.fetch_sub(1, std::memory_order_relaxed);
  counted_slow_ = false;
}

// On to another server, the first one's connection closed at once. Only a request that begins a session, only
// before a byte of an answer, only once.
bool Exchange::move_on(net::Counter& counter, Spend spend) {
  lack_ = routing::Refusal::none;
  if (kind_ != routing::Kind::begins || answer_begun_ || body_begun_ || servers_ >= kMostServers)
    return false;
  Place another = place();
  if (!another.ticket || (spend == Spend::yes && !pool_->shared->budget.take(worker_.loop().turn_ms())))
    return false;
  drop_upstream();
  up_pending_.clear();
  take(std::move(another));
  ++retries_;
  counter.add();
  attempt();
  return true;
}

// After silence: freely if health has found it silent too, else within the pool's budget.
bool Exchange::try_elsewhere() {
  const routing::State state = ticket_->state();
  if (state == routing::State::suspect || state == routing::State::down) {
    return move_on(worker_.count().retries_moved, Spend::no);
  }
  return !pool_is_slow() && move_on(worker_.count().retries_handshake, Spend::yes);
}

// More than half of the servers slow: the pool is overloaded, not broken, and a second try would add to it.
bool Exchange::pool_is_slow() const {
  std::size_t slow = 0, all = 0;
  for (const routing::Member& each : pool_->routing.members()) {
    if (each.server->state() == routing::State::down) continue;
    ++all;
    if (each.server->is_slow()) ++slow;
  }
  return slow * 2 > all;
}

void Exchange::on_handshake_late() {
  if (try_elsewhere()) return;
  const std::uint64_t spent = config::ms(pool_->settings.timeouts.handshake);
  const std::uint64_t allowed = response_ms();
  arm(Wait::first_byte, allowed > spent ? allowed - spent : 0);
}

void Exchange::on_slow() {
  counted_slow_ = true;
  ticket_->view.slow_handshakes.fetch_add(1, std::memory_order_relaxed);
  worker_.shared().observer.handshake_slow(*ticket_);
}

void Exchange::server_silent(std::uint32_t server_serial) {
  const bool waits = phase_ == Phase::waiting || phase_ == Phase::connecting;
  if (!waits || !ticket_ || ticket_->serial != server_serial) return;
  if (!move_on(worker_.count().retries_moved, Spend::no)) {
    if (lack_ != routing::Refusal::lost) return;
    refuse(Cause::lost);
  }
  session_.settle();
}

void Exchange::server_down(std::uint32_t server_serial) {
  if (pool_ == nullptr || pool_->settings.health.on_down != config::OnDown::close) return;
  if (ended() || head_out_ || kind_ != routing::Kind::belongs || !ticket_ || ticket_->serial != server_serial)
    return;
  refuse(Cause::sid_gone);
  session_.settle();
}

// The server closed its connection without a byte of an answer.
void Exchange::on_silent_end() {
  if (reused_ && may_resend()) {
    upstream_.close();
    deadline_.cancel();
    stop_slow_clock();
    connect_begun_ms_ = worker_.loop().turn_ms();
    ++retries_;
    worker_.count().retries_stale.add();
    return connect();
  }
  if (try_elsewhere()) return;
  refuse(Cause::server_closed);
}

}  // namespace limpet::session
