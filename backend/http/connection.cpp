// The request's side of a Connection: heads, bodies, and what goes wrong with them.
#include "backend/http/connection.h"

#include <cassert>
#include <utility>

#include "backend/http/server_impl.h"

namespace limpet::http {
namespace {

constexpr std::size_t kHeadRead = 16 * 1024;   // one read while a head is awaited
constexpr std::size_t kMostAhead = 64 * 1024;  // read while an answer is awaited
constexpr int kLingerReads = 8;                // of what is still sent, before others have a turn
constexpr std::uint64_t kFreshMs = 1'000;      // while draining: for the first request of a new connection

}  // namespace

Connection::Connection(Server::Impl& server, net::Stream stream, const net::Address& peer)
    : server_(server),
      stream_(std::move(stream)),
      peer_(peer),
      deadline_(server.loop, net::delegate<&Connection::on_deadline>(this)),
      scanner_(wire::HeadScanner::Kind::request, server.limits.head),
      draining_(server.draining) {}

Connection::~Connection() {
  stop_waiting();
  give_room_back();
}

net::Loop& Connection::loop() {
  return server_.loop;
}

void Connection::move_to(Phase next) {
  assert(phase_ != Phase::closed || next == Phase::closed);
  if (phase_ != Phase::exchange && next == Phase::exchange) ++server_.open;
  if (phase_ == Phase::exchange && next != Phase::exchange) --server_.open;
  if (next != Phase::idle && next != Phase::head) stop_waiting();
  phase_ = next;
  if (next == Phase::idle) wait_for_request();
}

// Behind all that wait already. The pieces of a head do not change its place.
void Connection::wait_for_request() {
  since_ms_ = server_.loop.turn_ms();
  (served_ ? server_.idle : server_.fresh).push_back(*this);
}

void Connection::stop_waiting() {
  if (is_linked()) (served_ ? server_.idle : server_.fresh).erase(Waiting::s_iterator_to(*this));
}

bool Connection::has_something_to_read() {
  char byte;
  return stream_.peek({&byte, 1}).status == net::Io::ok;
}

void Connection::start() {
  wait_for_request();
  set_deadline(draining_ ? kFreshMs : server_.limits.head_timeout_ms);
  want_read();
}

void Connection::want_read() {
  stream_.wait_read(net::delegate<&Connection::on_readable>(this));
}

void Connection::give_room_back() {
  if (!room_) return;
  server_.rooms.give_back(std::move(room_));
  count_unsent();
}

// --- events ---

void Connection::on_readable() {
  if (phase_ == Phase::lingering) {
    drop_input();
  } else {
    read_some();
  }
  settle();
}

void Connection::on_writable() {
  if (room_) flush();
  settle();
}

void Connection::on_deadline() {
  if (evicted_) {
    stream_.reset();
    phase_ == Phase::exchange ? gone() : move_to(Phase::closed);
    return settle();
  }
  ++server_.totals.timeouts;
  switch (phase_) {
    case Phase::head: refuse(408, "the request head did not arrive in time"); break;
    case Phase::exchange: fail(408, "the request body did not arrive in time"); break;
    case Phase::answering:
      stream_.reset();  // a cut answer must not look like a whole one
      move_to(Phase::closed);
      break;
    default: move_to(Phase::closed); break;
  }
  settle();
}

void Connection::set_deadline(std::uint64_t ms) {
  if (!evicted_) deadline_.after(ms);
}

void Connection::cancel_deadline() {
  if (!evicted_) deadline_.cancel();
}

void Connection::read_some() {
  const bool body = phase_ == Phase::exchange && (intake_ == Intake::wanted || intake_ == Intake::dropping);
  const std::span<char> into = std::span(server_.scratch).first(body ? server_.scratch.size() : kHeadRead);
  const net::IoResult got = stream_.read(into);
  if (got.status == net::Io::again) return;
  if (got.status != net::Io::ok) {
    ended_ = true;
    return;
  }
  if (!room_) room_ = server_.rooms.take();
  room_->append({into.data(), got.bytes});
  if (body) set_deadline(server_.limits.idle_timeout_ms);
}

void Connection::drop_input() {
  for (int i = 0; i < kLingerReads; ++i) {
    const net::IoResult got = stream_.read(server_.scratch);
    if (got.status == net::Io::again) break;
    if (got.status != net::Io::ok) return move_to(Phase::closed);
  }
  want_read();
}

void Connection::settle() {
  inside_ = true;
  for (Step step = Step::again; step == Step::again;) {
    switch (phase_) {
      case Phase::idle:
      case Phase::head: step = read_head(); break;
      case Phase::exchange: step = serve(); break;
      case Phase::answering: step = finish(); break;
      case Phase::lingering: step = Step::wait; break;
      case Phase::closed: server_.bury(*this); return;
    }
  }
  inside_ = false;
}

// --- heads ---

Connection::Step Connection::read_head() {
  const std::string_view message = room_ ? room_->rest() : std::string_view();
  if (message.empty()) {
    give_room_back();  // an idle connection holds no buffer
    if (ended_ || (draining_ && served_)) {
      move_to(Phase::closed);
      return Step::again;
    }
    want_read();
    return Step::wait;
  }
  const auto step = scanner_.feed(message);
  // An empty line may stand before a request, and is none (RFC 9112, 2.2).
  if (phase_ == Phase::idle && (scanner_.begun() || step != wire::HeadScanner::Step::more)) {
    move_to(Phase::head);
    if (step == wire::HeadScanner::Step::more) set_deadline(server_.limits.head_timeout_ms);
  }
  switch (step) {
    case wire::HeadScanner::Step::refused: refuse(scanner_.fault()); return Step::again;
    case wire::HeadScanner::Step::complete:
      begin(message.substr(scanner_.start(), scanner_.length() - scanner_.start()));
      return Step::again;
    case wire::HeadScanner::Step::more: break;
  }
  if (ended_) {
    move_to(Phase::closed);
    return Step::again;
  }
  want_read();
  return Step::wait;
}

void Connection::begin(std::string_view head) {
  stop_waiting();
  served_ = true;
  watcher_ = nullptr;
  intake_ = Intake::untouched;
  room_->head.assign(head);
  room_->taken += scanner_.length();
  room_->count();
  const auto parsed = wire::parse_request(room_->head, room_->fields);
  if (const auto* fault = std::get_if<wire::Fault>(&parsed)) return refuse(*fault);
  room_->request = std::get<wire::RequestHead>(parsed);
  if (room_->request.body.kind == wire::BodyKind::chunked) room_->chunks.emplace();
  continued_ = !room_->request.expect_continue;
  ++server_.totals.requests;
  cancel_deadline();  // how long an answer takes is the handler's affair
  move_to(Phase::exchange);
  Handler* handler = server_.handler_of(room_->request.target);
  if (handler == nullptr) return answer({.status = 404, .content_type = "text/plain", .body = "not found\n"});
  handler->on_request(*this);
}

// --- bodies ---

void Connection::read_body(std::uint64_t most) {
  if (intake_ != Intake::untouched) return;
  intake_ = Intake::wanted;
  most_ = most;
  set_deadline(server_.limits.idle_timeout_ms);
  if (!inside_) poke();
}

Connection::Step Connection::serve() {
  if (intake_ == Intake::dropping) room_->drop_input();
  if (intake_ == Intake::wanted) {
    switch (take_body()) {
      case Got::whole: deliver(); return Step::again;
      case Got::too_large:
        intake_ = Intake::dropping;
        if (watcher_ != nullptr) watcher_->on_body_too_large();
        return Step::again;
      case Got::bad:
        ++server_.totals.faults;
        fail(wire::status_of(room_->chunks->fault()), wire::explain(room_->chunks->fault()));
        return Step::again;
      case Got::more: break;
    }
  }
  if (ended_) {
    gone();
    return Step::again;
  }
  if (intake_ == Intake::wanted || room_->rest().size() < kMostAhead) want_read();
  if (!room_->out.empty()) poke();  // of a 100 Continue
  return Step::wait;
}

Connection::Got Connection::take_body() {
  const Got got = room_->chunks ? take_chunks() : take_length();
  if (got == Got::more && !std::exchange(continued_, true) && room_->rest().empty()) {
    send({"HTTP/1.1 100 Continue\r\n\r\n"});
  }
  return got;
}

Connection::Got Connection::take_length() {
  const std::uint64_t length = room_->request.body.length;
  if (length > most_) return Got::too_large;
  return room_->rest().size() < length ? Got::more : Got::whole;
}

Connection::Got Connection::take_chunks() {
  while (!room_->rest().empty()) {
    const auto step = room_->chunks->next(room_->rest());
    if (step.data.size() > most_ - room_->body.size()) return Got::too_large;
    room_->body.append(step.data);
    room_->taken += step.used;
    room_->count();
    if (step.state == wire::ChunkReader::Step::State::done) return Got::whole;
    if (step.state == wire::ChunkReader::Step::State::refused) return Got::bad;
  }
  return Got::more;
}

// The room stays until settle() goes on, whatever the Watcher does.
void Connection::deliver() {
  intake_ = Intake::done;
  cancel_deadline();
  const std::size_t length = room_->chunks ? 0 : room_->request.body.length;
  const std::string_view body = room_->chunks ? room_->body : room_->rest().substr(0, length);
  if (watcher_ != nullptr) watcher_->on_body(body);
  if (room_) room_->taken += length;
}

// --- endings ---

void Connection::gone() {
  move_to(Phase::closed);
  if (Watcher* watcher = std::exchange(watcher_, nullptr)) watcher->on_gone();
}

// The request cannot go on. Its handler is told that the client has gone, the client why.
void Connection::fail(int status, std::string_view text) {
  if (Watcher* watcher = std::exchange(watcher_, nullptr)) watcher->on_gone();
  refuse(status, text);
}

void Connection::end_told() {
  if (phase_ == Phase::exchange) gone();
  server_.bury(*this);
}

// Not from within: whoever is told may end others of those that are being looked at. The deadline is this one
// from here on, whatever its client still sends or is sent.
void Connection::evict() {
  evicted_ = true;
  deadline_.after(0);
}

// A connection that was just accepted may have its request under way, so it gets a moment; one that idles
// between requests is read once more and closed.
void Connection::drain() {
  draining_ = true;
  if (inside_ || phase_ != Phase::idle) return;
  if (!served_) return set_deadline(kFreshMs);
  stream_.cancel_read();
  read_some();
  if (room_) return poke();
  server_.bury(*this);
}

}  // namespace limpet::http
