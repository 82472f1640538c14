// What limpet says of itself: spdlog in front of a writer thread that never blocks the caller.
//
//   log::info("listening on {}", address);
//
// Any thread. Before start() lines go to standard error directly.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace limpet::log {

enum class Level : std::uint8_t { debug, info, warn, error };

bool enabled(Level level);
void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::warn)) write(Level::warn, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(text, std::forward<Args>(args)...));
}

struct Settings {
  Level level = Level::info;
  bool json = false;
  std::string file;  // empty: standard error
  bool access = true;
  std::string access_file;  // empty: standard output
  bool carries = false;     // lines of others come by carry(): more room for them
  bool tells = false;  // on standard error what is wrong with the program's log, where that is another place
};
// Throws std::runtime_error if a file cannot be opened ("/path: Permission denied").
void start(const Settings& settings);
void reopen();  // SIGUSR1; a file that cannot be reopened is kept open and named in a line
void stop(std::uint32_t wait_ms = 1000);  // flushes for at most this long
std::uint64_t dropped_lines();            // of all logs, since the start

// Into the program's log as it is, with its '\n'; in order with what the same thread says. Never waits.
void carry(std::string_view line);

}  // namespace limpet::log
