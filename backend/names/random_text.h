// RandomText: what names sessions, sockets and questions: characters of [A-Za-z0-9_-], or hexadecimal digits,
// that nobody can guess.
//
// Fetched from the kernel some hundred bytes at a time and wiped once used. One thread's.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace limpet::names {

// base64url's digits in the order of their values (RFC 4648, 5).
inline constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void fill_random(std::span<unsigned char> bytes);  // by getrandom(2); throws std::system_error

class RandomText {
 public:
  void write(std::span<char> text);      // 6 random bits a character; a multiple of 4 of them
  void write_hex(std::span<char> text);  // 4 random bits a character; a multiple of 2 of them

 private:
  unsigned char draw();

  std::array<unsigned char, 576> random_;
  std::size_t used_ = sizeof random_;
};

}  // namespace limpet::names
