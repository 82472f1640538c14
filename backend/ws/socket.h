// Socket: one server-side WebSocket connection from its 101 to its end (RFC 6455, RFC 7692).
//
// Owned by whoever made it, on the loop's thread. Does masks, fragments, control frames, UTF-8, close codes
// and compression; hands up whole messages. What is sent is queued and leaves at the end of the loop's turn
// in as few calls as there can be. An idle one holds no buffer.
//
// What its connections share lies in a Hub (hub.h), which outlives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "backend/ws/deflate.h"
#include "backend/ws/message.h"
#include "proxy/net/stream.h"

namespace limpet::ws {

class Hub;

struct Options {
  std::uint32_t max_message = 1'000'000;  // bytes, inflated, inclusive; more: close 1009
  // Bytes that a slow reader may leave unsent, 64 added for each message, and the plain form of a compressed
  // one; more: on_end(slow_consumer). A message that finds nothing before it is always taken.
  std::uint32_t max_queued = 16 * 1024 * 1024;
  Agreement deflate = {};  // negotiate() in deflate.h
  bool check_utf8 = true;
  bool tell_drained = false;  // call on_drained(): a look at the receiver for every send
};

// How it ended. `code` is of the Close frame that was received or sent; 1005: one without a code, 1006: none.
enum class End : std::uint8_t {
  closed_by_peer,
  closed_by_us,
  connection_lost,
  protocol_error,
  slow_consumer
};
struct Ending {
  End end = End::connection_lost;
  std::uint16_t code = 1006;
  std::string_view reason;  // of the peer's Close frame
};

// Who is told. May send, close or destroy the Socket from within any of these.
class Receiver {
 public:
  virtual void on_message(Kind kind, std::string_view body) = 0;  // the bytes are gone when it returns
  virtual void on_end(const Ending& ending) = 0;                  // once; nothing comes after it
  virtual void on_drained() {}                                    // all that was queued has left (Options)
  virtual void on_ping() {}                                       // it has been answered
  virtual void on_pong(std::string_view) {}

 protected:
  ~Receiver() = default;
};

class Socket {
 public:
  Socket() = default;  // none
  // `early`: bytes of the peer that came with its handshake. Its 101 has been written, or is `unsent`. The
  // receiver is not called before the end of the turn.
  Socket(Hub& hub, net::Stream stream, const Options& options, Receiver& receiver,
         std::string_view early = {}, std::string_view unsent = {});
  // Destruction closes the connection at once, but one that is closing goes on to its end; on_end is not
  // called.
  Socket(Socket&&) noexcept = default;  // changes hands; nothing else does
  Socket& operator=(Socket&&) noexcept = default;
  explicit operator bool() const { return impl_ != nullptr; }
  void hand_to(Receiver& receiver);  // who is told from now on

  void send(const MessageRef& message);
  // As send(), but a message for which a slow reader has no room is left out: false.
  bool offer(const MessageRef& message);
  bool idle() const;  // nothing queued, nothing refused by the kernel: a volatile message may be sent
  std::size_t queued() const;  // bytes
  // Bytes of memory: all that is queued, as if nobody shared it, and what has come of messages that are not
  // whole.
  std::size_t holds() const;
  void ping(std::string_view payload);
  // A Close frame after what is queued (0: without a code), then the peer's, at most `wait_ms`, then the end.
  // No more messages come up. A reason is cut at 123 bytes.
  void close(std::uint16_t code, std::string_view reason = {}, std::uint64_t wait_ms = 5'000);
  // Ends the connection now, and all that it holds; on_end() follows at the end of the turn.
  void drop(End how = End::closed_by_us);
  void pause();  // reads no more until resume(): backpressure. The peer's going is not seen either.
  void resume();

  struct Impl;

 private:
  struct Leave {
    void operator()(Impl* impl) const;
  };
  std::unique_ptr<Impl, Leave> impl_;
};

}  // namespace limpet::ws
