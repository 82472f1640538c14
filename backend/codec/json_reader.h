// JsonReader: JSON text into boost::json values, read as JavaScript's JSON.parse reads it.
//
// Pure. Numbers are JavaScript's: one too large for its integers is the nearest double, 1e400 is
// infinite, 1.0 is 1, -0 is 0. An escaped surrogate without its pair is no fault: it becomes the three bytes
// that UTF-8 would have for it, which JsonWriter escapes again. Bytes that are no UTF-8 become U+FFFD. Of
// keys that come twice the last value counts, at the place of the first. Refused: anything after the value,
// and more than `depth` arrays and objects within each other. (boost::json's own parser rounds doubles, and
// refuses lone surrogates and large exponents.)
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace limpet::codec {

class JsonReader {
 public:
  JsonReader(std::string_view text, std::size_t depth)
      : at_(text.data()), end_(at_ + text.size()), depth_(depth) {}

  std::optional<boost::json::value> read();  // the whole text

  // The whole text, which is an array that begins with an event's name: a string or a number (then
  // `name_is_number`). What follows is the arguments. `name` lives in the text, or in `room`.
  struct Event {
    std::string_view name;
    bool name_is_number = false;
    boost::json::array args;
  };
  std::optional<Event> read_event(std::string& room);

 private:
  using Stack = boost::json::value_stack;
  bool value(Stack& stack);
  bool array(Stack& stack);
  bool elements(Stack& stack, std::size_t& count);  // from the first to the closing bracket
  bool object(Stack& stack);
  bool number(Stack& stack);
  bool literal(std::string_view word);
  bool number_text(double& number, bool& whole, std::int64_t& integer);
  bool string(std::string& room, std::string_view& text);  // after its opening quote
  bool escape(std::string& room);
  bool hex4(unsigned& code);
  void space();
  bool take(char c);
  bool at_end();

  const char* at_;
  const char* end_;
  std::size_t depth_;
  std::string room_;  // of strings with escapes
};

}  // namespace limpet::codec
