// MessagePack, as the adapters' peers write it (notepack.io, @msgpack/msgpack) and read it: JSON values, with
// byte strings among them as Args has them. Pure.
//
// Written like notepack.io 3: integers in the smallest form (unsigned first), other numbers as float64, text
// as str (always UTF-8), bytes as bin. Integers of 65 bits and more, which notepack.io garbles, are float64.
//
// Read: anything well-formed. Numbers become what JavaScript makes of them (whole ones up to 2^53 integers,
// larger ones doubles); ext type -1 the date's ISO text; what notepack.io 2 wrote as ext type 0 dates and
// bytes; other ext types null. Map keys that are no text become what JavaScript's String() makes of them; of
// duplicates the last counts. Text that is not UTF-8 gets U+FFFD.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backend/codec/args.h"

namespace limpet::codec::msgpack {

class Writer {
 public:
  void clear() { bytes_.clear(); }  // keeps its memory
  std::string_view bytes() const { return bytes_; }

  void nil();
  void boolean(bool value);
  void integer(std::int64_t value);
  void number(double value);  // an integer's form if it is one
  void text(std::string_view value);
  void binary(std::string_view value);
  void array(std::size_t size);  // its elements follow
  void map(std::size_t size);    // its keys and values follow
  // A value of `args`; placeholders of its byte strings become bin.
  void value(const boost::json::value& value, const Args& args);

 private:
  void natural(std::uint64_t value);

  std::string bytes_;
};

struct Bounds {
  std::size_t depth = 64;
  std::size_t elements = 1'000'000;  // of all arrays and maps together; a byte string is 8 more
};

// The one value that `bytes` are: args[0], with its bin as byte strings. Nothing: cut, longer than one value,
// too deep, too many elements, no MessagePack; or a map that looks as if it stood for bytes (Args) beside
// some: it would be those once more, and a thousand such maps a thousand times.
std::optional<Args> read(std::string_view bytes, const Bounds& bounds = {});

}  // namespace limpet::codec::msgpack
