#include "proxy/log/sink.h"

#include <limits.h>
#include <poll.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include "proxy/log/escape.h"

namespace limpet::log {
namespace {

constexpr const char* kText = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";
constexpr const char* kJson = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%v"})";
constexpr std::size_t kMostMessage = 16 * 1024;

}  // namespace

void Sink::look(bool json) {
  std::lock_guard lock(mutex_);
  json_ = json;
  formatter_ = std::make_unique<spdlog::pattern_formatter>(json ? kJson : kText,
                                                           spdlog::pattern_time_type::local, "\n");
}

void Sink::use(To to, Writer* writer) {
  std::lock_guard lock(mutex_);
  to_ = to;
  writer_ = writer;
}

void Sink::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) {
  const std::string text = escaped({message.payload.data(), message.payload.size()},
                                   json_ ? Style::json : Style::message, kMostMessage);
  spdlog::details::log_msg clean = message;
  clean.payload = {text.data(), text.size()};
  formatter_->format(clean, line);
}

std::string Sink::line(std::string_view text) {
  spdlog::memory_buf_t line;
  std::lock_guard lock(mutex_);
  format({{}, spdlog::level::warn, {text.data(), text.size()}}, line);
  return {line.data(), line.size()};
}

void Sink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t buffer;
  format(message, buffer);
  const std::string_view line(buffer.data(), buffer.size());
  bool taken = false;
  switch (to_) {
    case To::standard_error: taken = ::write(STDERR_FILENO, line.data(), line.size()) > 0; break;
    case To::writer: return writer_->put(line);
    case To::last_words: taken = say_last(line); break;
    case To::nowhere: break;
  }
  if (!taken) dropped_.fetch_add(1, std::memory_order_relaxed);
}

// A pipe that can be written takes PIPE_BUF bytes at once (pipe(7)).
bool Sink::say_last(std::string_view line) {
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (line.size() > PIPE_BUF || ::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return false;
  return ::write(STDERR_FILENO, line.data(), line.size()) > 0;
}

}  // namespace limpet::log
