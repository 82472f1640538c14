// What a proxy must understand of Engine.IO: whose request is it, which sid did an answer open or lose.
// (Protocol revisions 3 and 4; the words are those of the design: begins, belongs, plain.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpet::wire {

// Read from a query string. Of repeated keys the last counts; keys and values are percent-decoded ('+' is a
// space). A request is Engine.IO's if EIO is there and transport is `polling` or `websocket`.
struct EngineIoQuery {
  bool engineio = false;
  bool websocket = false;       // transport
  bool sid_given = false;       // a non-empty sid key, valid or not
  bool jsonp = false;           // key j
  std::uint8_t sid_length = 0;  // 0: no sid, or one that is ignored (over 64 bytes, other characters)
  char sid_bytes[64];
  std::string_view sid() const { return {sid_bytes, sid_length}; }
};
EngineIoQuery parse_engineio_query(std::string_view query);

// The open packet at the head of a polling body: plain, `<digits>:` (revision 3), JSONP, in any mix; needs at
// most the first 4 KiB. Nothing if it is no open packet or not complete.
struct EngineIoOpen {
  std::string sid;  // 1 to 64 of [A-Za-z0-9_-]
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
};
std::optional<EngineIoOpen> parse_engineio_open(std::string_view body);

// True for an error answer with code 1 (`Session ID unknown`), as JSON or as the text of an upgrade's
// refusal.
bool says_sid_unknown(std::string_view body);

// Bodies of our own refusals, byte for byte what engine.io writes.
inline constexpr std::string_view kSidUnknownJson = R"({"code":1,"message":"Session ID unknown"})";
inline constexpr std::string_view kSidUnknownText = "Session ID unknown";

// Takes bytes of a response body as they pass and keeps the first 4 KiB of payload; chunked bodies are given
// decoded. Small enough to live in an exchange; allocates only once there is something to keep.
class BodySample {
 public:
  static constexpr std::size_t kMost = 4096;
  void add(std::string_view payload);
  std::string_view bytes() const { return bytes_; }
  bool full() const { return bytes_.size() >= kMost; }
  void clear() {
    bytes_.clear();
    bytes_.shrink_to_fit();
  }

 private:
  std::string bytes_;
};

}  // namespace limpet::wire
