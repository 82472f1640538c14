// TextWriter: the verbs of codec::msgpack::Writer, as JSON: what is written once goes out in either form.
// Pure.
//
// Byte strings become what JSON.stringify() makes of a Buffer: {"type":"Buffer","data":[1,2]}.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/codec/args.h"

namespace limpet::cluster {

class TextWriter {
 public:
  void clear();  // keeps its memory
  std::string_view bytes() const { return text_; }

  void nil();
  void boolean(bool value);
  void integer(std::int64_t value);
  void number(double value);
  void text(std::string_view value);
  void array(std::size_t size);  // its elements follow
  void map(std::size_t size);    // its keys and values follow
  void value(const boost::json::value& value, const codec::Args& args);

 private:
  struct Open {
    std::size_t left;  // values that are still to come, keys among them
    bool is_map;
    bool fresh;
  };
  void open(char bracket, std::size_t values, bool is_map);
  void begin();  // a value: what stands between it and the one before
  void end();    // closes what is complete with it

  std::string text_;
  std::vector<Open> open_;
};

}  // namespace limpet::cluster
