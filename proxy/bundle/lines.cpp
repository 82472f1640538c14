#include "proxy/bundle/lines.h"

#include <algorithm>
#include <boost/json.hpp>

#include "proxy/log/escape.h"

namespace limpet::bundle {
namespace {

// The length of a colour's sequence at the beginning of `text`; 0: it is none.
std::size_t colour(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  std::size_t at = 2;
  while (at < text.size() && at < 32 && ((text[at] >= '0' && text[at] <= '9') || text[at] == ';')) ++at;
  return at < text.size() && text[at] == 'm' ? at + 1 : 0;
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

}  // namespace

void Lines::feed(std::string_view bytes, const Each& each) {
  while (!bytes.empty()) {
    const std::size_t end_of_line = bytes.find('\n');
    take(bytes.substr(0, end_of_line));
    if (end_of_line == std::string_view::npos) return;
    end(each);
    bytes.remove_prefix(end_of_line + 1);
  }
}

void Lines::finish(const Each& each) {
  if (!line_.empty()) end(each);
}

void Lines::take(std::string_view part) {
  const std::size_t room = kMost - line_.size();
  if (part.size() > room) cut_ = true;
  line_.append(part.substr(0, room));
}

void Lines::end(const Each& each) {
  if (line_.ends_with('\r')) line_.pop_back();
  std::string text = printable(line_);
  if (cut_) text += "...";
  each(text);
  line_.clear();
  cut_ = false;
}

std::string printable(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  bool coloured = false;
  while (!line.empty()) {
    if (const std::size_t length = colour(line)) {
      out += line.substr(0, length);
      coloured = true;
      line.remove_prefix(length);
      continue;
    }
    const std::size_t length = line.front() == '\t' ? 1 : log::shown_length(line, 0);
    if (length != 0) out += line.substr(0, length);
    if (length == 0) append_escaped(out, static_cast<unsigned char>(line.front()));
    line.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (coloured) out += "\x1b[0m";  // whatever it left open ends with its line
  return out;
}

namespace {

// An object that says itself where it is from would be taken for another child's: parsers keep the last of
// two.
bool is_object_without_from(std::string_view line) {
  boost::system::error_code bad;
  boost::json::stream_parser parser;
  parser.write(line.data(), line.size(), bad);
  if (bad || !parser.done()) return false;
  const boost::json::value whole = parser.release();
  return whole.is_object() && !whole.get_object().contains("from");
}

}  // namespace

std::string tagged(std::string_view id, std::string_view line) {
  return std::string(id) + " | " + std::string(line) + "\n";
}

std::string tagged_json(std::string_view id, std::string_view line) {
  const std::string begin = "{\"from\":\"" + std::string(id) + "\"";
  if (line.starts_with('{') && is_object_without_from(line)) {
    const std::string_view rest = line.substr(1);
    const bool empty = rest.find('"') == std::string_view::npos;
    return begin + (empty ? "" : ",") + std::string(rest) + "\n";
  }
  return begin + ",\"line\":\"" + log::escaped(line, log::Style::json, 2 * Lines::kMost) + "\"}\n";
}

}  // namespace limpet::bundle
