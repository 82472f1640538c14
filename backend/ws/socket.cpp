// How a Socket begins and ends, and what its owner asks of it.
#include "backend/ws/socket.h"

#include <algorithm>
#include <cassert>

#include "backend/ws/socket_impl.h"

namespace limpet::ws {

Socket::Impl::Impl(Hub& in, net::Stream from, const Options& options, Receiver& to, std::string_view early,
                   std::string_view unsent)
    : hub(in),
      receiver(&to),
      stream(std::move(from)),
      queue(options.deflate.mode == Deflate::shared),
      max_queued(options.max_queued),
      max_message(options.max_message),
      check_utf8(options.check_utf8),
      tell_drained(options.tell_drained),
      deflates(options.deflate.mode != Deflate::off) {
  if (options.deflate.mode == Deflate::dedicated) codec = std::make_unique<Codec>(hub, options.deflate);
  if (!unsent.empty()) queue.push(Message::raw(Kind::binary, unsent));
  if (!early.empty()) held = std::make_unique<Held>(early);
  if (held || !queue.empty()) at_turn_end();
  if (!held) wait_for_bytes();
}

Socket::Impl::~Impl() {
  if (!owned) hub.forget(*this);
}

// --- the owner's ---

Socket::Socket(Hub& hub, net::Stream stream, const Options& options, Receiver& receiver,
               std::string_view early, std::string_view unsent)
    : impl_(new Impl(hub, std::move(stream), options, receiver, early, unsent)) {}

void Socket::Leave::operator()(Impl* impl) const {
  impl->leave();
}

void Socket::Impl::leave() {
  receiver = nullptr;
  owned = false;
  hub.adopt(*this);
  if (phase == Phase::open) hang_up();
  if (phase == Phase::closing && hub.leaving() > hub.most_leaving_) part(false);
  if (phase == Phase::over && !visited) delete this;
}

void Socket::hand_to(Receiver& receiver) {
  if (impl_->receiver != nullptr) impl_->receiver = &receiver;
}

void Socket::send(const MessageRef& message) {
  impl_->send(message);
}

bool Socket::offer(const MessageRef& message) {
  return impl_->offer(message);
}

bool Socket::idle() const {
  return impl_->phase == Impl::Phase::open && impl_->queue.empty();
}

std::size_t Socket::queued() const {
  return impl_->queue.bytes();
}

std::size_t Socket::holds() const {
  return impl_->holds();
}

void Socket::ping(std::string_view payload) {
  if (impl_->phase == Impl::Phase::open) impl_->enqueue(Message::control(wire::Opcode::ping, payload));
}

void Socket::close(std::uint16_t code, std::string_view reason, std::uint64_t wait_ms) {
  if (impl_->phase != Impl::Phase::open) return;
  impl_->phase = Impl::Phase::closing;
  impl_->send_close(code, reason);
  impl_->deadline_in(wait_ms);
  if (impl_->paused) resume();  // the peer's Close is still to come
}

void Socket::drop(End how) {
  if (impl_->phase < Impl::Phase::parting) impl_->doom(how);
}

void Socket::pause() {
  if (impl_->phase != Impl::Phase::open) return;
  impl_->paused = true;
  impl_->stream.cancel_read();
}

void Socket::resume() {
  if (!impl_->paused) return;
  impl_->paused = false;
  if (impl_->phase != Impl::Phase::over) impl_->at_turn_end();
}

// --- endings ---

void Socket::Impl::send_close(std::uint16_t code, std::string_view reason) {
  close_code = code == 0 ? 1005 : code;
  std::string body;
  if (close_code != 1005) {
    assert(wire::valid_close_code(code));
    constexpr std::size_t kMost = wire::kMostControlBody - 2;
    while (reason.size() > kMost || !wire::is_utf8(reason)) reason.remove_suffix(1);  // whole characters
    body = {static_cast<char>(code >> 8), static_cast<char>(code)};
    body += reason;
  }
  queue.push(Message::control(wire::Opcode::close, body));
  at_turn_end();
}

// The peer's Close: the answer to ours, or one that we answer with the same code (5.5.1).
void Socket::Impl::close_answered(const Reader::Event& event) {
  if (phase == Phase::closing) {
    part(false);
    tell_end({End::closed_by_us, close_code, event.body});
    return;
  }
  send_close(event.code, event.body);  // with its reason: browsers show their page the one that comes back
  part(false);
  tell_end({End::closed_by_peer, event.code, event.body});
}

// The peer broke a rule: it is told which kind, and the receiver hears of it at once.
void Socket::Impl::refuse(std::uint16_t code) {
  if (phase == Phase::open) send_close(code, {});
  const bool ours = phase == Phase::closing;
  part(!ours);
  tell_end({ours ? End::closed_by_us : End::protocol_error, close_code, {}});
}

void Socket::Impl::lost() {
  const bool ours = phase == Phase::closing;
  const Ending ending{
      ours ? End::closed_by_us : End::connection_lost, ours ? close_code : std::uint16_t{1006}, {}};
  hang_up();
  tell_end(ending);
}

// `linger`: closing at once, with bytes of the peer unread, would make the kernel send a reset, and the
// peer's kernel would throw our Close away before it is read.
void Socket::Impl::part(bool linger) {
  phase = Phase::parting;
  lingers = linger;
  held.reset();
  deadline_in(hub.linger_ms_);
  at_turn_end();
}

// From within the owner's calls: the receiver is told at the end of the turn.
void Socket::Impl::doom(End how) {
  if (how == End::slow_consumer) stream.reset();  // what the kernel holds for it goes as well
  hang_up();
  doomed = how;
  at_turn_end();
}

void Socket::Impl::hang_up() {
  phase = Phase::over;
  stream.close();
  queue.clear();
  held.reset();
  deadline.reset();
  turn_end.cancel();
}

void Socket::Impl::tell_end(const Ending& ending) {
  if (Receiver* const told = std::exchange(receiver, nullptr)) told->on_end(ending);
}

void Socket::Impl::deadline_in(std::uint64_t delay_ms) {
  if (!deadline) deadline = std::make_unique<net::Timer>(hub.loop(), net::delegate<&Impl::on_deadline>(this));
  deadline->after(delay_ms);
}

}  // namespace limpet::ws
