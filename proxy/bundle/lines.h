// Lines: what a child writes, as whole lines of bounded length that are safe to print. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace limpet::bundle {

class Lines {
 public:
  using Each = std::function<void(std::string_view line)>;  // without its end
  static constexpr std::size_t kMost = 4096;  // bytes of a line; the rest is cut off, with "..."

  void feed(std::string_view bytes, const Each& each);
  void finish(const Each& each);  // a last line without an end

 private:
  void take(std::string_view part);
  void end(const Each& each);

  std::string line_;
  bool cut_ = false;
};

// Without what would move a terminal's cursor or do worse; colours (ESC [ ... m) may stay.
std::string printable(std::string_view line);

// As it stands in the bundle's log: "n1 | LINE", or an object that begins with "from". A line that is an
// object of JSON keeps its members, unless "from" is one of them. With the line's end.
std::string tagged(std::string_view id, std::string_view line);
std::string tagged_json(std::string_view id, std::string_view line);

}  // namespace limpet::bundle
