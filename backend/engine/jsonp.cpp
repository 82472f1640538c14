#include "backend/engine/jsonp.h"

#include <algorithm>

#include "backend/engine/text.h"

namespace limpet::engine {
namespace {

// Of JSON, the line ends of JavaScript as well: a script's strings may not hold them.
constexpr std::string_view kLineSeparator = "\xE2\x80\xA8", kParagraphSeparator = "\xE2\x80\xA9";

void append_control(std::string& out, char c) {
  constexpr std::string_view kNamed = "\b\t\n\f\r", kLetters = "btnfr", kHex = "0123456789abcdef";
  const std::size_t named = kNamed.find(c);
  out += '\\';
  if (named != std::string_view::npos) {
    out += kLetters[named];
    return;
  }
  out += "u00";
  out += kHex[static_cast<std::size_t>(c) >> 4];
  out += kHex[static_cast<std::size_t>(c) & 15];
}

// Clients write a newline as `\n` and an escaped one as `\\n`, because some browsers change newlines in
// forms.
std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with(R"(\\n)")) {
      out += R"(\n)";
      text.remove_prefix(3);
    } else if (text.starts_with(R"(\n)")) {
      out += '\n';
      text.remove_prefix(2);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_control(out, c);
    } else if (c == kLineSeparator[0] &&
               (text.substr(i, 3) == kLineSeparator || text.substr(i, 3) == kParagraphSeparator)) {
      out += text[i + 2] == kLineSeparator[2] ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_jsonp(std::string& out, std::string_view index, std::string_view payload) {
  out += "___eio[";
  out += index;
  out += "](";
  append_quoted(out, payload);
  out += ");";
}

std::optional<std::string> payload_of_form(std::string_view body) {
  std::optional<std::string> found;
  std::string key_room, value_room;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (form_decoded(pair.substr(0, equals), key_room) != "d") continue;
    if (found) return std::nullopt;
    found = unescaped(form_decoded(pair.substr(std::min(equals + 1, pair.size())), value_room));
  }
  return found;
}

}  // namespace limpet::engine
