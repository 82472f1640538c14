#include "backend/ws/reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "backend/budget/share.h"
#include "backend/ws/deflate.h"

namespace limpet::ws {
namespace {

using wire::FrameHead;
using wire::HeadStep;
using wire::Opcode;
using Event = Reader::Event;
using What = Reader::What;

constexpr std::uint16_t kProtocolError = 1002, kNoCode = 1005, kBadData = 1007, kTooBig = 1009;

Event fault(std::uint16_t code) {
  return {What::fault, Kind::binary, code, {}};
}

std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

// 5.5.1, 7.4, 8.1
Event read_close(std::string_view body) {
  if (body.empty()) return {What::close, Kind::binary, kNoCode, {}};
  if (body.size() == 1) return fault(kProtocolError);
  const unsigned code = static_cast<std::uint8_t>(body[0]) << 8 | static_cast<std::uint8_t>(body[1]);
  if (!wire::valid_close_code(code)) return fault(kProtocolError);
  if (!wire::is_utf8(body.substr(2))) return fault(kBadData);
  return {What::close, Kind::binary, static_cast<std::uint16_t>(code), body.substr(2)};
}

Event read_control(Opcode opcode, std::string_view body) {
  if (opcode == Opcode::close) return read_close(body);
  return {opcode == Opcode::ping ? What::ping : What::pong, Kind::binary, 0, body};
}

Event read_message(Kind kind, std::string_view body) {
  return {What::message, kind, 0, body};
}

// The limit holds for what it becomes, the characters are checked then.
Event read_compressed(Kind kind, std::string_view compressed, const Rules& rules) {
  std::string_view body;
  const Inflater::Result result = rules.inflater->inflate(compressed, rules.max_message, body);
  if (result == Inflater::Result::too_big) return fault(kTooBig);
  if (result == Inflater::Result::damaged) return fault(kBadData);
  if (kind == Kind::text && rules.check_utf8 && !wire::is_utf8(body)) return fault(kBadData);
  return read_message(kind, body);
}

}  // namespace

struct Reader::Cut {
  Cut() { count(); }
  void count() { share.set(sizeof(Cut) + body.capacity()); }

  char small[wire::kMostControlBody];  // of a head, or of a control frame's body
  std::uint8_t small_size = 0;

  bool in_frame = false;  // its head is known
  FrameHead head;
  std::uint64_t taken = 0;  // of its payload

