#include <boost/json/value_stack.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "backend/codec/iso_time.h"
#include "backend/codec/json_writer.h"
#include "backend/codec/mpack.h"
#include "backend/codec/msgpack.h"
#include "backend/codec/utf8.h"

namespace limpet::codec::msgpack {
namespace {

constexpr double kSafe = 9007199254740991;  // JavaScript's largest exact integer
constexpr double kTwo32 = 4294967296.0;
constexpr std::size_t kRoom = 2048;  // of values in the making, on the stack
constexpr std::size_t kOfBytes = 8;  // elements' worth of memory: what stands for a byte string
constexpr int kDate = -1;            // ext type
constexpr int kOlder = 0;            // ext type of what notepack.io 2 wrote: undefined, bytes, dates
constexpr std::string_view kMark = "_placeholder";
constexpr char kTrue = '\xc3';
constexpr char kFixExt8 = '\xd7';
constexpr char kExt8 = '\xc7', kExt32 = '\xc9';

using Stack = boost::json::value_stack;

double signed_high(mpack_uint32_t high, mpack_uint32_t low) {
  return static_cast<double>(static_cast<std::int32_t>(high)) * kTwo32 + low;
}

mpack_uint32_t word(std::string_view bytes) {
  mpack_uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Milliseconds since 1970, as JavaScript computes them. NaN: no timestamp.
double timestamp(std::string_view bytes) {
  const auto at = [&](std::size_t offset) { return word(bytes.substr(offset)); };
  switch (bytes.size()) {
    case 4: return at(0) * 1e3;
    case 8: return ((at(0) & 3U) * kTwo32 + at(4)) * 1e3 + (at(0) >> 2U) / 1e6;
    case 12: return signed_high(at(4), at(8)) * 1e3 + at(0) / 1e6;
    default: return std::nan("");
  }
}

// JavaScript's String() of what is no text. (Not JSON: a key within a key within a key would double with each
// level what is escaped in it.)
void append_text(std::string& out, const boost::json::value& value) {
  if (const auto* text = value.if_string()) {
    out += *text;
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (&element != array->begin()) out += ',';
      if (!element.is_null()) append_text(out, element);
    }
  } else if (value.is_object()) {
    out += "[object Object]";
  } else {
    write_json(out, value);
  }
}

class Reader {
 public:
  Reader(std::string_view bytes, const Bounds& bounds, std::vector<std::string>& binaries)
      : at_(bytes.data()),
        left_(bytes.size()),
        depth_(bounds.depth),
        elements_(bounds.elements),
        binaries_(binaries) {
    mpack_tokbuf_init(&tokens_);
  }

  bool value(Stack& stack);
  bool at_end() const { return left_ == 0; }
  bool is_sound() const { return !looks_like_bytes_ || binaries_.empty(); }

 private:
  bool next(mpack_token_t& token);
  bool value_of(Stack& stack, const mpack_token_t& token, char form);  // `form`: its first byte
  bool bytes(std::size_t size, std::string_view& bytes);
  bool enter(std::size_t count, std::size_t values_each);
  bool array(Stack& stack, std::size_t count);
  bool map(Stack& stack, std::size_t count);
  bool key(Stack& stack);
  void note_key(std::string_view text) {
    if (text == kMark && left_ != 0 && *at_ == kTrue) looks_like_bytes_ = true;
  }
  bool text(Stack& stack, std::size_t size);
  bool binary(Stack& stack, std::size_t size);
  bool ext(Stack& stack, char form, int type, std::size_t size);
  void date(Stack& stack, double ms);
  void number(Stack& stack, double number);
  bool bytes_as_value(Stack& stack, std::string_view bytes);

