// Exchange, fourth part: the answer, head and body, on its way down.
#include "proxy/log/log.h"
#include "proxy/session/affinity_cookie.h"
#include "proxy/session/exchange.h"

namespace limpet::session {
namespace {

constexpr int kReadsPerTurn = 8;              // before other connections have a turn
constexpr std::size_t kHeadRead = 16 * 1024;  // while the answer's head is awaited
constexpr std::uint8_t kMostInterim = 16;
constexpr std::size_t kSmall = 4 * 1024;  // of a body that is joined with its head: cheaper than two pieces

}  // namespace

void Exchange::on_upstream_readable() {
  read_answer();
  session_.settle();
}

// Reads while the client takes what is read.
void Exchange::read_answer() {
  const std::span<char> into =
      worker_.scratch().first(head_out_ ? session_.client().appetite(Worker::kScratch) : kHeadRead);
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (!upstream_ || answer_done_ || ended() || (head_out_ && !down_pending_.empty())) return;
    const net::IoResult got = upstream_.read(into);
    if (got.status == net::Io::again) break;
    if (got.status != net::Io::ok) return on_answer_end(got.status == net::Io::error);
    on_answer_bytes({into.data(), got.bytes});
    if (got.bytes < into.size()) break;
  }
  if (upstream_ && !answer_done_ && !ended() && (!head_out_ || down_pending_.empty())) {
    upstream_.wait_read(net::delegate<&Exchange::on_upstream_readable>(this));
  }
}

void Exchange::on_answer_bytes(std::string_view bytes) {
  if (!answer_begun_) {
    answer_begun_ = true;
    first_byte_us_ = net::now_us();
    leave_handshake_list();
  }
  if (head_out_) return pass_answer(bytes);
  answer_in_.append(bytes);
  parse_answer_heads();
}

void Exchange::parse_answer_heads() {
  while (!ended() && !head_out_) {
    switch (answer_scanner_.feed(answer_in_)) {
      case wire::HeadScanner::Step::more:
        if (!answer_scanner_.begun()) return await_head();
        if (waiting_for_ != Wait::head) arm(Wait::head, response_ms());  // the whole head, not each read
        return;
      case wire::HeadScanner::Step::refused: return refuse({Cause::bad_answer, answer_scanner_.fault()});
      case wire::HeadScanner::Step::complete: break;
    }
    const std::size_t length = answer_scanner_.length();
    const std::string_view head =
        std::string_view(answer_in_).substr(0, length).substr(answer_scanner_.start());
    auto parsed = wire::parse_response(head, head_.method, websocket_, room_.answer_fields);
    if (const auto* fault = std::get_if<wire::Fault>(&parsed)) return refuse({Cause::bad_answer, *fault});
    answer_ = std::get<wire::ResponseHead>(parsed);
    if (answer_.status == 101) return become_tunnel(std::string_view(answer_in_).substr(length));
    if (answer_.status < 200) {
      if (++interim_ > kMostInterim) return refuse({Cause::bad_answer, wire::Fault::too_many_interim});
      on_interim();
      answer_in_.erase(0, length);
      answer_scanner_.reset();
      continue;
    }
    const std::string_view rest = std::string_view(answer_in_).substr(length);
    if (answer_.body.kind == wire::BodyKind::none && !rest.empty()) {
      return refuse({Cause::bad_answer, wire::Fault::unexpected_body});
    }
    on_final_head();
    pass_answer(rest);
    answer_in_.clear();
  }
}

void Exchange::on_interim() {
  if (head_.minor == 0) return;
  wire::append_interim_head(down_pending_, answer_);
  write_down({});
}

// After an interim answer: a head is due once the request is whole, and each interim one gives it more time.
void Exchange::await_head() {
  if (waiting_for_ == Wait::reader) return;
  deadline_.cancel();
  waiting_for_ = Wait::none;
  if (request_done_ && up_pending_.empty() && up_head_sent_ == up_head_.size()) arm_first_byte();
}

