// UTF-8, character by character. Pure. (What comes in pieces is checked by wire::Utf8.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace limpet::codec {

// What a text begins with: a whole character of `bytes` (RFC 3629), or as many bytes that are the beginning
// of none, as decoders of the web count them. 0 bytes: nothing.
struct Utf8Front {
  std::size_t bytes;
  bool whole;
};

// Table 3-7 of the Unicode standard: the second byte's range is the first one's.
inline Utf8Front utf8_front(const char* at, const char* end) {
  const auto byte = [&](std::ptrdiff_t i) { return i < end - at ? static_cast<unsigned char>(at[i]) : 0U; };
  const auto within = [&](std::ptrdiff_t i, unsigned least, unsigned most) {
    return byte(i) >= least && byte(i) <= most;
  };
  if (at == end) return {0, false};
  const unsigned first = byte(0);
  if (first < 0x80) return {1, true};
  if (first < 0xc2 || first > 0xf4) return {1, false};
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (!within(1, least, most)) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (!within(static_cast<std::ptrdiff_t>(i), 0x80, 0xbf)) return {i, false};
  }
  return {size, true};
}

// Bytes of the whole character that the text begins with, or 0.
inline std::size_t utf8_sequence(const char* at, const char* end) {
  const Utf8Front front = utf8_front(at, end);
  return front.whole ? front.bytes : 0;
}

// A surrogate alone, in the three bytes that UTF-8 would have for it: no UTF-8, but what JavaScript's strings
// can hold.
inline bool is_lone_surrogate(const char* at, const char* end) {
  return end - at >= 3 && static_cast<unsigned char>(at[0]) == 0xed &&
         (static_cast<unsigned char>(at[1]) & 0xe0U) == 0xa0U &&
         (static_cast<unsigned char>(at[2]) & 0xc0U) == 0x80U;
}

inline void append_code_point(std::string& out, std::uint32_t code) {  // surrogates too
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (code & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | code >> 18U);
    out += static_cast<char>(0x80U | (code >> 12U & 0x3fU));
    out += static_cast<char>(0x80U | (code >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (code & 0x3fU));
  }
}

// How many units of UTF-16 the character has whose UTF-8 this byte begins; 0: it begins none.
constexpr std::size_t utf16_units(unsigned char lead) {
  return (lead & 0xc0U) == 0x80U ? 0 : lead >= 0xf0U ? 2 : 1;
}
inline std::size_t utf16_length(std::string_view utf8) {  // of valid UTF-8
  std::size_t units = 0;
  for (const char c : utf8) units += utf16_units(static_cast<unsigned char>(c));
  return units;
}

inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Where the well-formed UTF-8 that begins at `at` ends. Eight at a time while it is ASCII: most texts are.
inline const char* utf8_run(const char* at, const char* end) {
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  for (;;) {
    std::uint64_t word = 0;
    while (end - at >= 8 && (std::memcpy(&word, at, sizeof word), (word & kHigh) == 0)) at += 8;
    const std::size_t size = utf8_sequence(at, end);
    if (size == 0) return at;
    at += size;
  }
}

// With U+FFFD for each lone surrogate, and for each other byte that is not of a well-formed sequence.
inline std::string well_formed(std::string_view text) {
  std::string out;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const stop = utf8_run(at, end);
    out.append(at, stop);
    if (stop == end) return out;
    out += kReplacement;
    at = stop + (is_lone_surrogate(stop, end) ? 3 : 1);
  }
}

}  // namespace limpet::codec
