// Connection: one connection to the load tool's server: requests, then perhaps a WebSocket.
//
// Holds no more than what was read at once and could not be sent yet: while something waits to go out nothing
// is read. Level-triggered: whoever owns it calls on_events() and afterwards looks at interest() and over().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/frames.h"
#include "tests/bench/load/stream.h"

namespace limpet::bench {

// Buffers that all connections of the thread share.
struct ServeBuffers {
  std::vector<char> in = std::vector<char>(128 * 1024);
  std::vector<char> out = std::vector<char>(129 * 1024);
  std::string body = std::string(256 * 1024, 'b');
};

class ChunkedBody {
 public:
  // Takes what belongs to the body off `in`; true once its end was seen.
  bool take(std::span<char>& in);
  std::uint64_t taken() const { return taken_; }
  bool broken() const { return broken_; }

 private:
  void take_line(char byte);

  std::uint64_t left_ = 0;
  std::uint64_t taken_ = 0;
  std::string line_;
  enum class At : std::uint8_t { size, data, data_end, trailer, over } at_ = At::size;
  bool broken_ = false;
};

class Connection {
 public:
  Connection(Stream stream, ServeBuffers& buffers) : stream_(std::move(stream)), buffers_(buffers) {}

  void on_events();
  std::uint32_t interest() const;
  bool over() const { return !stream_.open(); }
  int fd() const { return stream_.fd(); }

  // The query of /push, once it was asked for; and the frames of its group.
  std::string take_push() { return std::exchange(push_, {}); }
  void push(std::span<const char> frame);  // a member that has not taken the last one misses this one

  std::uint32_t registered = 0;  // with epoll
  void* group = nullptr;         // of whoever pushes

 private:
  enum class Phase : std::uint8_t { head, length, chunked, websocket };

  bool blocked() const { return !pending_.empty() || body_left_ > 0; }
  void feed(std::span<char> in);
  void take_head(std::span<char>& in);
  void on_head(std::string_view head);
  void on_get(std::string_view path);
  void on_body_end(std::uint64_t taken);
  void upgrade(std::string_view head, std::string_view path);
  void take_length(std::span<char>& in);
  void take_frames(std::span<char> in);
  void take_control(const FrameReader::Slice& slice);
  void reply(std::string_view status, std::string_view body);
  void write(std::span<const char> bytes);
  bool flush();
  void end();

  Stream stream_;
  ServeBuffers& buffers_;
  std::string head_;     // an unfinished one
  std::string pending_;  // to be sent
  std::string ahead_;    // read behind a request whose answer still goes out
  std::string control_;  // payload of an unfinished ping or close
  std::string push_;
  std::size_t sent_ = 0;           // of pending_
  std::uint64_t body_left_ = 0;    // of the answer
  std::uint64_t to_take_ = 0;      // of the request's body
  std::uint64_t body_length_ = 0;  // of the request
  ChunkedBody chunks_;
  FrameReader frames_;
  Phase phase_ = Phase::head;
  bool echo_ = false;
  bool close_ = false;  // after the answer
  bool last_ = false;   // close when all is sent
};

}  // namespace limpet::bench
