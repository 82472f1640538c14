#include "backend/presence/names.h"

#include <cstdint>
#include <stdexcept>

#include "proxy/wire/bytes.h"

namespace limpet::presence {
namespace {

constexpr std::string_view kPlaceholder = "<id>";
constexpr std::string_view kHex = "0123456789ABCDEF";

Pattern pattern(const std::string& text) {
  if (auto good = Pattern::parse(text)) return *good;
  throw std::invalid_argument("presence: <id> is to be in \"" + text + "\", once");
}

// RFC 3986, 2.3
bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

enum class Escape : std::uint8_t { reserved, first_too, all };

std::string percent_encoded(std::string_view text, Escape which) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool forced = which == Escape::all || (which == Escape::first_too && i == 0);
    if (is_unreserved(text[i]) && !forced) {
      out += text[i];
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// What is no escape stands for itself.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = wire::hex_value(text[i + 1]), low = wire::hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::optional<Pattern> Pattern::parse(std::string_view text) {
  const std::size_t at = text.find(kPlaceholder);
  if (at == std::string_view::npos || text.find(kPlaceholder, at + 1) != std::string_view::npos)
    return std::nullopt;
  Pattern pattern;
  pattern.before_ = text.substr(0, at);
  pattern.after_ = text.substr(at + kPlaceholder.size());
  return pattern;
}

std::string Pattern::with(std::string_view id) const {
  std::string name;
  name.reserve(before_.size() + id.size() + after_.size());
  return name.append(before_).append(id).append(after_);
}

bool Pattern::makes(std::string_view name) const {
  return name.size() > before_.size() + after_.size() && name.starts_with(before_) && name.ends_with(after_);
}

Names::Names(const NameSettings& settings)
    : connections_(settings.connections),
      nodes_(settings.nodes),
      nodes_prefix_(settings.nodes + ":"),
      user_(pattern(settings.user)),
      sockets_(pattern(settings.sockets)) {}

std::string Names::of_life(std::string_view life, std::string_view what) const {
  return (nodes_prefix_ + "{").append(life).append("}:").append(what);
}

Names::User Names::of(std::string_view id) const {
  const std::string text = escaped(id);
  return {user_.with(text), sockets_.with(text)};
}

bool Names::collides(std::string_view id) const {
  const std::string newest = user_.with(id), sockets = sockets_.with(id);
  const auto is_ours = [&](const std::string& name) {
    return name == connections_ || name == nodes_ || name.starts_with(nodes_prefix_);
  };
  return is_ours(newest) || is_ours(sockets) || sockets_.makes(newest);
}

// Of what an escaped id looks like the first is an id that had to be escaped: so must be this one.
bool Names::is_taken(std::string_view id) const {
  if (collides(id)) return true;
  if (id.find('%') == std::string_view::npos) return false;
  const std::string decoded = percent_decoded(id);
  return decoded.size() < id.size() && is_taken(decoded);
}

std::string Names::escaped(std::string_view id) const {
  if (!is_taken(id)) return std::string(id);
  for (const Escape which : {Escape::reserved, Escape::first_too}) {
    std::string text = percent_encoded(id, which);
    if (text != id && !collides(text)) return text;
  }
  return percent_encoded(id, Escape::all);
}

}  // namespace limpet::presence
