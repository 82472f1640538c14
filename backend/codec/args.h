// Args: the arguments of one event or answer: JSON values, with byte strings anywhere among them.
//
// A byte string stands in the JSON as the object that the wire has for it, {"_placeholder":true,"num":i}, and
// its bytes beside it. Only add(Binary) and attach() make one, and only a packet that came with bytes has
// one: what a client writes into an ordinary packet stays data. A value like any other: copies are deep,
// nothing in it points elsewhere.
//
//   Args args{"photo.png", 3};             // "photo.png", 3
//   args.add(Binary{bytes});               // then the bytes
//   args.add({{"thumb", args.attach(b)}}); // then an object that holds bytes
//   if (const std::string* b = args.binary(args[2])) ...
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_ref.hpp>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpet::codec {

// An argument that is sent as bytes, a Buffer or ArrayBuffer in JavaScript. (A std::string is sent as text.)
struct Binary {
  std::string bytes;
};

class Args {
 public:
  Args() = default;
  Args(std::initializer_list<boost::json::value_ref> values) : values_(values) {}
  explicit Args(boost::json::array values, std::vector<std::string> binaries = {})
      : values_(std::move(values)), binaries_(std::move(binaries)) {}

  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  // null where there is none, as JavaScript has undefined.
  const boost::json::value& operator[](std::size_t i) const;
  const boost::json::array& values() const { return values_; }
  boost::json::array& values() { return values_; }

  void add(boost::json::value value) { values_.push_back(std::move(value)); }
  void add(Binary binary) { values_.push_back(attach(std::move(binary.bytes))); }
  // Keeps the bytes; what comes back stands for them, once or often, anywhere inside this Args' values.
  boost::json::value attach(std::string bytes);
  // A value of another Args as one of this: its bytes come along.
  boost::json::value adopt(const Args& from, const boost::json::value& value);

  // The bytes that a value of this Args stands for, or nullptr: it is something else.
  const std::string* binary(const boost::json::value& value) const;
  // It looks as if it stood for bytes of this Args, but does not.
  bool dangles(const boost::json::value& value) const;
  const std::vector<std::string>& binaries() const { return binaries_; }
  std::size_t attachments() const;  // that a packet of it has: values that stand for bytes, wherever they are
  // For another Args that takes some of these values over, unchanged: Args(values, from.take_binaries()).
  std::vector<std::string> take_binaries() { return std::exchange(binaries_, {}); }

  // Args::of(1, "two", Binary{three}). An Args alone is taken as it is.
  template <class... T>
  static Args of(T&&... values) {
    if constexpr (sizeof...(T) == 1 && (std::is_same_v<std::decay_t<T>, Args> && ...)) {
      return Args(std::forward<T>(values)...);
    } else {
      Args args;
      args.values_.reserve(sizeof...(values));
      (args.add_one(std::forward<T>(values)), ...);
      return args;
    }
  }

 private:
  template <class T>
  void add_one(T&& value) {
    if constexpr (std::is_same_v<std::decay_t<T>, Binary>)
      add(Binary(std::forward<T>(value)));
    else
      add(boost::json::value(std::forward<T>(value)));
  }

  boost::json::array values_;
  std::vector<std::string> binaries_;
};

}  // namespace limpet::codec
