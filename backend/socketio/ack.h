// Acks: answers to events, both ways.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "backend/codec/args.h"

namespace limpet::socketio {

using codec::Args;
using codec::Binary;

class Socket;

// How a handler answers an event, at once or later: `ack("ok", 3)`. Copies share one answer: only the first
// call sends. Does nothing if the client wants no answer or is gone. Keeps the socket's memory while it
// lives.
class Ack {
 public:
  Ack() = default;  // wanted by nobody
  Ack(Socket& socket, std::uint64_t id);
  Ack(const Ack& other);
  Ack(Ack&& other) noexcept;
  Ack& operator=(Ack other) noexcept;
  ~Ack();

  explicit operator bool() const { return socket_ != nullptr; }  // the client waits for an answer
  template <class... T>
  void operator()(T&&... args) const {
    if (socket_ != nullptr) send(Args::of(std::forward<T>(args)...));
  }
  void operator()(const Args& args) const { send(args); }
  void operator()(Args& args) const { send(args); }
  void operator()(Args&& args) const { send(args); }

 private:
  struct Shared;
  void send(const Args& args) const;
  bool first() const;

  Socket* socket_ = nullptr;
  std::uint64_t id_ = 0;
  mutable Shared* shared_ = nullptr;  // once there are copies
  mutable bool used_ = false;
};

// A client's answer, or why there is none.
enum class NoAnswer : std::uint8_t { none, timed_out, disconnected, too_many };
std::string_view text_of(NoAnswer why);  // "operation has timed out", as in Socket.IO

struct Reply {
  NoAnswer failure = NoAnswer::none;
  Args args;
  bool ok() const { return failure == NoAnswer::none; }
};
using OnReply = std::function<void(const Reply&)>;  // called exactly once

// Many clients' answers: of each its first argument. `complete`: all that were asked have answered in time.
struct Replies {
  bool complete = false;
  Args answers;
};
using OnReplies = std::function<void(const Replies&)>;  // called exactly once

}  // namespace limpet::socketio
