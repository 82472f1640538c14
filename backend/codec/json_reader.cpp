#include "backend/codec/json_reader.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "backend/codec/json_text.h"
#include "backend/codec/json_writer.h"
#include "backend/codec/utf8.h"

namespace limpet::codec {
namespace {

constexpr double kSafe = 9007199254740991;  // JavaScript's largest exact integer
constexpr std::size_t kRoom = 2048;         // of values in the making, on the stack

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// What a number is that from_chars found too far out: infinite, or too small to tell from 0.
double beyond(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t e = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, e);
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.find_first_of("123456789");
  bool large = first < dot;  // without an exponent
  if (e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    const bool down = power.front() == '-';
    if (down || power.front() == '+') power.remove_prefix(1);
    long long size = 0;
    const bool huge = std::from_chars(power.data(), power.data() + power.size(), size).ec != std::errc{};
    const auto place =
        static_cast<long long>(dot) - static_cast<long long>(first);  // of the first digit that counts
    if (huge)
      large = !down;
    else
      large = (down ? -size : size) + place > 0;
  }
  const double value = large ? std::numeric_limits<double>::infinity() : 0.0;
  return negative ? -value : value;
}

}  // namespace

std::optional<boost::json::value> JsonReader::read() {
  unsigned char temp[kRoom];
  Stack stack({}, temp, sizeof temp);
  stack.reset();
  if (!value(stack) || !at_end()) return std::nullopt;
  return stack.release();
}

std::optional<JsonReader::Event> JsonReader::read_event(std::string& room) {
  std::optional<Event> event(std::in_place);
  space();
  if (depth_ == 0 || !take('[')) return std::nullopt;
  --depth_;
  space();
  if (take('"')) {
    if (!string(room, event->name)) return std::nullopt;
  } else {
    double number = 0;
    bool whole = false;
    std::int64_t integer = 0;
    if (!number_text(number, whole, integer) || !std::isfinite(number)) return std::nullopt;
    room.clear();
    write_number(room, whole ? static_cast<double>(integer) : number);
    event->name = room;
    event->name_is_number = true;
  }
  unsigned char temp[kRoom];
  Stack stack({}, temp, sizeof temp);
  stack.reset();
  std::size_t count = 0;
  space();
  if (take(',')) {
    if (!elements(stack, count)) return std::nullopt;
  } else if (!take(']')) {
    return std::nullopt;
  }
  if (!at_end()) return std::nullopt;
  stack.push_array(count);
  event->args = std::move(stack.release().get_array());
  return event;
}

bool JsonReader::value(Stack& stack) {
  space();
  if (at_ == end_) return false;
  switch (*at_) {
    case '{': return object(stack);
    case '[': return array(stack);
    case '"': {
      ++at_;
      std::string_view text;
      if (!string(room_, text)) return false;
      stack.push_string(text);
      return true;
    }
    case 't': return literal("true") && (stack.push_bool(true), true);
    case 'f': return literal("false") && (stack.push_bool(false), true);
    case 'n': return literal("null") && (stack.push_null(), true);
    default: return number(stack);
  }
}

bool JsonReader::array(Stack& stack) {
  if (depth_ == 0) return false;
  --depth_;
  ++at_;
  space();
  std::size_t count = 0;
  if (!take(']') && !elements(stack, count)) return false;
  ++depth_;
  stack.push_array(count);
  return true;
}

bool JsonReader::elements(Stack& stack, std::size_t& count) {
  do {
    if (!value(stack)) return false;
    ++count;
    space();
  } while (take(','));
  return take(']');
}

bool JsonReader::object(Stack& stack) {
  if (depth_ == 0) return false;
  --depth_;
  ++at_;
  space();
  std::size_t count = 0;
  if (!take('}')) {
    do {
      space();
      std::string_view key;
      if (!take('"') || !string(room_, key)) return false;
      stack.push_key(key);
      space();
      if (!take(':') || !value(stack)) return false;
      ++count;
      space();
    } while (take(','));
    if (!take('}')) return false;
  }
  ++depth_;
  stack.push_object(count);
  return true;
}

