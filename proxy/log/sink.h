// Sink: makes a message a line, escaped and in the log's format, and sends it where lines go now. Any thread.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/log/writer.h"

namespace limpet::log {

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink() { look(false); }
  void look(bool json);

  enum class To : unsigned char {
    standard_error,  // before start(): at once, and waiting for it
    writer,
    last_words,  // after stop(): standard error if it takes them without a wait, so that nothing delays the
                 // exit
    nowhere,     // while the writer is stopped, and if it was left behind in a write
  };

  void use(To to, Writer* writer = nullptr);
  // A warning as it would look.
  std::string line(std::string_view text);
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line);
  bool say_last(std::string_view line);

  // Under the base's mutex:
  bool json_ = false;
  To to_ = To::standard_error;
  Writer* writer_ = nullptr;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace limpet::log
