#include "backend/adapter/yeast.h"

#include <algorithm>
#include <string_view>

namespace limpet::adapter {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

std::string base64(std::uint64_t number) {
  std::string text;
  do {
    text += kAlphabet[number & 63U];
    number >>= 6U;
  } while (number != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    number = number << 6U | digit;
  }
  return number;
}

}  // namespace

std::string Yeast::Stamp::text() const {
  std::string text = base64(ms);
  if (count != 0) text.append(1, '.').append(base64(count - 1));
  return text;
}

std::optional<Yeast::Stamp> Yeast::read(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto ms = number(text.substr(0, dot));
  if (!ms || dot == std::string_view::npos) return ms ? std::optional(Stamp{*ms, 0}) : std::nullopt;
  const auto count = number(text.substr(dot + 1));
  return count ? std::optional(Stamp{*ms, *count + 1}) : std::nullopt;
}

Yeast::Stamp Yeast::next(std::uint64_t now_ms) {
  if (now_ms > last_.ms)
    last_ = {now_ms, 0};
  else
    ++last_.count;
  return last_;
}

}  // namespace limpet::adapter
