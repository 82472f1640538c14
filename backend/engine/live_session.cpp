#include "backend/engine/live_session.h"

#include <utility>

#include "backend/engine/open_packet.h"
#include "backend/engine/server_impl.h"

namespace limpet::engine {
namespace {

constexpr std::uint64_t kApartMs = 1;

}  // namespace

LiveSession::LiveSession(Server::Impl& server, int revision, Handshake::Owner handshake)
    : server_(server),
      handshake_(std::move(handshake)),
      heartbeat_(server.loop, net::delegate<&LiveSession::on_beat>(this)),
      revision_(static_cast<std::uint8_t>(revision)) {
  server.sids.next(sid_);
}

LiveSession::~LiveSession() {
  candidate_.reset();  // it asks for close_code()
}

// --- how it begins ---

void LiveSession::begin(http::Exchange& poll, const Query& query) {
  polling_ = std::make_unique<Polling>(*this, query);
  ++server_.totals.pollings;
  server_.admit(*this);
  polling_->send(ws::Message::make(Kind::text, {open_packet(sid(), server_.options, true)}));
  polling_->on_request(poll);
  announce();
}

void LiveSession::begin(http::Exchange::Upgraded from, const ws::Options& options, bool base64) {
  socket_ = ws::Socket(server_.hub, std::move(from.stream), options, *this, from.early, from.unsent);
  base64_ = base64;
  binary_as_is_ = revision_ == 4 && !base64;
  ++server_.totals.websockets;
  server_.admit(*this);
  // Clients of revision 3 may listen for messages only once they have seen the 101: theirs comes apart from
  // it.
  if (revision_ == 3) return beat_after(kApartMs, Beat::opening);
  open_over_websocket();
}

void LiveSession::open_over_websocket() {
  socket_.send(ws::Message::make(Kind::text, {open_packet(sid(), server_.options, false)}));
  announce();
}

void LiveSession::announce() {
  const Options& options = server_.options;
  beat_after(options.ping_interval_ms + (revision_ == 3 ? options.ping_timeout_ms : 0), Beat::resting);
  receiver_ = server_.application.on_open(*this);
  if (closed() && receiver_ != nullptr) std::exchange(receiver_, nullptr)->on_close(close_reason_);
}

// --- packets out ---

void LiveSession::send(const MessageRef& packet) {
  if (state_ != State::open) return;
  ++server_.totals.packets_out;
  server_.totals.bytes_out += packet->body().size();
  carry(packet);
}

void LiveSession::send_control(const MessageRef& packet) {
  if (state_ == State::open) carry(packet);
}

void LiveSession::carry(const MessageRef& packet) {
  if (!socket_) return polling_->send(packet);
  if (binary_as_is_ || packet->kind() == Kind::text) return socket_.send(packet);
  socket_.send(server_.as_carried(packet, revision_, base64_));
}

bool LiveSession::writable() const {
  if (state_ != State::open) return false;
  return socket_ ? socket_.idle() : polling_->writable();
}

void LiveSession::overflow() {
  if (state_ != State::open) return;
  state_ = State::closing;  // takes no more
  server_.overflow(*this);
}

std::size_t LiveSession::holds() const {
  return (socket_ ? socket_.holds() : 0) + (polling_ ? polling_->holds() : 0) +
         (candidate_ ? candidate_->holds() : 0) + (receiver_ != nullptr ? receiver_->holds() : 0);
}

void LiveSession::evict() {
  if (state_ == State::closed) return;
  if (socket_) return socket_.drop(ws::End::slow_consumer);
  finish(Reason::slow_consumer);
}

// --- packets in ---

void LiveSession::on_message(Kind kind, std::string_view body) {
  server_.totals.bytes_in += body.size();
  if (kind == Kind::binary) return on_packet(packet_of_bytes(revision_, body));
  const auto packet = packet_of_text(revision_, body, server_.room);
  packet ? on_packet(*packet) : on_bad_packet();
}

void LiveSession::on_packet(const Packet& packet) {
  if (beat_ == Beat::opening) open_over_websocket();  // one that does not wait for it
  if (state_ != State::open) return;
  ++server_.totals.packets_in;
  if (beat_ == Beat::asked && packet.type != Type::pong) {
    beat_after(server_.options.ping_timeout_ms, Beat::extended);
  }
  switch (packet.type) {
    case Type::message:
      if (receiver_ != nullptr) receiver_->on_message(packet.kind, packet.data);
      return;
    case Type::ping:
      if (revision_ == 4) return finish(Reason::transport_error);
      beat_after(server_.options.ping_interval_ms + server_.options.ping_timeout_ms, Beat::resting);
      return send_control(server_.control.pong);
    case Type::pong:
      if (revision_ == 3) return finish(Reason::transport_error);
      return beat_after(server_.options.ping_interval_ms, Beat::resting);
    default: return;  // `1` too: over a WebSocket engine.io does not listen to it
  }
}

void LiveSession::pause() {
  if (state_ != State::open) return;
  paused_ = true;
  if (socket_) socket_.pause();
}

void LiveSession::resume() {
  if (!std::exchange(paused_, false) || state_ == State::closed) return;
  socket_ ? socket_.resume() : polling_->resume();
}

void LiveSession::on_bad_packet() {
  if (state_ == State::open) finish(Reason::parse_error);
}

// --- heartbeat ---

void LiveSession::beat_after(std::uint64_t ms, Beat beat) {
  // The wheel may be a tick late, and a client that counts as exactly as Node.js does would find a session
  // that ought to be over: rather a tick early.
  constexpr std::uint64_t kTick = net::TimerWheel::kTickMs;
  beat_ = beat;
  heartbeat_.after(ms > kTick ? ms - kTick : ms);
}

void LiveSession::on_beat() {
  if (beat_ == Beat::opening) return open_over_websocket();
  if (revision_ == 3 || beat_ != Beat::resting) return finish(Reason::ping_timeout);
  send_control(server_.control.ping);
  beat_after(server_.options.ping_timeout_ms, Beat::asked);
}

// --- transport upgrade ---

void LiveSession::try_upgrade(http::Exchange::Upgraded from, const ws::Options& options, bool base64) {
  if (polling_) polling_->asked();
  candidate_ = std::make_unique<Candidate>(*this, std::move(from), options, base64);
}

void LiveSession::release_poll() {
  if (polling_ && polling_->writable()) polling_->send_now(server_.control.noop);
}

void LiveSession::upgrade() {
  const std::unique_ptr<Candidate> candidate = std::move(candidate_);
  std::vector<MessageRef> queue;
  if (polling_) {
    queue = polling_->take_queue();
    polling_->end(server_.control.close);
    polling_.reset();
    --server_.totals.pollings;
    ++server_.totals.websockets;
  } else {
    socket_.close(0);
  }
  socket_ = candidate->take_socket();
  socket_.hand_to(*this);
  base64_ = candidate->base64();
  binary_as_is_ = revision_ == 4 && !base64_;
  upgraded_ = true;
  // The pong may have been on its way over what carried us before. (engine.io waits for it for ever.)
  if (beat_ != Beat::resting) beat_after(server_.options.ping_timeout_ms, Beat::asked);
  for (const MessageRef& packet : queue) carry(packet);
  if (paused_) socket_.pause();
  if (state_ == State::closing) finish_closing();
}

// --- the end ---

void LiveSession::close(Reason reason) {
  if (state_ != State::open) return;
  close_reason_ = reason;
  if (socket_ || polling_->writable()) return finish(reason);
  state_ = State::closing;
  if (polling_->empty()) polling_->close_with_next_poll();
}

void LiveSession::on_queue_flushed() {
  if (state_ == State::closing) polling_->close_with_next_poll();
}

void LiveSession::on_close_packet() {
  finish(Reason::transport_close, &server_.control.noop);
}

void LiveSession::on_end(const ws::Ending& ending) {
  socket_ = {};
  switch (ending.end) {
    case ws::End::protocol_error: return finish(Reason::transport_error);
    case ws::End::slow_consumer: return finish(Reason::slow_consumer);
    default: return finish(Reason::transport_close);
  }
}

std::uint16_t LiveSession::close_code() const {
  return closed() && close_reason_ == Reason::server_shutting_down ? kServiceRestart : 0;
}

// The one door out. What carries it is told first, then nobody finds it any more, then the application hears
// of it, as in engine.io: who asks for this sid from within on_close() gets `Session ID unknown`.
void LiveSession::finish(Reason reason, const MessageRef* farewell) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  close_reason_ = reason;
  heartbeat_.cancel();
  candidate_.reset();
  polling_ ? --server_.totals.pollings : --server_.totals.websockets;
  if (polling_) {
    polling_->end(farewell != nullptr ? *farewell : server_.control.close);
    if (reason == Reason::server_shutting_down) server_.note_told(sid());
  }
  if (socket_) {
    socket_.close(close_code());
    socket_ = {};  // goes on to its end by itself
  }
  server_.forget(*this, reason);
  if (receiver_ != nullptr) std::exchange(receiver_, nullptr)->on_close(reason);
}

}  // namespace limpet::engine
