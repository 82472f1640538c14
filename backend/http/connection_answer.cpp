// The answer's side of a Connection.
#include <cassert>
#include <charconv>
#include <utility>

#include "backend/http/connection.h"
#include "backend/http/server_impl.h"
#include "backend/http/status.h"
#include "proxy/wire/chunked.h"
#include "proxy/wire/websocket.h"

namespace limpet::http {
namespace {

constexpr std::size_t kCopied = 1024;              // of a body: cheaper than a second piece for the kernel
constexpr std::uint64_t kMostDropped = 64 * 1024;  // of a body that nobody wants, to keep its connection
constexpr std::uint64_t kLeastRate = 16;           // bytes of an answer a millisecond

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

void append_status(std::string& out, int status) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

// A body that nobody has taken stands in the way of the next request: a short one that is coming anyway is
// read.
bool Connection::may_keep() const {
  const wire::RequestHead& request = room_->request;
  if (!request.keep_alive || draining_) return false;
  if (intake_ == Intake::done || request.body.empty()) return true;
  return intake_ != Intake::dropping && continued_ && request.body.kind == wire::BodyKind::length &&
         request.body.length <= kMostDropped;
}

void Connection::answer(const Answer& answer) {
  assert(phase_ == Phase::exchange);
  const wire::RequestHead& request = room_->request;
  watcher_ = nullptr;
  keep_ = !answer.close && may_keep();
  const bool chunked = answer.chunked && request.minor >= 1 && !has_no_body(answer.status);
  const bool bare = request.method == wire::Method::head || has_no_body(answer.status);
  std::string& head = server_.head;
  head.clear();
  append_status(head, answer.status);
  if (!answer.content_type.empty()) append_field(head, "Content-Type", answer.content_type);
  head += answer.fields;
  head += server_.date();
  head += keep_ ? server_.keep_alive : std::string_view("Connection: close\r\n");
  if (chunked) {
    head += bare ? std::string_view("\r\n") : std::string_view("Transfer-Encoding: chunked\r\n\r\n");
    char size[20];
    if (!bare && !answer.body.empty()) head.append(size, wire::write_chunk_size(answer.body.size(), size));
    const std::string_view end = answer.body.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    bare ? send({head}) : send({head, answer.body, end});
  } else {
    if (!has_no_body(answer.status)) {
      head += "Content-Length: ";
      append_number(head, answer.body.size());
      head += "\r\n";
    }
    head += "\r\n";
    const bool small = answer.body.size() <= kCopied;
    if (!bare && small) head += answer.body;
    bare || small ? send({head}) : send({head, answer.body});
  }
  finish_call();
}

void Connection::write_and_close(std::string_view bytes) {
  assert(phase_ == Phase::exchange);
  watcher_ = nullptr;
  keep_ = false;
  send({bytes});
  finish_call();
}

void Connection::destroy() {
  watcher_ = nullptr;
  stream_.close();
  move_to(Phase::closed);
  if (!inside_) server_.bury(*this);
}

Exchange::Upgraded Connection::upgrade(std::string_view fields) {
  assert(phase_ == Phase::exchange && !wire::check_handshake(room_->request));
  const wire::Field* key = wire::find(room_->request.fields, wire::FieldId::sec_websocket_key);
  Upgraded all;
  append_status(all.unsent, 101);
  all.unsent += "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  append_field(all.unsent, "Sec-WebSocket-Accept", wire::accept_for(key != nullptr ? key->value : ""));
  all.unsent += fields;
  all.unsent += "\r\n";
  all.early = room_->rest();
  all.peer = peer_;
  watcher_ = nullptr;
  stream_.cancel_read();
  stream_.cancel_write();
  all.stream = std::move(stream_);
  move_to(Phase::closed);
  if (!inside_) server_.bury(*this);
  return all;
}

void Connection::refuse(wire::Fault fault) {
  ++server_.totals.faults;
  const std::string_view allow = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
  refuse(wire::status_of(fault), wire::explain(fault), fault == wire::Fault::method_unsupported ? allow : "");
}

void Connection::refuse(int status, std::string_view text, std::string_view fields) {
  std::string& head = server_.head;
  head.clear();
  append_status(head, status);
  head += "Content-Type: text/plain; charset=utf-8\r\n";
  head += fields;
  head += server_.date();
  head += "Connection: close\r\nContent-Length: ";
  append_number(head, text.size() + 1);
  head += "\r\n\r\n";
  keep_ = false;
  move_to(Phase::answering);
  send({head, text, "\n"});
}

// What the kernel does not take waits in the room, behind what waits there already.
void Connection::send(std::initializer_list<std::string_view> pieces) {
  std::array<iovec, 3> vectors;
  std::size_t count = 0;
  for (const std::string_view each : pieces) {
    vectors[count++] = {const_cast<char*>(each.data()), each.size()};
  }
  std::size_t skip = 0;
  if (room_->out.empty()) {
    const net::IoResult sent = stream_.write(std::span(vectors).first(count));
    if (sent.status == net::Io::error) return broken();
    skip = sent.bytes;
  }
  for (const std::string_view each : pieces) {
    const std::size_t part = std::min(skip, each.size());
    room_->out.append(each.substr(part));
    skip -= part;
  }
  count_unsent();
  if (server_.unsent <= server_.limits.max_unsent || room_->out.empty()) return;
  stream_.reset();  // a cut answer must not look like a whole one
  broken();
}

void Connection::count_unsent() {
  server_.unsent -= unsent_;
  unsent_ = room_ ? room_->out.size() : 0;
  server_.unsent += unsent_;
  if (room_) room_->count();
}

void Connection::flush() {
  const std::string_view left = std::string_view(room_->out).substr(room_->sent);
  if (left.empty()) return;
  const net::IoResult sent = stream_.write(left);
  if (sent.status == net::Io::error) return broken();
  room_->sent += sent.bytes;
  renewed_ += sent.bytes;
  if (waits_ && renewed_ >= server_.limits.idle_timeout_ms * kLeastRate) {
    renewed_ = 0;
    set_deadline(server_.limits.idle_timeout_ms);
  }
  if (room_->sent < room_->out.size()) return;
  room_->drop_output();
  count_unsent();
}

// A write failed: the client has gone. Its Watcher, if there is one still, hears of it from settle().
void Connection::broken() {
  ended_ = true;
  keep_ = false;
  room_->drop_output();
  count_unsent();
}

// The answer is on its way. From a handler that settle() called, settle() goes on; else what needs nobody is
// done here, and a next request waits for the loop.
void Connection::finish_call() {
  move_to(Phase::answering);
  if (inside_ || finish() == Step::wait) return;
  if (phase_ == Phase::idle) {
    if (room_->rest().empty()) {
      read_head();
    } else {
      poke();
    }
  }
  if (phase_ == Phase::closed) server_.bury(*this);
}

// The loop comes back, with nobody else on its stack.
void Connection::poke() {
  stream_.wait_write(net::delegate<&Connection::on_writable>(this));
}

Connection::Step Connection::finish() {
  if (room_->sent < room_->out.size()) {
    last_wait();
    poke();
    return Step::wait;
  }
  const wire::Body& body = room_->request.body;
  const bool whole = intake_ == Intake::done ||
                     (body.kind != wire::BodyKind::chunked && room_->rest().size() >= body.length);
  // Who asks for the end sends nothing more that a reset could answer.
  const bool said_all =
      whole && !room_->request.keep_alive &&
      (intake_ == Intake::done ? room_->rest().empty() : room_->rest().size() == body.length);
  if (ended_ && (!keep_ || !whole)) {
    move_to(Phase::closed);
  } else if (!keep_ && said_all) {
    move_to(Phase::closed);
  } else if (!keep_) {
    linger();
  } else if (!whole) {
    last_wait();
    want_read();
    return Step::wait;
  } else {
    next_message();
  }
  return Step::again;
}

// For the client to take its answer, and to send what nobody reads. Not longer for each byte: an answer is a
// copy that its session no longer counts.
void Connection::last_wait() {
  if (std::exchange(waits_, true)) return;
  renewed_ = 0;
  set_deadline(server_.limits.idle_timeout_ms);
}

void Connection::next_message() {
  if (intake_ != Intake::done) room_->taken += room_->request.body.length;
  intake_ = Intake::done;
  room_->end_request();
  scanner_.reset();
  waits_ = false;
  move_to(Phase::idle);
  set_deadline(server_.limits.idle_timeout_ms);
}

// Closing over unread bytes would make the kernel send a reset, which can destroy the answer before the
// client has read it (RFC 9112, 9.6).
void Connection::linger() {
  move_to(Phase::lingering);
  stream_.cancel_write();
  give_room_back();
  stream_.shutdown_write();
  set_deadline(server_.limits.linger_ms);
  want_read();
}

}  // namespace limpet::http
