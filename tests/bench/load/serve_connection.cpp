#include "tests/bench/load/serve_connection.h"

#include <cstdlib>

#include "tests/bench/load/handshake.h"

namespace limpet::bench {

bool ChunkedBody::take(std::span<char>& in) {
  while (!in.empty() && at_ != At::over) {
    if (at_ == At::data) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      taken_ += count;
      left_ -= count;
      in = in.subspan(count);
      if (left_ == 0) at_ = At::data_end;
      continue;
    }
    const char byte = in.front();
    in = in.subspan(1);
    take_line(byte);
  }
  return at_ == At::over;
}

void ChunkedBody::take_line(char byte) {
  if (byte == '\r') return;
  if (byte != '\n') {
    line_.push_back(byte);
    return;
  }
  if (at_ == At::size) {
    char* end = nullptr;
    left_ = std::strtoull(line_.c_str(), &end, 16);
    if (end == line_.c_str()) broken_ = true;
    at_ = broken_ ? At::over : left_ > 0 ? At::data : At::trailer;
  } else if (at_ == At::data_end) {
    at_ = At::size;
  } else if (line_.empty()) {
    at_ = At::over;
  }
  line_.clear();
}

void Connection::end() {
  if (over()) return;
  stream_.finish();
  stream_.close();
}

std::uint32_t Connection::interest() const {
  if (!blocked()) return EPOLLIN;
  return stream_.waits_for_room() ? EPOLLOUT : EPOLLIN;
}

void Connection::on_events() {
  if (!flush()) return;
  if (!ahead_.empty()) {
    std::string ahead = std::exchange(ahead_, {});
    feed(ahead);
    if (over() || blocked()) return;
  }
  do {
    std::size_t count = 0;
    switch (stream_.read(buffers_.in, count)) {
      case Stream::Io::done: feed({buffers_.in.data(), count}); break;
      case Stream::Io::again: return;
      default: return end();  // what the peer did not wait for it does not want
    }
  } while (!over() && !blocked() && stream_.holds_bytes());
}

void Connection::feed(std::span<char> in) {
  while (!in.empty() && !over()) {
    if (blocked() && phase_ != Phase::websocket) {
      ahead_.append(in.data(), in.size());
      return;
    }
    switch (phase_) {
      case Phase::head: take_head(in); break;
      case Phase::length: take_length(in); break;
      case Phase::chunked:
        if (chunks_.take(in)) on_body_end(chunks_.taken());
        break;
      case Phase::websocket: take_frames(in); return;
    }
  }
}

void Connection::take_head(std::span<char>& in) {
  const std::size_t before = head_.size();
  head_.append(in.data(), in.size());
  const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == head_.npos) {
    in = {};
    if (head_.size() > 64 * 1024) this->end();
    return;
  }
  in = in.subspan(end + 4 - before);
  head_.resize(end + 4);
  const std::string head = std::exchange(head_, {});
  on_head(head);
}

void Connection::on_head(std::string_view head) {
  const std::size_t method_end = head.find(' ');
  const std::size_t path_end = head.find(' ', method_end + 1);
  if (method_end == head.npos || path_end == head.npos) return end();
  const std::string_view method = head.substr(0, method_end);
  const std::string_view path = head.substr(method_end + 1, path_end - method_end - 1);
  const std::string_view version = head.substr(path_end + 1, 8);
  const std::string_view connection = field(head, "connection");
  close_ = has_token(connection, "close") || (version == "HTTP/1.0" && !has_token(connection, "keep-alive"));
  if (has_token(field(head, "upgrade"), "websocket")) return upgrade(head, path);
  if (method == "GET") return on_get(path);
  if (method != "POST" || path != "/sink") return reply("404 Not Found", "");
  if (has_token(field(head, "transfer-encoding"), "chunked")) {
    chunks_ = {};
    phase_ = Phase::chunked;
    return;
  }
  to_take_ = 0;
  if (!to_number(field(head, "content-length"), to_take_)) return reply("411 Length Required", "");
  body_length_ = to_take_;
  phase_ = Phase::length;
  if (to_take_ == 0) on_body_end(0);
}

