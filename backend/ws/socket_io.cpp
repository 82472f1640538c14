// What the loop asks of a Socket: reading, writing, the end of the turn.
#include <array>

#include "backend/ws/socket_impl.h"

namespace limpet::ws {
namespace {

constexpr std::size_t kPieces = 64;  // frames a call
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr int kReadsOfTheDead = 16;
constexpr int kEventsATurn = 256;  // of one read: what they cost is not ours to know

// Around whatever may call the receiver, who may destroy the Socket: then the Impl goes last.
class Visit {
 public:
  explicit Visit(Socket::Impl& socket) : socket_(socket) { socket_.visited = true; }
  ~Visit() {
    socket_.visited = false;
    if (!socket_.owned && socket_.phase == Socket::Impl::Phase::over) delete &socket_;
  }
  Visit(const Visit&) = delete;

 private:
  Socket::Impl& socket_;
};

}  // namespace

// --- reading ---

void Socket::Impl::on_readable() {
  Visit visit(*this);
  if (phase == Phase::parting) {
    discard();
  } else {
    read();
  }
  wait_for_bytes();
}

void Socket::Impl::wait_for_bytes() {
  if (phase != Phase::over && !paused && !held) stream.wait_read(net::delegate<&Impl::on_readable>(this));
}

void Socket::Impl::read() {
  const std::span<char> scratch = hub.scratch();
  const net::IoResult got = stream.read(scratch);
  if (got.status == net::Io::ok) {
    take(scratch.first(got.bytes));
  } else if (got.status != net::Io::again) {
    lost();
  }
}

// Of a connection that takes nothing any more: its Close may have come before its end.
void Socket::Impl::read_to_the_end() {
  queue.clear();
  for (int i = 0; !paused && (phase == Phase::open || phase == Phase::closing);) {
    if (const auto bytes = std::exchange(held, nullptr)) {
      take(bytes->bytes);
    } else {
      if (i++ == kReadsOfTheDead) break;
      read();
    }
  }
  if (phase == Phase::parting) return hang_up();
  if (phase != Phase::over) lost();
}

void Socket::Impl::discard() {
  const std::span<char> scratch = hub.scratch();
  const net::IoResult got = stream.read(scratch);
  if (got.status != net::Io::ok && got.status != net::Io::again) hang_up();
}

void Socket::Impl::take(std::span<char> in) {
  Inflater* const inflater = codec ? &codec->inflater : deflates ? &hub.inflater() : nullptr;
  const Rules rules{max_message, check_utf8, inflater};
  bool whole = false;  // a message was
  for (int events = 0; phase == Phase::open || phase == Phase::closing; ++events) {
    if (paused || (events >= kEventsATurn && !in.empty())) {
      if (!in.empty()) held = std::make_unique<Held>(std::string_view(in.data(), in.size()));
      if (!paused) at_turn_end();  // it goes on in the next turn; until then nothing more is read
      break;
    }
    const Reader::Event event = reader.next(in, rules);
    if (event.what == Reader::What::more) break;
    if (event.what == Reader::What::message) whole = true;
    take_event(event);
  }
  if (phase == Phase::open) watch_cut(whole);
  if (inflater != nullptr) hub.give_back();
}

// A message that never becomes whole must not be held for ever. Pings between its pieces do not help it.
void Socket::Impl::watch_cut(bool anew) {
  if (paused || held || reader.holds_nothing()) {
    deadline.reset();
    cut_size = 0;
    return;
  }
  const std::size_t size = reader.cut_size();
  if (deadline && !anew && size == cut_size) return;
  cut_size = size;
  deadline_in(hub.cut_ms_);
}

void Socket::Impl::take_event(const Reader::Event& event) {
  using What = Reader::What;
  if (event.what == What::close) return close_answered(event);
  if (event.what == What::fault) return refuse(event.code);
  if (phase != Phase::open) return;  // we have said that we are done
  if (event.what == What::ping) {
    enqueue(Message::control(wire::Opcode::pong, event.body));
    if (receiver != nullptr) receiver->on_ping();
  } else if (event.what == What::pong) {
    receiver->on_pong(event.body);
  } else {
    receiver->on_message(event.kind, event.body);
  }
}

// --- writing ---

void Socket::Impl::send(const MessageRef& message) {
  if (phase != Phase::open) return;
  if (!codec || message->is_raw()) return enqueue(message);
  if (!codec->deflater.keeps_context() && message->body().size() < kDeflateFrom) return enqueue(message);
  enqueue(Message::compressed(message->kind(), codec->deflater.deflate(message->body())));
}

bool Socket::Impl::offer(const MessageRef& message) {
  if (phase != Phase::open) return false;
  const auto has_room = [&] {
    if (queue.empty()) return true;
    if (queue.weight() + Queue::kEach + message->frame().size() > max_queued) return false;
    return codec || queue.weight() + queue.weight_of(message) <= max_queued;
  };
  if (!has_room()) {
    if (!blocked && !write()) doom(End::connection_lost);
    if (phase != Phase::open || !has_room()) return false;
  }
  send(message);
  return true;
}

void Socket::Impl::enqueue(const MessageRef& message) {
  queue.push(message);
  at_turn_end();
  if (!too_much_queued()) return;
  // Much in one turn is no sign of a slow reader.
  if (!blocked && !write()) return doom(End::connection_lost);
  if (too_much_queued()) doom(End::slow_consumer);
}

bool Socket::Impl::write() {
  while (!queue.empty()) {
    std::array<iovec, kPieces> pieces;
    const std::span<const iovec> due(pieces.data(), queue.gather(pieces));
    std::size_t size = 0;
    for (const iovec& each : due) size += each.iov_len;
    const std::span<const char> joined = due.size() > 1 ? hub.join(due, size) : std::span<const char>();
    const net::IoResult sent = joined.empty() ? stream.write(due) : stream.write(joined);
    if (sent.status == net::Io::error) return false;
    if (sent.status == net::Io::ok) queue.consume(sent.bytes);
    if (sent.status == net::Io::ok && sent.bytes == size) continue;
    blocked = true;
    stream.wait_write(net::delegate<&Impl::on_writable>(this));
    break;
  }
  return true;
}

void Socket::Impl::flush() {
  if (!queue.empty() && !blocked) {
    if (!write()) return read_to_the_end();
    if (tell_drained && phase == Phase::open && queue.empty()) receiver->on_drained();
  }
  if (phase != Phase::parting || !queue.empty()) return;
  if (!lingers) return hang_up();
  stream.shutdown_write();
}

void Socket::Impl::on_writable() {
  Visit visit(*this);
  blocked = false;
  flush();
}

// --- turns and deadlines ---

void Socket::Impl::on_turn_end() {
  Visit visit(*this);
  if (phase == Phase::over) return tell_end({doomed, 1006, {}});
  if (!paused) {
    if (const auto bytes = std::exchange(held, nullptr)) take(bytes->bytes);
    wait_for_bytes();
  }
  if (phase != Phase::over) flush();
}

// The rest of a message or the peer's Close did not come, or what was queued did not go.
void Socket::Impl::on_deadline() {
  Visit visit(*this);
  if (phase == Phase::open) return refuse(kPolicyViolation);
  lost();
}

}  // namespace limpet::ws
