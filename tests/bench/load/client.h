// Client: one connection of the load: connects, sends its request, reads the head of the answer; what follows
// is its mode's.
//
// What it sends are repetitions of a Pattern, so that nothing is built or copied on the way: a socket's
// output is two numbers. Level-triggered.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/bench/load/frames.h"
#include "tests/bench/load/stream.h"

namespace limpet::bench {

class Load;
class Client;

// Bytes that are sent again and again. They stand in `bytes` as often as fit, so that several go out at once.
struct Pattern {
  Pattern() = default;
  explicit Pattern(std::string_view once, std::size_t room = 64 * 1024);
  std::string bytes;
  std::size_t period = 0;
};

// A mode of the load as its sockets see it.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_head(Client& client) = 0;  // 101 or 200 has come
  virtual void on_bytes(Client& client, std::span<char> bytes) = 0;
  virtual void on_flushed(Client&) {}  // all that send() was given has been taken
  // The connection is over, and closed; `why` is empty for an orderly end.
  virtual void on_end(Client& client, std::string_view why) = 0;
  // What is due by now; returns when to call again.
  virtual std::int64_t on_time(std::int64_t) { return kNever; }
};

class Client {
 public:
  Client(Load& load, Handler& handler, std::uint32_t index) : load_(load), handler_(handler), index(index) {}

  bool connect(const Pattern& request);       // false: failed at once, for the reason in why(); no call comes
  void expect_head() { head_over_ = false; }  // of the next answer
  void send(const Pattern& pattern, std::uint64_t count);  // of what is being sent already, or anything anew
  void finish();                                           // nothing more will be sent
  void close();                                            // no call comes
  void fail(std::string_view why);                         // closes, and on_end() comes at once
  void on_events(std::uint32_t events);

  bool open() const { return stream_.open(); }
  bool upgraded() const { return status == 101; }
  bool resumed() const { return stream_.resumed(); }
  const char* why() const { return why_; }
  std::uint64_t unsent() const { return unsent_; }  // bytes of what send() was given

 private:
  void flush();
  void read();
  bool take_head(std::span<char>& in);
  bool understand_head();
  void set_interest(std::uint32_t interest);

  Load& load_;
  Handler& handler_;
  Stream stream_;
  std::string head_;  // an unfinished one
  const char* why_ = "";
  const Pattern* pattern_ = nullptr;
  std::uint64_t unsent_ = 0;  // bytes
  std::uint64_t offset_ = 0;  // in the pattern's period
  std::uint32_t interest_ = 0;
  bool head_over_ = false;
  bool finish_ = false;  // once all is sent

 public:
  const std::uint32_t index;

  // Of the last head.
  int status = 0;
  std::uint64_t body_left = 0;  // its Content-Length; counted down by whoever reads the body
  bool has_length = false;
  bool last = false;  // Connection: close

  // The mode's.
  std::int64_t started = 0;  // when connect() was called
  std::uint64_t sent = 0;    // units
  std::uint64_t received = 0;
  bool ready = false;  // its mode counts it as open
  FrameReader frames;
};

}  // namespace limpet::bench
