// Exchange, third part: the request's body on its way up, and the client while it waits.
#include "proxy/session/exchange.h"

namespace limpet::session {
namespace {

constexpr std::size_t kMostAhead = 64 * 1024;  // read from a client that does not wait for its answer
constexpr std::uint64_t kProgress = 4096;      // what a body must move in one idle_timeout

}  // namespace

void Exchange::pump_request() {
  while (upstream_ && !request_done_ && !request_broken_ && !ended() && up_pending_.empty()) {
    std::string_view bytes = session_.rest();
    const bool with_head = !bytes.empty();
    if (!with_head && !read_client_body(bytes)) return;
    std::string_view raw;
    const std::size_t used = request_flow_.feed(bytes, up_pending_, raw);
    bytes_in_ += used;
    if (with_head) {
      session_.consume(used);
    } else {
      session_.ahead().append(bytes.substr(used));
    }
    if (request_flow_.state() == BodyFlow::State::refused) {
      const auto fault = request_flow_.fault();
      return refuse(fault ? Outcome{Cause::bad_request, fault}
                          : Outcome{Cause::body_too_large, std::nullopt});
    }
    body_begun_ = body_begun_ || used > 0;
    flush_up(raw);
    if (request_flow_.state() == BodyFlow::State::done) on_request_done();
  }
}

// False if there is nothing now, or nothing any more.
bool Exchange::read_client_body(std::string_view& bytes) {
  if (up_head_sent_ < up_head_.size()) flush_up({});  // a head that expects 100-continue goes out alone
  const std::span<char> into = worker_.scratch().first(upstream_.appetite(Worker::kScratch));
  const net::IoResult got = session_.client().read(into);
  if (got.status == net::Io::ok) {
    bytes = {into.data(), got.bytes};
    return true;
  }
  if (got.status == net::Io::again) {
    if (up_waiting_for_ != Wait::body) {
      stall_mark_ = bytes_in_;
      arm_up(Wait::body, config::ms(snapshot_->config->limits.idle_timeout));
    }
    session_.client().wait_read(net::delegate<&Exchange::on_client_readable>(this));
  } else {
    abort(Cause::client_gone);
  }
  return false;
}

// Writes what is due to the server: the head, body bytes kept, then `raw`; keeps what it does not take.
void Exchange::flush_up(std::string_view raw) {
  if (request_broken_ || !upstream_) return;
  iovec pieces[3];
  std::size_t count = 0, total = 0;
  for (const std::string_view each :
       {std::string_view(up_head_).substr(up_head_sent_), std::string_view(up_pending_), raw}) {
    if (each.empty()) continue;
    pieces[count++] = {const_cast<char*>(each.data()), each.size()};
    total += each.size();
  }
  if (total == 0) return;
  const net::IoResult sent = upstream_.write(std::span<const iovec>(pieces, count));
  if (sent.status == net::Io::error) {
    request_broken_ = true;  // the reading side tells what became of the server, or has its answer
    return;
  }
  std::size_t left = sent.bytes;
  const std::size_t of_head = std::min(left, up_head_.size() - up_head_sent_);
  up_head_sent_ += of_head;
  left -= of_head;
  const std::size_t of_pending = std::min(left, up_pending_.size());
  up_pending_.erase(0, of_pending);
  left -= of_pending;
  up_pending_.append(raw.substr(left));
  if (sent.bytes == total) {
    if (up_waiting_for_ == Wait::upload) arm_up(Wait::none, 0);
    return;
  }
  if (up_waiting_for_ != Wait::upload || sent.bytes > 0) arm_up(Wait::upload, response_ms());
  upstream_.wait_write(net::delegate<&Exchange::on_upstream_writable>(this));
}

void Exchange::on_upstream_writable() {
  flush_up({});
  const bool all_out = up_pending_.empty() && up_head_sent_ == up_head_.size();
  if (!request_done_) {
    pump_request();
  } else if (all_out && phase_ == Phase::waiting && waiting_for_ == Wait::none) {
    arm_first_byte();
  }
  session_.settle();
}

void Exchange::on_request_done() {
  request_done_ = true;
  if (up_waiting_for_ == Wait::body) arm_up(Wait::none, 0);
  if (phase_ == Phase::waiting && up_pending_.empty()) arm_first_byte();
  watch_client();
  check_over();
}

// While an answer is awaited the client is read, within bounds: to see it go, and what it sends next.
void Exchange::watch_client() {
  if (ended() || client_eof_ || session_.ahead().size() >= kMostAhead) return;
  session_.client().wait_read(net::delegate<&Exchange::on_client_readable>(this));
}

void Exchange::on_client_readable() {
  if (request_done_) {
    read_ahead();
  } else {
    pump_request();
  }
  session_.settle();
}

void Exchange::read_ahead() {
  constexpr std::size_t kOnce = 16 * 1024;
  const std::span<char> into = worker_.scratch().first(kOnce);
  const net::IoResult got = session_.client().read(into);
  switch (got.status) {
    case net::Io::ok: session_.ahead().append(into.data(), got.bytes); break;
    case net::Io::again: break;
    case net::Io::eof:
      client_eof_ = true;
      session_.note_end();
      // What it sent before is still answered (pipelining, then a half-close).
      if (session_.rest().empty() && session_.ahead().empty()) close_client_ = true;
      // A client of Engine.IO that ends its connection has gone; any other may still read (RFC 9112, 9.6).
      if (engineio_.engineio || websocket_) abort(Cause::client_gone);
      break;
    case net::Io::error: abort(Cause::client_gone); break;
  }
  watch_client();
}

void Exchange::on_upload_deadline() {
  const Wait why = std::exchange(up_waiting_for_, Wait::none);
  if (why == Wait::reconnect) {
    connect();
  } else if (why == Wait::body && bytes_in_ - stall_mark_ >= kProgress) {
    stall_mark_ = bytes_in_;
    arm_up(Wait::body, config::ms(snapshot_->config->limits.idle_timeout));
  } else {
    refuse(why == Wait::body ? Cause::client_stalled : Cause::server_silent);
  }
  session_.settle();
}

}  // namespace limpet::session