  mpack_tokbuf_t tokens_;
  const char* at_;
  std::size_t left_;
  std::size_t depth_;
  std::size_t elements_;
  bool looks_like_bytes_ = false;
  std::vector<std::string>& binaries_;
};

bool Reader::next(mpack_token_t& token) {
  return left_ != 0 && mpack_read(&tokens_, &at_, &left_, &token) == MPACK_OK;
}

// What a str, bin or ext token announced. All of it is there, or the message is cut.
bool Reader::bytes(std::size_t size, std::string_view& bytes) {
  if (size > left_) return false;
  bytes = {};
  mpack_token_t chunk;
  if (size == 0) return true;
  if (!next(chunk) || chunk.type != MPACK_TOKEN_CHUNK || chunk.length != size) return false;
  bytes = {chunk.data.chunk_ptr, chunk.length};
  return true;
}

bool Reader::value(Stack& stack) {
  const char form = left_ != 0 ? *at_ : 0;
  mpack_token_t token;
  return next(token) && value_of(stack, token, form);
}

bool Reader::value_of(Stack& stack, const mpack_token_t& token, char form) {
  switch (token.type) {
    case MPACK_TOKEN_NIL: stack.push_null(); return true;
    case MPACK_TOKEN_BOOLEAN: stack.push_bool(token.data.value.lo != 0); return true;
    case MPACK_TOKEN_UINT: number(stack, static_cast<double>(mpack_unpack_uint(token))); return true;
    case MPACK_TOKEN_SINT: number(stack, static_cast<double>(mpack_unpack_sint(token))); return true;
    case MPACK_TOKEN_FLOAT: number(stack, mpack_unpack_float(token)); return true;
    case MPACK_TOKEN_STR: return text(stack, token.length);
    case MPACK_TOKEN_BIN: return binary(stack, token.length);
    case MPACK_TOKEN_EXT:
      return ext(stack, form, static_cast<std::int8_t>(token.data.ext_type), token.length);
    case MPACK_TOKEN_ARRAY: return array(stack, token.length);
    case MPACK_TOKEN_MAP: return map(stack, token.length);
    case MPACK_TOKEN_CHUNK: return false;
  }
  return false;
}

// Every value takes a byte at least: a count that cannot be is refused before anything is kept for it.
bool Reader::enter(std::size_t count, std::size_t values_each) {
  if (depth_ == 0 || count > elements_ || count * values_each > left_) return false;
  --depth_;
  elements_ -= count;
  return true;
}

bool Reader::array(Stack& stack, std::size_t count) {
  if (!enter(count, 1)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!value(stack)) return false;
  }
  ++depth_;
  stack.push_array(count);
  return true;
}

bool Reader::map(Stack& stack, std::size_t count) {
  if (!enter(count, 2)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!key(stack) || !value(stack)) return false;
  }
  ++depth_;
  stack.push_object(count);
  return true;
}

// JavaScript's objects have no keys but texts.
bool Reader::key(Stack& stack) {
  const char form = left_ != 0 ? *at_ : 0;
  mpack_token_t token;
  if (!next(token)) return false;
  if (token.type == MPACK_TOKEN_STR || token.type == MPACK_TOKEN_BIN) {
    std::string_view text;
    if (!bytes(token.length, text)) return false;
    note_key(text);
    if (utf8_run(text.data(), text.data() + text.size()) == text.data() + text.size())
      stack.push_key(text);
    else
      stack.push_key(well_formed(text));
    return true;
  }
  Stack one;
  one.reset();
  const std::size_t binaries = binaries_.size();
  if (!value_of(one, token, form)) return false;
  binaries_.resize(binaries);
  std::string text;
  append_text(text, one.release());
  note_key(text);
  stack.push_key(text);
  return true;
}

bool Reader::text(Stack& stack, std::size_t size) {
  std::string_view text;
  if (!bytes(size, text)) return false;
  if (utf8_run(text.data(), text.data() + text.size()) == text.data() + text.size())
    stack.push_string(text);
  else
    stack.push_string(well_formed(text));
  return true;
}

bool Reader::binary(Stack& stack, std::size_t size) {
  std::string_view bytes;
  return this->bytes(size, bytes) && bytes_as_value(stack, bytes);
}

bool Reader::ext(Stack& stack, char form, int type, std::size_t size) {
  std::string_view bytes;
  if (!this->bytes(size, bytes)) return false;
  if (type == kDate)
    date(stack, timestamp(bytes));
  else if (type == kOlder && form >= kExt8 && form <= kExt32)
    return bytes_as_value(stack, bytes);
  else if (type == kOlder && form == kFixExt8)
    date(stack, signed_high(word(bytes), word(bytes.substr(4))));
  else
    stack.push_null();
  return true;
}

void Reader::date(Stack& stack, double ms) {
  if (const auto text = iso_time(ms))
    stack.push_string(*text);
  else
    stack.push_null();
}

void Reader::number(Stack& stack, double number) {
  if (std::abs(number) <= kSafe && number == std::trunc(number))
    stack.push_int64(static_cast<std::int64_t>(number));
  else
    stack.push_double(number);
}

bool Reader::bytes_as_value(Stack& stack, std::string_view bytes) {
  if (elements_ < kOfBytes) return false;
  elements_ -= kOfBytes;
  stack.push_key(kMark);
  stack.push_bool(true);
  stack.push_key("num");
  stack.push_int64(static_cast<std::int64_t>(binaries_.size()));
  stack.push_object(2);
  binaries_.emplace_back(bytes);
  return true;
}

}  // namespace

std::optional<Args> read(std::string_view bytes, const Bounds& bounds) {
  std::vector<std::string> binaries;
  Reader reader(bytes, bounds, binaries);
  unsigned char temp[kRoom];
  Stack stack({}, temp, sizeof temp);
  stack.reset();
  if (!reader.value(stack) || !reader.at_end() || !reader.is_sound()) return std::nullopt;
  boost::json::array values;
  values.push_back(stack.release());
  return Args(std::move(values), std::move(binaries));
}

}  // namespace limpet::codec::msgpack
