#include "proxy/bundle/lines.h"

#include <algorithm>

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
    const auto byte = static_cast<unsigned char>(line.front());
    if (byte == 0xc2 && line.size() > 1 && (static_cast<unsigned char>(line[1]) & 0xe0) == 0x80) {
      append_escaped(out, byte);  // C1 controls, in UTF-8
      append_escaped(out, static_cast<unsigned char>(line[1]));
      line.remove_prefix(2);
      continue;
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      append_escaped(out, byte);
    } else {
      out += static_cast<char>(byte);
    }
    line.remove_prefix(1);
  }
  if (coloured) out += "\x1b[0m";  // whatever it left open ends with its line
  return out;
}

}  // namespace limpet::bundle