void Connection::on_get(std::string_view path) {
  constexpr std::string_view kBytes = "/bytes/";
  std::uint64_t count = 0;
  if (path == "/health") return reply("200 OK", "ok");
  if (path == "/") return reply("200 OK", std::string_view(buffers_.body).substr(0, 200));
  if (!path.starts_with(kBytes) || !to_number(path.substr(kBytes.size()), count)) {
    return reply("404 Not Found", "");
  }
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                           std::to_string(count) + (close_ ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
  body_left_ = count;
  last_ = close_;
  write(head);
  flush();
}

void Connection::take_length(std::span<char>& in) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(to_take_, in.size()));
  in = in.subspan(count);
  to_take_ -= count;
  if (to_take_ == 0) on_body_end(body_length_);
}

void Connection::on_body_end(std::uint64_t taken) {
  phase_ = Phase::head;
  if (chunks_.broken()) close_ = true;
  reply(chunks_.broken() ? "400 Bad Request" : "200 OK", std::to_string(taken));
}

void Connection::upgrade(std::string_view head, std::string_view path) {
  const std::string_view key = field(head, "sec-websocket-key");
  if (key.empty()) return reply("400 Bad Request", "");
  echo_ = path.starts_with("/echo");
  if (path.starts_with("/push?")) push_ = path.substr(6);
  phase_ = Phase::websocket;
  write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      websocket_accept(key) + "\r\n\r\n");
}

// All that `in` asks for goes out in one piece: it is at most as long as `in` and the rest of one head.
void Connection::take_frames(std::span<char> in) {
  char* const out = buffers_.out.data();
  std::size_t used = 0;
  FrameReader::Slice slice;
  while (!last_ && frames_.next(in, slice)) {
    if (slice.opcode() >= kClose) {
      if (used > 0) write({out, std::exchange(used, 0)});
      take_control(slice);
    } else if (echo_) {
      if (slice.first) used += write_frame_head(out + used, slice.first_byte, slice.length, false);
      std::copy(slice.payload.begin(), slice.payload.end(), out + used);
      used += slice.payload.size();
    }
  }
  if (used > 0) write({out, used});
}

void Connection::take_control(const FrameReader::Slice& slice) {
  if (slice.length > 125) return end();
  control_.append(slice.payload.data(), slice.payload.size());
  if (!slice.last) return;
  const std::string payload = std::exchange(control_, {});
  if (slice.opcode() == kPong) return;
  char head[kMostFrameHead];
  const std::uint8_t answer = slice.opcode() == kPing ? kPong : kClose;
  const std::size_t size = write_frame_head(head, kFinal | answer, payload.size(), false);
  if (answer == kClose) last_ = true;
  write(std::string(head, size) + payload);
}

void Connection::push(std::span<const char> frame) {
  if (!blocked() && !last_) write(frame);
}

void Connection::reply(std::string_view status, std::string_view body) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\nContent-Type: text/plain\r\nContent-Length: ");
  answer.append(std::to_string(body.size())).append(close_ ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
  answer.append(body);
  last_ = close_;
  write(answer);
}

void Connection::write(std::span<const char> bytes) {
  while (!over() && pending_.empty() && !bytes.empty()) {
    std::size_t count = 0;
    const Stream::Io io = stream_.write(bytes, count);
    if (io == Stream::Io::again) break;
    if (io != Stream::Io::done) return end();
    bytes = bytes.subspan(count);
  }
  pending_.append(bytes.data(), bytes.size());
  if (!blocked() && last_) end();
}

// Sends what waits; true when nothing does any more and the connection goes on.
bool Connection::flush() {
  while (!over() && blocked()) {
    std::span<const char> bytes(pending_);
    bytes = bytes.subspan(sent_);
    const bool from_body = bytes.empty();
    if (from_body) {
      bytes = std::span<const char>(buffers_.body);
      bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size())));
    }
    std::size_t count = 0;
    const Stream::Io io = stream_.write(bytes, count);
    if (io == Stream::Io::again) return false;
    if (io != Stream::Io::done) {
      end();
      return false;
    }
    if (from_body) {
      body_left_ -= count;
    } else if ((sent_ += count) == pending_.size()) {
      pending_ = {};
      sent_ = 0;
    }
  }
  if (!over() && last_) end();
  return !over();
}

}  // namespace limpet::bench
