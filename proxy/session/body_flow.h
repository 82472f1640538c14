// BodyFlow: one message body on its way through: decoded as it was framed, framed anew for the other side.
//
// Pure. Chunked bodies are decoded strictly and written as chunks of our own, so that no extension, odd size
// line or smuggled byte gets through; a body with a length passes as it is, without a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/chunked.h"
#include "proxy/wire/head.h"

namespace limpet::session {

class BodyFlow {
 public:
  enum class State : std::uint8_t { more, done, refused };

  BodyFlow() = default;  // no body: done at once
  // `chunk_out`: the other side gets chunks. `most` bytes of payload; more is refused.
  BodyFlow(wire::Body body, bool chunk_out, std::uint64_t most);

  // Consumes from `in`; framed bytes are appended to `out`, or, for bodies that pass as they are, `raw` is a
  // part of `in` to be sent as it is. Returns how many bytes of `in` were used (all, unless the body has
  // ended).
  std::size_t feed(std::string_view in, std::string& out, std::string_view& raw);
  // Payload of the last feed(), for who wants to look: appended to `sample` up to its bound.
  template <class Sample>
  std::size_t feed(std::string_view in, std::string& out, std::string_view& raw, Sample& sample) {
    sample_ = &sample;
    add_ = [](void* s, std::string_view bytes) { static_cast<Sample*>(s)->add(bytes); };
    const std::size_t used = feed(in, out, raw);
    add_ = nullptr;
    return used;
  }
  // The sender has closed: the end of a body without a length, an early end of any other. False if early.
  bool end(std::string& out);

  State state() const { return state_; }
  std::optional<wire::Fault> fault() const { return fault_; }  // if refused; nothing: over `most`
  std::uint64_t payload() const { return payload_; }

 private:
  void pass(std::string_view data, std::string& out, std::string_view& raw);
  std::size_t feed_chunks(std::string_view in, std::string& out, std::string_view& raw);
  void finish(std::string& out);

  wire::ChunkReader reader_;
  std::uint64_t left_ = 0;
  std::uint64_t payload_ = 0;
  std::uint64_t most_ = ~0ull;
  void (*add_)(void*, std::string_view) = nullptr;
  void* sample_ = nullptr;
  std::optional<wire::Fault> fault_;
  wire::BodyKind kind_ = wire::BodyKind::none;
  bool chunk_out_ = false;
  State state_ = State::done;
};

}  // namespace limpet::session