void Exchange::on_final_head() {
  phase_ = Phase::answering;
  head_out_ = true;
  status_ = answer_.status;
  const wire::Body framing = answer_.body;
  const bool old_client = head_.minor == 0;
  const bool unsized = framing.kind == wire::BodyKind::chunked || framing.kind == wire::BodyKind::until_close;
  upstream_reusable_ = answer_.keep_alive && framing.kind != wire::BodyKind::until_close;
  // Bytes of an upgrade that was refused, or of a body that nobody will read, must not pass for a request.
  const bool left_over = websocket_ && (!session_.rest().empty() || !session_.ahead().empty());
  close_client_ = close_client_ || !request_done_ || left_over || (old_client && unsized) ||
                  worker_.shared().draining.load(std::memory_order_relaxed);
  if (framing.kind == wire::BodyKind::until_close && !old_client) answer_.body.kind = wire::BodyKind::chunked;
  answer_flow_ = BodyFlow(framing, unsized && !old_client, ~0ull);

  const AffinityCookie cookie = decide_cookie(*pool_, choice_, kind_, answer_, client_scheme());
  wire::ClientHeadOptions options;
  options.method = head_.method;
  options.client_minor = head_.minor;
  options.close = close_client_;
  options.dechunk = old_client;
  options.set_cookie = cookie.set;
  options.private_no_store = !cookie.set.empty();
  options.replace_cookie = cookie.replace;
  options.rewrite_value = cookie.rewrite_value;
  if (snapshot_->config->proxy.via) options.via_pseudonym = "limpet";
  const wire::ClientHeadResult result = wire::append_client_head(down_pending_, answer_, options);
  if (result.server_cookie_dropped) warn_of_cookie();
  const bool polls = engineio_.engineio && !websocket_ && holds(routing::Affinity::sid);
  sampling_ = polls && ((kind_ == routing::Kind::begins && answer_.status == 200) ||
                        (kind_ == routing::Kind::belongs && answer_.status == 400));
}

void Exchange::warn_of_cookie() {
  if (pool_->shared->cookie_warned.exchange(true)) return;
  log::warn(
      "pool {}: server {} sets a cookie \"{}\" of its own, which is replaced by the proxy's; use mode = "
      "\"passive\" or \"rewrite\", or another name",
      pool_->settings.name, ticket_->id, pool_->settings.cookie.name);
}

void Exchange::pass_answer(std::string_view bytes) {
  std::string_view raw;
  const std::size_t used = sampling_ ? answer_flow_.feed(bytes, down_pending_, raw, sample_)
                                     : answer_flow_.feed(bytes, down_pending_, raw);
  if (answer_flow_.state() == BodyFlow::State::refused) return cut({Cause::bad_answer, answer_flow_.fault()});
  if (answer_flow_.state() == BodyFlow::State::done) {
    if (used < bytes.size()) upstream_reusable_ = false;  // more than it announced
    on_answer_done();
  } else {
    arm(Wait::answer, response_ms());
  }
  write_down(raw);
  check_over();
}

// Writes what is due to the client, keeps what it does not take, and then reads no more from the server.
void Exchange::write_down(std::string_view raw) {
  if (!down_pending_.empty() && raw.size() <= kSmall) {
    down_pending_.append(raw);
    raw = {};
  }
  const iovec pieces[2] = {{down_pending_.data(), down_pending_.size()},
                           {const_cast<char*>(raw.data()), raw.size()}};
  const std::size_t total = down_pending_.size() + raw.size();
  if (total == 0) return;
  const net::IoResult sent = session_.client().write(std::span<const iovec>(pieces, raw.empty() ? 1 : 2));
  if (sent.status == net::Io::error) return abort(Cause::client_gone);
  bytes_out_ += sent.bytes;
  if (sent.bytes == total) {
    down_pending_.clear();
    session_.client().cancel_write();
    return;
  }
  const std::size_t of_pending = std::min(sent.bytes, down_pending_.size());
  down_pending_.erase(0, of_pending);
  down_pending_.append(raw.substr(sent.bytes - of_pending));
  if (waiting_for_ != Wait::reader) {
    stall_mark_down_ = bytes_out_;
    arm(Wait::reader, config::ms(snapshot_->config->limits.idle_timeout));
  }
  session_.client().wait_write(net::delegate<&Exchange::on_client_writable>(this));
}