  bool in_message = false;  // a data frame has begun it, and it has not ended
  bool compressed = false;
  Kind kind = Kind::text;
  wire::Utf8 utf8;
  std::string body;
  bool handed_up = false;  // a view of ours; the next call lets go
  budget::Share share;
};

Reader::Reader() = default;
Reader::~Reader() = default;

std::size_t Reader::cut_size() const {
  return cut_ ? cut_->body.size() : 0;
}
std::size_t Reader::holds() const {
  return cut_ ? cut_->share.bytes() : 0;
}

Reader::Cut& Reader::cut() {
  if (!cut_) cut_ = std::make_unique<Cut>();
  return *cut_;
}

// What was handed up is over: an event between two fragments leaves the message as it is.
void Reader::let_go() {
  if (!cut_->in_message && !cut_->in_frame && (cut_->handed_up || cut_->small_size == 0)) {
    cut_.reset();
    return;
  }
  if (std::exchange(cut_->handed_up, false)) cut_->small_size = 0;
}

Event Reader::next(std::span<char>& in, const Rules& rules) {
  if (cut_) let_go();
  while (!in.empty()) {
    Event event;
    if (cut_ && cut_->in_frame) {
      event = go_on(in, rules);
    } else {
      FrameHead head;
      const HeadStep step = read_head(in, head);
      if (step == HeadStep::more) return {};
      if (step == HeadStep::refused) return fault(kProtocolError);
      if (const std::uint16_t code = refusal(head, rules)) return fault(code);
      event = begin_frame(head, in, rules);
    }
    if (event.what != What::more) return event;
  }
  if (cut_) let_go();
  return {};
}

// From `in`, or from the pieces of a head that came before it.
HeadStep Reader::read_head(std::span<char>& in, FrameHead& head) {
  if (!cut_ || cut_->small_size == 0) {
    const auto [step, size] = wire::read_frame_head(view(in), head);
    if (step == HeadStep::whole) in = in.subspan(size);
    if (step != HeadStep::more) return step;
  }
  Cut& held = cut();
  for (;;) {
    const auto [step, size] = wire::read_frame_head({held.small, held.small_size}, head);
    if (step != HeadStep::more) {
      held.small_size = 0;
      return step;
    }
    if (in.empty()) return step;
    const std::size_t take = std::min<std::size_t>(size - held.small_size, in.size());
    std::memcpy(held.small + held.small_size, in.data(), take);
    held.small_size = static_cast<std::uint8_t>(held.small_size + take);
    in = in.subspan(take);
  }
}

// The code that a frame which must not come now is answered with, or 0.
std::uint16_t Reader::refusal(const FrameHead& head, const Rules& rules) const {
  const bool in_message = cut_ && cut_->in_message;
  const bool begins = head.opcode == Opcode::text || head.opcode == Opcode::binary;
  if (!head.masked) return kProtocolError;  // 5.1
  const std::uint8_t known = begins && rules.inflater != nullptr ? wire::kRsv1 : 0;
  if ((head.rsv & ~known) != 0) return kProtocolError;  // 5.2; RFC 7692, 6.1
  if (wire::is_control(head.opcode)) return 0;
  if (begins == in_message) return kProtocolError;  // 5.4
  const std::size_t before = in_message ? cut_->body.size() : 0;
  return head.length > rules.max_message - before ? kTooBig : 0;
}

Event Reader::begin_frame(const FrameHead& head, std::span<char>& in, const Rules& rules) {
  const bool control = wire::is_control(head.opcode);
  const bool begins = !control && head.opcode != Opcode::continuation;
  const Kind kind = head.opcode == Opcode::text ? Kind::text : Kind::binary;
  const bool compressed = (head.rsv & wire::kRsv1) != 0;
  if (head.length <= in.size() && (control || (begins && head.fin))) {
    const std::span<char> body = in.first(head.length);
    in = in.subspan(head.length);
    wire::unmask(body, head.key);
    if (control) return read_control(head.opcode, view(body));
    if (compressed) return read_compressed(kind, view(body), rules);
    if (kind == Kind::text && rules.check_utf8 && !wire::is_utf8(view(body))) return fault(kBadData);
    return read_message(kind, view(body));
  }
  Cut& held = cut();
  held.in_frame = true;
  held.head = head;
  held.taken = 0;
  if (begins) {
    held.in_message = true;
    held.kind = kind;
    held.compressed = compressed;
    held.utf8 = {};
    held.body.clear();
  }
  return go_on(in, rules);
}

// Takes what there is of the frame's payload.
Event Reader::go_on(std::span<char>& in, const Rules& rules) {
  Cut& held = *cut_;
  const std::span<char> part = in.first(std::min<std::uint64_t>(held.head.length - held.taken, in.size()));
  in = in.subspan(part.size());
  wire::unmask(part, held.head.key, held.taken);
  held.taken += part.size();
  if (wire::is_control(held.head.opcode)) {
    if (!part.empty()) std::memcpy(held.small + held.small_size, part.data(), part.size());
    held.small_size = static_cast<std::uint8_t>(held.small_size + part.size());
  } else {
    const bool check = held.kind == Kind::text && rules.check_utf8 && !held.compressed;
    if (check && !held.utf8.take(view(part))) return fault(kBadData);
    held.body.append(part.data(), part.size());
    held.count();
  }
  return held.taken == held.head.length ? end_frame(rules) : Event{};
}

Event Reader::end_frame(const Rules& rules) {
  Cut& held = *cut_;
  held.in_frame = false;
  if (wire::is_control(held.head.opcode)) {
    held.handed_up = true;
    return read_control(held.head.opcode, {held.small, held.small_size});
  }
  if (!held.head.fin) return {};
  held.in_message = false;
  held.handed_up = true;
  if (held.compressed) return read_compressed(held.kind, held.body, rules);
  if (held.kind == Kind::text && rules.check_utf8 && !held.utf8.whole()) return fault(kBadData);
  return read_message(held.kind, held.body);
}

}  // namespace limpet::ws
