// Engine.IO, revisions 4 and 3: sessions over long polling and WebSocket (shared/socketio: sections 2 and
// 10).
//
// One loop's thread. An Application is told of each session that opens and gives it a Receiver; from then on
// messages come whole and in order, whatever carries them. Sids name this node: 12 random characters, then
// its 8-character tag.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/budget/budget.h"
#include "backend/http/server.h"
#include "backend/ws/message.h"
#include "backend/ws/socket.h"

namespace limpet::engine {

using ws::Kind;
using ws::MessageRef;

enum class Reason : std::uint8_t {
  transport_error,
  transport_close,
  parse_error,
  ping_timeout,
  forced_close,
  slow_consumer,
  server_shutting_down,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::server_shutting_down) + 1;
std::string_view text_of(Reason reason);  // "transport error": the words that applications see

struct Cors {
  bool enabled = false;
  std::vector<std::string> origins;  // "*": any; else exact ones, echoed
  bool credentials = false;
  // WebSockets of pages whose origin is neither in the list nor the server's own are refused: no browser asks
  // about them beforehand. engine.io lets them in.
  bool guards_websockets = false;
};

struct Cookie {
  std::string name;   // empty: none is set
  std::string value;  // empty: the sid
  std::string attributes = "Path=/; HttpOnly; SameSite=Lax";
};

struct Options {
  std::string path = "/socket.io/";
  std::string node_id;  // its tag ends every sid
  std::uint64_t ping_interval_ms = 25'000;
  std::uint64_t ping_timeout_ms = 20'000;
  std::uint64_t upgrade_timeout_ms = 10'000;
  std::size_t max_payload = 1'000'000;        // maxHttpBufferSize
  std::size_t max_queued = 16 * 1024 * 1024;  // a session's unsent bytes; more: slow_consumer
  std::uint32_t max_leaving = 1'000;          // WebSockets whose Close is waited for; more: cut after ours
  std::uint32_t max_sessions = 50'000;        // more: 503, or Close 1008 `Server at capacity`
  // What all clients together may make this process hold, beyond what a session needs at rest: messages that
  // wait to be sent, what has come of messages and bodies. At it those who hold most end (slow_consumer);
  // near it sessions are refused as above max_sessions. 0: no bound. (backend/budget)
  std::size_t max_buffered = 512 * 1024 * 1024;
  // A session that polls opened has its second request; else it ends. If the server is full and such sessions
  // are more than an eighth of it (and more than 100), the oldest makes room for a new one before that.
  std::uint64_t asked_within_ms = 10'000;
  bool polling = true, websocket = true, allow_upgrades = true;
  bool allow_eio3 = false;
  bool http_compression = true;
  std::size_t compression_threshold = 1024;
  ws::Deflate deflate = ws::Deflate::off;
  Cors cors;
  Cookie cookie;
};

// What a session's first request said. Kept for the application, all texts in one block; one that is longer
// than 4 KiB (target, cookie) or 512 bytes (the others) is left out whole, as a part of it might mean
// something else.
class Handshake {
 public:
  std::string_view target() const { return text(0); }   // path and query, as sent
  std::string_view address() const { return text(1); }  // of the peer, "10.0.0.1"; empty: a Unix socket
  std::string_view origin() const { return text(2); }
  std::string_view user_agent() const { return text(3); }
  std::string_view cookie() const { return text(4); }
  std::string_view forwarded_for() const { return text(5); }
  std::int64_t time_ms() const { return time_ms_; }  // since 1970
  bool secure() const { return secure_; }

  static constexpr std::size_t kTexts = 6;
  struct Free {
    void operator()(Handshake* handshake) const { ::operator delete(handshake); }
  };
  using Owner = std::unique_ptr<Handshake, Free>;
  static Owner make(const std::array<std::string_view, kTexts>& texts, std::int64_t time_ms, bool secure);

 private:
  Handshake() = default;
  std::string_view text(std::size_t which) const;  // they stand behind the object, one after the other

  std::int64_t time_ms_ = 0;
  std::array<std::uint16_t, kTexts> ends_{};
  bool secure_ = false;
};

class Session;

// Told what comes of one session. May send to it or close it from within, never destroys it.
class Receiver {
 public:
  virtual void on_message(Kind kind, std::string_view data) = 0;
  virtual void on_close(Reason reason) = 0;  // once; the Session is gone after it
  virtual std::size_t holds() const {
    return 0;
  }  // bytes of what has come of messages: its part of the budget

 protected:
  ~Receiver() = default;
};

class Application {
 public:
  // Asked of each request that would begin a session (engine.io's allowRequest). What it returns is the
  // message of a refusal: 403 and code 4, or the text of a 400 to an upgrade; an empty one means `Forbidden`.
  virtual std::optional<std::string> forbid(const wire::RequestHead&, const net::Address& /*peer*/) {
    return {};
  }
  // A new session. Its open packet is queued already. The receiver must outlive it.
  virtual Receiver* on_open(Session& session) = 0;

 protected:
  ~Application() = default;
};

class Session {
 public:
  virtual std::string_view sid() const = 0;  // 20 characters
  virtual int revision() const = 0;          // 4 or 3
  virtual bool over_websocket() const = 0;
  virtual const Handshake& handshake() const = 0;
  // A message packet. packet_of() makes what it takes.
  virtual void send(const MessageRef& packet) = 0;
  virtual bool writable() const = 0;                             // a volatile message would leave at once
  virtual void close(Reason reason = Reason::forced_close) = 0;  // after what is queued
  virtual void discard(Reason reason) = 0;                       // at once
  virtual bool closing() const = 0;
  // Hands up no more messages, and reads no more from the client, until resume(): for less than ping_timeout,
  // as heartbeats are not heard either.
  virtual void pause() = 0;
  virtual void resume() = 0;

 protected:
  ~Session() = default;
};

// A message packet to be sent to any number of sessions: text is "4" + pieces, binary is the bytes. (Revision
// 3's binary frames and all polling bodies are made from it by the session.)
MessageRef packet_of(Kind kind, std::initializer_list<std::string_view> pieces);

struct Totals {
  std::uint64_t opened = 0, closed = 0;
  std::uint64_t packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
  std::uint32_t websockets = 0, pollings = 0;  // sessions now, by transport
  std::uint64_t refused = 0;                   // requests that were answered with an error
  std::array<std::uint64_t, kReasons> by_reason{};
};

class Server final {
 public:
  // `http` must not hand out requests any more once this is destroyed; both end before the loop runs again.
  Server(net::Loop& loop, http::Server& http, const Options& options, Application& application);
  ~Server();  // what is left is cut; receivers hear nothing of it

  std::size_t sessions() const;
  std::size_t leaving() const;  // WebSockets whose session has ended and whose Close frame is on its way
  bool full() const;            // sessions are refused
  const Totals& totals() const;
  budget::Budget& budget();  // of all that clients hold: others that have connections let it watch them, too
  void refuse_new();         // 503 for handshakes from now on
  // Ends all sessions at an even rate: WebSockets with Close 1012, polls with `1`.
  void drain(std::uint64_t window_ms);
  bool crossing() const;  // requests may be on their way of clients that drain() has just told
  void close_all();       // what is left, at once

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::engine