void Exchange::on_client_writable() {
  write_down({});
  if (!ended() && down_pending_.empty()) {
    deadline_.cancel();
    waiting_for_ = Wait::none;
    check_over();
    if (!answer_done_ && !ended()) {
      if (head_out_) {
        arm(Wait::answer, response_ms());
      } else {
        await_head();
      }
      read_answer();
    }
  }
  session_.settle();
}

// The server ended its connection, or broke it.
void Exchange::on_answer_end(bool broken) {
  if (!answer_begun_) return on_silent_end();
  if (!head_out_) return refuse(Cause::cut_answer);
  upstream_reusable_ = false;
  if (broken || !answer_flow_.end(down_pending_)) return cut({Cause::cut_answer, std::nullopt});
  on_answer_done();
  write_down({});
  check_over();
}

void Exchange::on_answer_done() {
  answer_done_ = true;
  deadline_.cancel();
  up_timer_.cancel();
  waiting_for_ = Wait::none;
  if (sampling_) sniff();
  // After a reload the server may be gone, or elsewhere.
  const bool of_now = snapshot_ == worker_.snapshot();
  if (of_now && upstream_reusable_ && request_done_ && !request_broken_ && up_pending_.empty()) {
    upstream_.cancel_read();
    upstream_.cancel_write();
    worker_.idle().put(ticket_->serial, std::move(upstream_), keep_upstream_ms());
  } else {
    upstream_.close();
  }
}

std::uint64_t Exchange::keep_upstream_ms() const {
  const std::uint64_t configured = config::ms(pool_->settings.timeouts.keep_alive);
  if (!answer_.keep_alive_timeout_s) return configured;
  const std::uint64_t said = *answer_.keep_alive_timeout_s;
  return std::min<std::uint64_t>(configured, said > 0 ? (said - 1) * 1000 : 0);
}

// What the answer says of sessions: one that it opens, or one that it does not know any more.
void Exchange::sniff() {
  sampling_ = false;
  routing::SidTable& sids = worker_.shared().sids;
  if (kind_ == routing::Kind::belongs) {
    if (wire::says_sid_unknown(sample_.bytes())) sids.forget(engineio_.sid());
    return;
  }
  const auto open = wire::parse_engineio_open(sample_.bytes());
  if (!open) return;
  const auto life = static_cast<std::uint32_t>((open->ping_interval + open->ping_timeout).count());
  pool_->shared->session_life_ms.store(life, std::memory_order_relaxed);
  const bool names_itself = open->sid.size() == 20 && open->sid.ends_with(ticket_->tag);
  if (!names_itself) warn_of_tag(open->sid);
  if (!names_itself) sids.learn(open->sid, ticket_->serial, key_, life, worker_.loop().turn_ms());
}

// A sid that names another server is sent there.
void Exchange::warn_of_tag(std::string_view sid) {
  const routing::Member* named = sid.size() == 20 ? pool_->routing.by_tag(sid.substr(12)) : nullptr;
  if (named == nullptr || pool_->shared->tag_warned.exchange(true)) return;
  log::warn(
      "pool {}: server {} gives out sids that name {}: its requests will go there; give each server its own "
      "id",
      pool_->settings.name, ticket_->id, named->server->id);
}

void Exchange::check_over() {
  if (ended() || !answer_done_ || !down_pending_.empty()) return;
  close_client_ = close_client_ || !request_done_;
  phase_ = Phase::over;
}

}  // namespace limpet::session
