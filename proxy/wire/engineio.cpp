// Engine.IO as a proxy sees it: queries, the open packet, error answers. Everything here was written by a
// stranger: nothing is believed beyond its form, and work is bounded by what is looked at.
#include "proxy/wire/engineio.h"

#include <algorithm>
#include <array>

#include "proxy/wire/bytes.h"
#include "proxy/wire/flat_json.h"

namespace limpet::wire {
namespace {

constexpr double kLeastPing = 1'000;
constexpr double kMostPing = 24 * 3'600'000;

// A percent-decoded query component of at most `Most` bytes; longer ones are known to be longer, no more.
template <std::size_t Most>
class Decoded {
 public:
  explicit Decoded(std::string_view encoded) {
    for (std::size_t i = 0; i < encoded.size() && size_ <= Most; ++i) {
      char c = encoded[i] == '+' ? ' ' : encoded[i];
      if (c == '%' && i + 2 < encoded.size() && all(encoded.substr(i + 1, 2), kHex)) {
        c = static_cast<char>(hex_value(encoded[i + 1]) << 4 | hex_value(encoded[i + 2]));
        i += 2;
      }
      bytes_[size_++] = c;
    }
  }
  std::string_view text() const { return {bytes_.data(), size_}; }
  bool too_long() const { return size_ > Most; }

 private:
  std::array<char, Most + 1> bytes_;
  std::size_t size_ = 0;
};

void take_sid(EngineIoQuery& query, std::string_view encoded) {
  const Decoded<sizeof query.sid_bytes> sid(encoded);
  query.sid_given = !sid.text().empty();
  query.sid_length = 0;
  if (sid.too_long() || !all(sid.text(), kSid)) return;
  std::ranges::copy(sid.text(), query.sid_bytes);
  query.sid_length = static_cast<std::uint8_t>(sid.text().size());
}

// What stands before a packet in a polling body: revision 3's "<digits>:".
std::string_view without_length(std::string_view body) {
  constexpr std::size_t kMostDigits = 10;
  const std::size_t end = skip(body, 0, std::min(body.size(), kMostDigits), kDigit);
  return end > 0 && end < body.size() && body[end] == ':' ? body.substr(end + 1) : body;
}

// The text of `___eio[7]("...")`, its escapes undone; it may end with the sample.
std::string unescaped_jsonp(std::string_view body) {
  constexpr std::string_view kHead = "___eio[";
  const std::size_t digits = skip(body, kHead.size(), body.size(), kDigit);
  std::string text;
  if (!body.substr(digits).starts_with("](\"")) return text;
  body.remove_prefix(digits + 3);
  text.reserve(body.size());
  for (std::size_t i = 0; i < body.size() && body[i] != '"'; ++i) {
    if (body[i] == '\\' && ++i == body.size()) break;
    text += body[i];  // other escapes than \" and \\ occur in nothing that is looked for
  }
  return text;
}

std::chrono::milliseconds ping(double given) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(given, kLeastPing, kMostPing)));
}

std::optional<EngineIoOpen> parse_open_packet(std::string_view packet) {
  if (!packet.starts_with('0')) return std::nullopt;
  EngineIoOpen open;
  FlatJson json(packet.substr(1));
  for (FlatJson::Member member; json.next(member);) {
    if (member.key == "sid" && member.kind == FlatJson::Kind::string) open.sid = member.text;
    if (member.kind != FlatJson::Kind::number) continue;
    if (member.key == "pingInterval") open.ping_interval = ping(member.number);
    if (member.key == "pingTimeout") open.ping_timeout = ping(member.number);
  }
  const bool valid =
      !open.sid.empty() && open.sid.size() <= sizeof EngineIoQuery::sid_bytes && all(open.sid, kSid);
  return json.complete() && valid ? std::optional(std::move(open)) : std::nullopt;
}

}  // namespace

EngineIoQuery parse_engineio_query(std::string_view query) {
  EngineIoQuery out;
  bool revision = false;
  bool polling = false;
  ListReader pairs(query, '&');
  for (std::string_view pair; pairs.next(pair);) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const Decoded<9> key(pair.substr(0, equals));  // "transport" is the longest that is known
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (key.text() == "EIO") {
      revision = true;
    } else if (key.text() == "j") {
      out.jsonp = true;
    } else if (key.text() == "sid") {
      take_sid(out, value);
    } else if (key.text() == "transport") {
      const Decoded<9> transport(value);
      polling = transport.text() == "polling";
      out.websocket = transport.text() == "websocket";
    }
  }
  out.engineio = revision && (polling || out.websocket);
  return out;
}

std::optional<EngineIoOpen> parse_engineio_open(std::string_view body) {
  body = body.substr(0, BodySample::kMost);
  if (!body.starts_with('_')) return parse_open_packet(without_length(body));
  const std::string text = body.starts_with("___eio[") ? unescaped_jsonp(body) : std::string();
  return parse_open_packet(without_length(text));
}

bool says_sid_unknown(std::string_view body) {
  if (body == kSidUnknownText) return true;
  FlatJson json(body.substr(0, BodySample::kMost));
  bool unknown = false;
  for (FlatJson::Member member; json.next(member);) {
    if (member.key == "code") unknown = member.kind == FlatJson::Kind::number && member.number == 1;
  }
  return unknown && json.complete();
}

void BodySample::add(std::string_view payload) {
  const std::size_t room = kMost - bytes_.size();
  if (room > 0 && !payload.empty()) bytes_.append(payload.substr(0, room));
}

}  // namespace limpet::wire
