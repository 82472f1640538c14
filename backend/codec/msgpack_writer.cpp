// Written here and not by mpack_write(), which would need a token and a second buffer for each of these
// lines.
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <limits>

#include "backend/codec/msgpack.h"
#include "backend/codec/utf8.h"

namespace limpet::codec::msgpack {
namespace {

constexpr double kTwo63 = 9223372036854775808.0, kTwo64 = 18446744073709551616.0;

// A kind's byte, then a number of `Unsigned`'s width, the high byte first.
template <class Unsigned>
void put(std::string& out, unsigned kind, Unsigned value) {
  char bytes[1 + sizeof value];
  bytes[0] = static_cast<char>(kind);
  for (std::size_t i = sizeof value; i > 0; --i, value = static_cast<Unsigned>(value >> 8))
    bytes[i] = static_cast<char>(value & 0xff);
  out.append(bytes, sizeof bytes);
}

template <class Signed>
bool fits(std::int64_t value) {
  return value >= std::numeric_limits<Signed>::min();
}

// Length of 16 or 32 bits.
void put_size(std::string& out, unsigned kind16, std::size_t size) {
  if (size < 0x10000)
    put(out, kind16, static_cast<std::uint16_t>(size));
  else
    put(out, kind16 + 1, static_cast<std::uint32_t>(size));
}

}  // namespace

void Writer::nil() {
  bytes_ += '\xc0';
}

void Writer::boolean(bool value) {
  bytes_ += value ? '\xc3' : '\xc2';
}

void Writer::integer(std::int64_t value) {
  if (value >= 0)
    natural(static_cast<std::uint64_t>(value));
  else if (value >= -32)
    bytes_ += static_cast<char>(value);
  else if (fits<std::int8_t>(value))
    put(bytes_, 0xd0, static_cast<std::uint8_t>(value));
  else if (fits<std::int16_t>(value))
    put(bytes_, 0xd1, static_cast<std::uint16_t>(value));
  else if (fits<std::int32_t>(value))
    put(bytes_, 0xd2, static_cast<std::uint32_t>(value));
  else
    put(bytes_, 0xd3, static_cast<std::uint64_t>(value));
}

void Writer::natural(std::uint64_t value) {
  if (value < 0x80)
    bytes_ += static_cast<char>(value);
  else if (value <= 0xff)
    put(bytes_, 0xcc, static_cast<std::uint8_t>(value));
  else if (value <= 0xffff)
    put(bytes_, 0xcd, static_cast<std::uint16_t>(value));
  else if (value <= 0xffffffff)
    put(bytes_, 0xce, static_cast<std::uint32_t>(value));
  else
    put(bytes_, 0xcf, value);
}

void Writer::number(double value) {
  if (value == std::trunc(value) && value >= -kTwo63 && value < kTwo64) {
    if (value < 0)
      integer(static_cast<std::int64_t>(value));
    else
      natural(static_cast<std::uint64_t>(value));
    return;
  }
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  put(bytes_, 0xcb, std::bit_cast<std::uint64_t>(value));
}

void Writer::text(std::string_view value) {
  if (utf8_run(value.data(), value.data() + value.size()) != value.data() + value.size())
    return text(well_formed(value));
  if (value.size() < 32)
    bytes_ += static_cast<char>(0xa0 | value.size());
  else if (value.size() <= 0xff)
    put(bytes_, 0xd9, static_cast<std::uint8_t>(value.size()));
  else
    put_size(bytes_, 0xda, value.size());
  bytes_ += value;
}

void Writer::binary(std::string_view value) {
  if (value.size() <= 0xff)
    put(bytes_, 0xc4, static_cast<std::uint8_t>(value.size()));
  else
    put_size(bytes_, 0xc5, value.size());
  bytes_ += value;
}

void Writer::array(std::size_t size) {
  if (size < 16)
    bytes_ += static_cast<char>(0x90 | size);
  else
    put_size(bytes_, 0xdc, size);
}

void Writer::map(std::size_t size) {
  if (size < 16)
    bytes_ += static_cast<char>(0x80 | size);
  else
    put_size(bytes_, 0xde, size);
}

void Writer::value(const boost::json::value& value, const Args& args) {
  switch (value.kind()) {
    case boost::json::kind::null: return nil();
    case boost::json::kind::bool_: return boolean(value.get_bool());
    case boost::json::kind::int64: return integer(value.get_int64());
    case boost::json::kind::uint64: return natural(value.get_uint64());
    case boost::json::kind::double_: return number(value.get_double());
    case boost::json::kind::string: return text(value.get_string());
    case boost::json::kind::array:
      array(value.get_array().size());
      for (const auto& element : value.get_array()) this->value(element, args);
      return;
    case boost::json::kind::object: break;
  }
  if (const std::string* bytes = args.binary(value)) return binary(*bytes);
  if (args.dangles(value)) return nil();
  map(value.get_object().size());
  for (const auto& member : value.get_object()) {
    text(member.key());
    this->value(member.value(), args);
  }
}

}  // namespace limpet::codec::msgpack
