#include "proxy/session/session.h"

#include <cassert>
#include <memory>
#include <new>

#include "proxy/log/access.h"
#include "proxy/session/exchange.h"

namespace limpet::session {
namespace {

constexpr std::size_t kHeadRead = 16 * 1024;  // one read while a head is awaited
constexpr std::uint64_t kLingerMs = 5'000;    // after the last answer: for the client to read it
constexpr int kLingerReads = 8;               // of what it still sends, before others have a turn
constexpr std::uint64_t kFreshMs = 1'000;     // while draining: for the first request of a new connection

wire::HeadLimits head_limits(const config::Limits& limits) {
  return {limits.head_bytes, limits.head_fields, limits.target_bytes};
}

}  // namespace

Session::Session(Worker& worker, net::Stream client, const net::Address& peer, std::uint32_t listener)
    : worker_(worker),
      client_(std::move(client)),
      peer_(peer),
      scanner_(wire::HeadScanner::Kind::request, head_limits(worker.snapshot()->config->limits)),
      deadline_(worker.loop(), net::delegate<&Session::on_deadline>(this)),
      listener_(listener) {}

void DestroyExchange::operator()(Exchange* exchange) const {
  std::destroy_at(exchange);
}

Session::~Session() {
  exchange_.reset();
  give_room_back();
  if (has_place_) worker_.shared().client_has_gone();
}

void Session::move_to(Phase next) {
  assert(phase_ != Phase::closed);
  phase_ = next;
}

const config::Listener& Session::listener() const {
  return worker_.snapshot()->config->listeners[listener_];
}

std::string_view Session::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.text();
  return peer_text_;
}

void Session::start() {
  deadline_.after(config::ms(worker_.snapshot()->config->limits.idle_timeout));
  client_.wait_read(net::delegate<&Session::on_readable>(this));
}

void Session::on_readable() {
  const std::span<char> into = worker_.scratch().first(kHeadRead);
  const net::IoResult got = client_.read(into);
  switch (got.status) {
    case net::Io::again: client_.wait_read(net::delegate<&Session::on_readable>(this)); return;
    case net::Io::eof:
    case net::Io::error: move_to(Phase::closed); break;
    case net::Io::ok: keep({into.data(), got.bytes}); break;
  }
  settle();
}

void Session::keep(std::string_view bytes) {
  if (!room_) room_ = worker_.rooms().take();
  room_->in.append(bytes);
}

void Session::give_room_back() {
  if (room_) worker_.rooms().give_back(std::move(room_));
}

void Session::settle() {
  while (true) {
    switch (phase_) {
      case Phase::idle:
      case Phase::head:
        if (!read_head()) return;
        break;
      case Phase::exchange:
        if (!exchange_->ended()) return;
        finish_exchange();
        break;
      case Phase::lingering: return;
      case Phase::closed: worker_.bury(*this); return;
    }
  }
}

// False if there is nothing to do before the next event.
bool Session::read_head() {
  const std::string_view message = room_ ? std::string_view(room_->in) : std::string_view();
  if (message.empty()) {
    if (phase_ == Phase::head) move_to(Phase::idle);
    give_room_back();  // an idle connection holds no buffer
    if (draining_ || ended_) {
      move_to(Phase::closed);
      return true;
    }
    client_.wait_read(net::delegate<&Session::on_readable>(this));
    return false;
  }
  const auto step = scanner_.feed(message);
  // An empty line may stand before a request, and is none (RFC 9112, 2.2).
  if (phase_ == Phase::idle && (scanner_.begun() || step != wire::HeadScanner::Step::more)) {
    move_to(Phase::head);
    head_begun_us_ = net::now_us();
    deadline_.after(config::ms(worker_.snapshot()->config->limits.head_timeout));
  }
  switch (step) {
    case wire::HeadScanner::Step::more:
      if (ended_) {
        move_to(Phase::closed);
        return true;
      }
      client_.wait_read(net::delegate<&Session::on_readable>(this));
      return false;
    case wire::HeadScanner::Step::refused: refuse_head({Cause::bad_request, scanner_.fault()}); return true;
    case wire::HeadScanner::Step::complete:
      begin_exchange(message.substr(scanner_.start(), scanner_.length() - scanner_.start()));
      return true;
  }
  return false;
}