bool JsonReader::number(Stack& stack) {
  double number = 0;
  bool whole = false;
  std::int64_t integer = 0;
  if (!number_text(number, whole, integer)) return false;
  if (whole)
    stack.push_int64(integer);
  else
    stack.push_double(number);
  return true;
}

bool JsonReader::number_text(double& number, bool& whole, std::int64_t& integer) {
  const char* from = at_;
  const bool negative = take('-');
  if (at_ == end_ || !digit(*at_)) return false;
  const char* first = at_;
  while (at_ != end_ && digit(*at_)) ++at_;
  if (*first == '0' && at_ - first > 1) return false;
  const bool short_integer =
      at_ - first <= 15 && (at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E'));
  if (short_integer) {
    integer = 0;
    for (const char* p = first; p != at_; ++p) integer = integer * 10 + (*p - '0');
    if (negative) integer = -integer;
    whole = true;
    return true;
  }
  if (take('.')) {
    if (at_ == end_ || !digit(*at_)) return false;
    while (at_ != end_ && digit(*at_)) ++at_;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (!take('+')) take('-');
    if (at_ == end_ || !digit(*at_)) return false;
    while (at_ != end_ && digit(*at_)) ++at_;
  }
  if (std::from_chars(from, at_, number).ec != std::errc{})
    number = beyond({from, static_cast<std::size_t>(at_ - from)});
  whole = std::abs(number) <= kSafe && number == std::trunc(number);
  if (whole) integer = static_cast<std::int64_t>(number);
  return true;
}

bool JsonReader::literal(std::string_view word) {
  if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word)
    return false;
  at_ += word.size();
  return true;
}

// Most strings stand in the text as they are; the others are put together in `room`.
bool JsonReader::string(std::string& room, std::string_view& text) {
  const char* from = at_;
  bool copied = false;
  const auto copy = [&] {
    if (!copied) room.clear();
    copied = true;
    room.append(from, at_);
  };
  for (;;) {
    at_ = plain_run(at_, end_);
    if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) return false;
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      copy();
      ++at_;
      if (!escape(room)) return false;
      from = at_;
    } else if (const std::size_t size = utf8_sequence(at_, end_)) {
      at_ += size;
    } else {
      copy();
      room += kReplacement;
      from = ++at_;
    }
  }
  if (copied) copy();
  text = copied ? std::string_view(room) : std::string_view(from, static_cast<std::size_t>(at_ - from));
  ++at_;
  return true;
}

bool JsonReader::escape(std::string& room) {
  if (at_ == end_) return false;
  switch (*at_++) {
    case '"': room += '"'; return true;
    case '\\': room += '\\'; return true;
    case '/': room += '/'; return true;
    case 'b': room += '\b'; return true;
    case 'f': room += '\f'; return true;
    case 'n': room += '\n'; return true;
    case 'r': room += '\r'; return true;
    case 't': room += '\t'; return true;
    case 'u': break;
    default: return false;
  }
  unsigned code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
    const char* before = at_;
    at_ += 2;
    unsigned low = 0;
    if (!hex4(low)) return false;
    if (low >= 0xdc00 && low < 0xe000)
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    else
      at_ = before;  // two that are no pair
  }
  append_code_point(room, code);
  return true;
}

bool JsonReader::hex4(unsigned& code) {
  if (end_ - at_ < 4) return false;
  const auto [stopped, error] = std::from_chars(at_, at_ + 4, code, 16);
  if (error != std::errc{} || stopped != at_ + 4) return false;
  at_ += 4;
  return true;
}

void JsonReader::space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool JsonReader::take(char c) {
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

bool JsonReader::at_end() {
  space();
  return at_ == end_;
}

}  // namespace limpet::codec
