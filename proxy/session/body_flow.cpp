#include "proxy/session/body_flow.h"

#include <algorithm>

namespace limpet::session {

using wire::BodyKind;

BodyFlow::BodyFlow(wire::Body body, bool chunk_out, std::uint64_t most)
    : reader_(std::min<std::uint64_t>(most, INT64_MAX)),
      left_(body.length),
      most_(most),
      kind_(body.kind),
      chunk_out_(chunk_out),
      state_(body.empty() ? State::done : State::more) {}

std::size_t BodyFlow::feed(std::string_view in, std::string& out, std::string_view& raw) {
  raw = {};
  if (state_ != State::more) return 0;
  if (kind_ == BodyKind::chunked) return feed_chunks(in, out, raw);
  std::string_view data = in;
  if (kind_ == BodyKind::length) {
    data = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
    left_ -= data.size();
  }
  pass(data, out, raw);
  if (kind_ == BodyKind::length && left_ == 0 && state_ == State::more) finish(out);
  return data.size();
}

std::size_t BodyFlow::feed_chunks(std::string_view in, std::string& out, std::string_view& raw) {
  std::size_t used = 0;
  while (used < in.size() && state_ == State::more) {
    const wire::ChunkReader::Step step = reader_.next(in.substr(used));
    used += step.used;
    if (!step.data.empty()) pass(step.data, out, raw);
    if (state_ != State::more) break;
    if (step.state == wire::ChunkReader::Step::State::refused) {
      fault_ = reader_.fault();
      state_ = State::refused;
    } else if (step.state == wire::ChunkReader::Step::State::done) {
      finish(out);
    }
  }
  return used;
}

void BodyFlow::pass(std::string_view data, std::string& out, std::string_view& raw) {
  if (data.empty()) return;
  payload_ += data.size();
  if (payload_ > most_) {
    state_ = State::refused;
    return;
  }
  if (add_ != nullptr) add_(sample_, data);
  if (chunk_out_) {
    char line[20];
    out.append(line, wire::write_chunk_size(data.size(), line));
    out.append(data);
    out.append("\r\n");
  } else if (kind_ == BodyKind::chunked) {
    out.append(data);  // decoded runs lie apart in `in`
  } else {
    raw = data;
  }
}

void BodyFlow::finish(std::string& out) {
  state_ = State::done;
  if (!chunk_out_) return;
  out.append("0\r\n");
  if (kind_ == BodyKind::chunked) out.append(reader_.trailers());
  out.append("\r\n");
}

bool BodyFlow::end(std::string& out) {
  if (state_ == State::done) return true;
  if (kind_ != BodyKind::until_close || state_ == State::refused) return false;
  finish(out);
  return true;
}

}  // namespace limpet::session