void Session::begin_exchange(std::string_view head) {
  deadline_.cancel();
  served_ = true;
  used_ = scanner_.length();
  move_to(Phase::exchange);
  static_assert(alignof(Exchange) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  if (!room_->exchange) room_->exchange = std::make_unique_for_overwrite<std::byte[]>(sizeof(Exchange));
  exchange_.reset(new (room_->exchange.get()) Exchange(*this, head_begun_us_));
  if (draining_) exchange_->close_after();
  exchange_->begin(head);
}

// A head that never became a request: answered here, nothing of it reaches a server.
void Session::refuse_head(const Outcome& outcome) {
  Metrics& count = worker_.count();
  count.requests.add();
  count.causes[static_cast<std::size_t>(outcome.cause)].add();
  if (outcome.fault) count.request_faults[static_cast<std::size_t>(*outcome.fault)].add();
  const int status = status_of(outcome);
  count.by_status_class[static_cast<std::size_t>(status / 100)].add();
  std::array<char, Worker::kRequestId> id;
  worker_.write_request_id(id);
  std::string page;
  append_answer(page, outcome, {.request_id = {id.data(), id.size()}});
  const net::IoResult sent = client_.write(page);
  count.bytes_out.add(sent.bytes);
  log::AccessRecord record;
  record.client = peer_text();
  record.request_id = {id.data(), id.size()};
  const wire::RequestHead asked = wire::guess_request(room_->in);
  record.method = asked.method_text;
  record.target = worker_.snapshot()->config->log.query ? asked.target : asked.path;
  record.status = static_cast<std::uint16_t>(status);
  record.total_us = head_begun_us_ ? net::now_us() - head_begun_us_ : 0;
  record.bytes_in = room_->in.size();
  record.bytes_out = sent.bytes;
  record.ended_by = "client";
  record.reason = reason_of(outcome);
  log::access(record);
  linger();
}

void Session::finish_exchange() {
  exchange_->log();
  const bool tunnelled = exchange_->phase() == Exchange::Phase::tunnelled;
  const bool keeps = exchange_->keeps_client();
  const bool resets = exchange_->resets_client();
  const bool unread = exchange_->phase() == Exchange::Phase::over && exchange_->leaves_unread();
  drop_exchange();
  if (keeps) {
    next_message();
  } else if (tunnelled) {
    move_to(Phase::closed);
  } else if (resets) {
    client_.reset();
    move_to(Phase::closed);
  } else if (unread || (!peer_.is_unix() && client_.unsent() != 0)) {
    linger();
  } else {
    move_to(Phase::closed);
  }
}

// What it waited for on our socket must not find it gone.
void Session::drop_exchange() {
  client_.cancel_read();
  client_.cancel_write();
  exchange_.reset();
}

void Session::next_message() {
  room_->in.erase(0, used_);
  room_->in += room_->ahead;
  room_->ahead.clear();
  used_ = 0;
  scanner_.reset();
  move_to(Phase::idle);
  deadline_.after(config::ms(worker_.snapshot()->config->limits.idle_timeout));
}

// Closing over unread bytes would make the kernel send a reset, which can destroy the answer before the
// client has read it (RFC 9112, 9.6).
void Session::linger() {
  move_to(Phase::lingering);
  give_room_back();
  client_.shutdown_write();
  deadline_.after(kLingerMs);
  client_.wait_read(net::delegate<&Session::on_linger>(this));
}

void Session::on_linger() {
  for (int i = 0; i < kLingerReads; ++i) {
    const net::IoResult got = client_.read(worker_.scratch());
    if (got.status == net::Io::again) break;
    if (got.status != net::Io::ok) {
      move_to(Phase::closed);
      return settle();
    }
  }
  client_.wait_read(net::delegate<&Session::on_linger>(this));
}

void Session::on_deadline() {
  if (phase_ == Phase::head) {
    refuse_head({Cause::head_timeout, std::nullopt});
  } else {
    move_to(Phase::closed);
  }
  settle();
}

// A connection that was just accepted may have its request under way, so it gets a moment; one that idles
// between requests is read once more and closed.
void Session::drain() {
  draining_ = true;
  if (phase_ == Phase::exchange) {
    exchange_->close_after();
  } else if (phase_ == Phase::idle && !served_) {
    deadline_.after(kFreshMs);
  } else if (phase_ == Phase::idle) {
    client_.cancel_read();
    const std::span<char> into = worker_.scratch().first(kHeadRead);
    const net::IoResult got = client_.read(into);
    if (got.status == net::Io::ok) {
      keep({into.data(), got.bytes});
    } else {
      move_to(Phase::closed);
    }
    settle();
  }
}

void Session::server_down(std::uint32_t server_serial) {
  if (exchange_) exchange_->server_down(server_serial);
}

// Who still waits for an answer is told why there is none; what the socket does not take at once is lost.
void Session::abort() {
  if (phase_ == Phase::head) refuse_head({Cause::shutdown, std::nullopt});
  if (exchange_) {
    exchange_->refuse(Cause::shutdown);
    exchange_->log();
    drop_exchange();
  }
  move_to(Phase::closed);
  settle();
}

}  // namespace limpet::session
