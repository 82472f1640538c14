#include "backend/codec/json_writer.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "backend/codec/json_text.h"
#include "backend/codec/utf8.h"

namespace limpet::codec {
namespace {

void write_escape(std::string& out, unsigned code) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kHex[code >> shift & 0xfU];
}

// The one character, or bytes that are none, at `at`. Returns where the next begins.
const char* write_odd(std::string& out, const char* at, const char* end) {
  switch (*at) {
    case '"': out += "\\\""; return at + 1;
    case '\\': out += "\\\\"; return at + 1;
    case '\b': out += "\\b"; return at + 1;
    case '\f': out += "\\f"; return at + 1;
    case '\n': out += "\\n"; return at + 1;
    case '\r': out += "\\r"; return at + 1;
    case '\t': out += "\\t"; return at + 1;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < 0x20) {
    write_escape(out, byte);
    return at + 1;
  }
  if (const std::size_t size = utf8_sequence(at, end)) {
    out.append(at, size);
    return at + size;
  }
  if (is_lone_surrogate(at, end)) {
    write_escape(out, 0xd000U | (static_cast<unsigned char>(at[1]) & 0x3fU) << 6U |
                          (static_cast<unsigned char>(at[2]) & 0x3fU));
    return at + 3;
  }
  out += kReplacement;
  return at + 1;
}

template <class Integer>
void write_integer(std::string& out, Integer number) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

// An array index as JavaScript knows it: "0" to "4294967294", without leading zeros.
std::optional<std::uint32_t> array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || key[0] < '0' || key[0] > '9' || (key[0] == '0' && key.size() > 1))
    return {};
  std::uint64_t index = 0;
  const auto [stopped, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc{} || stopped != key.data() + key.size() || index > 4294967294U) return {};
  return static_cast<std::uint32_t>(index);
}

class Writer {
 public:
  Writer(std::string& out, const Args* args, std::vector<const std::string*>* binaries)
      : out_(out), args_(args), binaries_(binaries) {}

  void value(const boost::json::value& value) {
    switch (value.kind()) {
      case boost::json::kind::null: out_ += "null"; break;
      case boost::json::kind::bool_: out_ += value.get_bool() ? "true" : "false"; break;
      case boost::json::kind::int64: write_integer(out_, value.get_int64()); break;
      case boost::json::kind::uint64: write_integer(out_, value.get_uint64()); break;
      case boost::json::kind::double_: write_number(out_, value.get_double()); break;
      case boost::json::kind::string: write_string(out_, value.get_string()); break;
      case boost::json::kind::array: array(value.get_array()); break;
      case boost::json::kind::object: object(value, value.get_object()); break;
    }
  }

 private:
  void array(const boost::json::array& array) {
    out_ += '[';
    for (const boost::json::value& element : array) {
      if (&element != array.begin()) out_ += ',';
      value(element);
    }
    out_ += ']';
  }

  void object(const boost::json::value& whole, const boost::json::object& object) {
    if (args_ != nullptr && !args_->binaries().empty() && placeholder(whole)) return;
    out_ += '{';
    bool first = true;
    std::vector<std::pair<std::uint32_t, const boost::json::key_value_pair*>> indexes;
    for (const auto& member : object) {
      if (const auto index = array_index(member.key())) indexes.emplace_back(*index, &member);
    }
    std::sort(indexes.begin(), indexes.end());
    for (const auto& [index, pair] : indexes) member(*pair, first);
    for (const auto& pair : object) {
      if (indexes.empty() || !array_index(pair.key())) member(pair, first);
    }
    out_ += '}';
  }

  void member(const boost::json::key_value_pair& pair, bool& first) {
    if (!std::exchange(first, false)) out_ += ',';
    write_string(out_, pair.key());
    out_ += ':';
    value(pair.value());
  }

  // What looks like one but stands for no bytes would end the connection of all who receive it: they get
  // null.
  bool placeholder(const boost::json::value& whole) {
    const std::string* bytes = args_->binary(whole);
    if (bytes == nullptr) {
      if (!args_->dangles(whole)) return false;
      out_ += "null";
      return true;
    }
    if (binaries_ == nullptr) {
      buffer(*bytes);
      return true;
    }
    out_ += R"({"_placeholder":true,"num":)";
    write_integer(out_, binaries_->size());
    out_ += '}';
    binaries_->push_back(bytes);
    return true;
  }

  void buffer(std::string_view bytes) {
    out_ += R"({"type":"Buffer","data":[)";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i != 0) out_ += ',';
      write_integer(out_, static_cast<unsigned>(static_cast<unsigned char>(bytes[i])));
    }
    out_ += "]}";
  }

  std::string& out_;
  const Args* args_;
  std::vector<const std::string*>* binaries_;  // null: bytes are written where they stand
};

}  // namespace

void write_string(std::string& out, std::string_view text) {
  out += '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* from = at;
    at = plain_run(at, end);
    out.append(from, at);
    if (at != end) at = write_odd(out, at, end);
  }
  out += '"';
}

// ECMAScript's Number::toString. to_chars finds the shortest digits that read back as the same number; where
// the point goes is JavaScript's.
void write_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == std::trunc(number) && std::abs(number) < 1e15)
    return write_integer(out, static_cast<std::int64_t>(number));
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  const char* at = text;
  if (*at == '-') out += *at++;
  const char* const e = std::find(at, static_cast<const char*>(end), 'e');
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  char digits[24];
  const auto count = static_cast<int>(std::remove_copy(at, e, digits, '.') - digits);
  const int point = exponent + 1;  // where it goes, counted from the first digit
  if (point > 0 && point <= 21) {
    out.append(digits, static_cast<std::size_t>(std::min(point, count)));
    if (point > count) out.append(static_cast<std::size_t>(point - count), '0');
    if (point < count) out.append(1, '.').append(digits + point, digits + count);
  } else if (point <= 0 && point > -6) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits, digits + count);
  } else {
    out += digits[0];
    if (count > 1) out.append(1, '.').append(digits + 1, digits + count);
    out += exponent < 0 ? "e-" : "e+";
    write_integer(out, std::abs(exponent));
  }
}

void write_json(std::string& out, const boost::json::value& value) {
  Writer(out, nullptr, nullptr).value(value);
}

void write_json(std::string& out, const boost::json::value& value, const Args& args,
                std::vector<const std::string*>& binaries) {
  Writer(out, &args, &binaries).value(value);
}

void write_json_with_buffers(std::string& out, const boost::json::value& value, const Args& args) {
  Writer(out, &args, nullptr).value(value);
}

}  // namespace limpet::codec
