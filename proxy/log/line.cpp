#include "proxy/log/line.h"

#include <time.h>

#include <algorithm>
#include <charconv>

namespace limpet::log {
namespace {

void two_digits(char* out, int value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

// The date and time to the second, made anew once a second.
struct Second {
  time_t time = -1;
  char text[21] = "";  // "2026-11-24T14:00:01."
};
thread_local Second second;

void set_second(time_t now) {
  tm parts;
  ::gmtime_r(&now, &parts);
  second.time = now;
  char* out = second.text;
  two_digits(out, (parts.tm_year + 1900) / 100);
  two_digits(out + 2, (parts.tm_year + 1900) % 100);
  out[4] = '-';
  two_digits(out + 5, parts.tm_mon + 1);
  out[7] = '-';
  two_digits(out + 8, parts.tm_mday);
  out[10] = 'T';
  two_digits(out + 11, parts.tm_hour);
  out[13] = ':';
  two_digits(out + 14, parts.tm_min);
  out[16] = ':';
  two_digits(out + 17, parts.tm_sec);
  out[19] = '.';
}

}  // namespace

void Line::put(std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void Line::put_ms(std::uint64_t us) {
  put(us / 1000);
  const auto rest = static_cast<int>(us % 1000);
  const char fraction[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
  put(std::string_view(fraction, 4));
}

void Line::put_time() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != second.time) set_second(now.tv_sec);
  put(std::string_view(second.text, 20));
  const auto ms = static_cast<int>(now.tv_nsec / 1'000'000);
  const char fraction[4] = {static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                            static_cast<char>('0' + ms % 10), 'Z'};
  put(std::string_view(fraction, 4));
}

void Line::put_escaped(std::string_view text, Style style, std::size_t most) {
  size_ += escape(text, style, bytes_ + size_, std::min(most, kMost - kEnd - size_));
}

std::string_view Line::finish() {
  bytes_[size_++] = '\n';
  return {bytes_, size_};
}

}  // namespace limpet::log
