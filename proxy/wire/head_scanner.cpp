// HeadScanner: one pass, a table look-up a byte; every state refuses what cannot follow. The order of
// refusals depends on the bytes alone, never on how they were cut.
#include <algorithm>
#include <optional>

#include "proxy/wire/bytes.h"
#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

constexpr std::size_t kMethodBytes = 32;  // no registered method has over 17
constexpr std::uint8_t kVersionBytes = 8;

using MaybeFault = std::optional<Fault>;

// The byte at `index` of "HTTP/1.0" or "HTTP/1.1".
MaybeFault version_byte(char c, std::uint8_t index) {
  constexpr std::string_view kShape = "HTTP/1.1";
  const bool digit = index == 5 || index == 7;
  if (c == kShape[index] || (index == 7 && c == '0')) return {};
  return digit && is(c, kDigit) ? Fault::version_unsupported : Fault::bad_version;
}

Fault line_end_or(char c, Fault other) {
  return c == '\n' ? Fault::bad_line_end : other;
}

}  // namespace

enum class HeadScanner::State : std::uint8_t {
  start,
  empty_lf,  // an empty line before a request
  method,
  target,
  version,  // aux_: bytes seen; of a response the status code too
  reason,
  line_lf,
  field_start,
  field_name,
  field_value,
  field_lf,
  end_lf,
  complete,
  refused,
};

void HeadScanner::reset() {
  *this = HeadScanner(kind_, limits_);
}

HeadScanner::Step HeadScanner::feed(std::string_view head) {
  while (at_ < head.size() && state_ < State::complete) {
    const std::size_t end = std::min<std::size_t>(head.size(), start_ + limits_.head_bytes);
    MaybeFault fault;
    if (at_ >= end) {
      fault = Fault::head_too_large;
    } else if (state_ >= State::field_start) {
      fault = in_fields(head, end);
    } else {
      fault = kind_ == Kind::request ? in_request_line(head, end) : in_status_line(head, end);
    }
    if (fault) {
      fault_ = *fault;
      state_ = State::refused;
    }
  }
  if (state_ == State::complete) return Step::complete;
  return state_ == State::refused ? Step::refused : Step::more;
}

// Each of the three takes one run of bytes and the byte that ends it; at_ < end.

MaybeFault HeadScanner::in_request_line(std::string_view head, std::size_t end) {
  char c;
  switch (state_) {
    case State::start:
      c = head[at_];
      if (c == '\r' && start_ == 0) {
        start_ = ++at_;
        state_ = State::empty_lf;
        return {};
      }
      if (!is(c, kToken)) return line_end_or(c, Fault::bad_method);
      state_ = State::method;
      return {};
    case State::empty_lf:
      if (head[at_] != '\n') return Fault::bad_line_end;
      start_ = ++at_;
      state_ = State::start;
      return {};
    case State::method:
      at_ = skip(head, at_, std::min(end, start_ + kMethodBytes), kToken);
      if (at_ == end) return {};
      c = head[at_++];
      if (c != ' ') return line_end_or(c, Fault::bad_method);
      target_ = at_;
      state_ = State::target;
      return {};
    case State::target:
      at_ = skip(head, at_, std::min<std::size_t>(end, target_ + limits_.target_bytes), kTarget);
      if (at_ == end) return {};
      c = head[at_++];
      if (is(c, kTarget)) return Fault::target_too_long;
      if (at_ - 1 == target_) return line_end_or(c, Fault::bad_target);
      if (c == '\r') return Fault::bad_version;  // HTTP/0.9
      if (c != ' ') return line_end_or(c, Fault::bad_target);
      state_ = State::version;
      return {};
    case State::version:
      c = head[at_++];
      if (aux_ < kVersionBytes) return version_byte(c, aux_++);
      if (c != '\r') return line_end_or(c, Fault::bad_version);
      state_ = State::line_lf;
      return {};
    default: return line_feed(head[at_++], State::field_start);
  }
}

MaybeFault HeadScanner::in_status_line(std::string_view head, std::size_t end) {
  char c;
  switch (state_) {
    case State::start:
    case State::version:
      state_ = State::version;
      c = head[at_++];
      if (aux_ < kVersionBytes) {
        return version_byte(c, aux_++) ? MaybeFault(line_end_or(c, Fault::bad_status_line)) : std::nullopt;
      }
      // " 200 Reason"; the space after the code is often missing where the reason is.
      if (aux_ < kVersionBytes + 4) {
        const bool ok =
            aux_ == kVersionBytes ? c == ' ' : is(c, kDigit) && (c != '0' || aux_ > kVersionBytes + 1);
        ++aux_;
        return ok ? std::nullopt : MaybeFault(line_end_or(c, Fault::bad_status_line));
      }
      if (c != ' ' && c != '\r') return line_end_or(c, Fault::bad_status_line);
      state_ = c == ' ' ? State::reason : State::line_lf;
      return {};
    case State::reason:
      at_ = skip(head, at_, end, kValue);
      if (at_ == end) return {};
      c = head[at_++];
      if (c != '\r') return line_end_or(c, Fault::bad_status_line);
      state_ = State::line_lf;
      return {};
    default: return line_feed(head[at_++], State::field_start);
  }
}

MaybeFault HeadScanner::in_fields(std::string_view head, std::size_t end) {
  char c;
  switch (state_) {
    case State::field_start:
      c = head[at_++];
      if (c == '\r') {
        state_ = State::end_lf;
        return {};
      }
      if (c == ' ' || c == '\t') return Fault::folded_field;
      if (!is(c, kToken)) return line_end_or(c, Fault::bad_field_name);
      if (++fields_ > limits_.head_fields) return Fault::too_many_fields;
      state_ = State::field_name;
      return {};
    case State::field_name:
      at_ = skip(head, at_, end, kToken);
      if (at_ == end) return {};
      c = head[at_++];
      if (c != ':') return line_end_or(c, Fault::bad_field_name);
      state_ = State::field_value;
      return {};
    case State::field_value:
      at_ = skip(head, at_, end, kValue);
      if (at_ == end) return {};
      c = head[at_++];
      if (c != '\r') return line_end_or(c, Fault::bad_field_value);
      state_ = State::field_lf;
      return {};
    case State::field_lf: return line_feed(head[at_++], State::field_start);
    default: return line_feed(head[at_++], State::complete);
  }
}

MaybeFault HeadScanner::line_feed(char c, State next) {
  if (c != '\n') return Fault::bad_line_end;
  state_ = next;
  return {};
}

}  // namespace limpet::wire
