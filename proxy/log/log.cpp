#include "proxy/log/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "proxy/log/escape.h"
#include "proxy/log/output.h"
#include "proxy/log/state.h"
#include "proxy/log/writer.h"

namespace limpet::log {
namespace {

constexpr std::size_t kProgramLane = 64 * 1024;
constexpr std::size_t kAccessLane = 256 * 1024;
constexpr std::chrono::milliseconds kGather{50};

constexpr const char* kText = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";
constexpr const char* kJson = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%v"})";

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: break;
  }
  return spdlog::level::err;
}

// Hands finished lines to the writer; before there is one, to standard error.
class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::shared_ptr<Writer> writer;  // under the sink's mutex: set by use()
  void use(std::shared_ptr<Writer> next) {
    std::lock_guard lock(mutex_);
    writer = std::move(next);
  }
  std::string format(std::string_view text, Level level) {
    spdlog::memory_buf_t line;
    spdlog::details::log_msg message({}, to_spdlog(level), {text.data(), text.size()});
    std::lock_guard lock(mutex_);
    formatter_->format(message, line);
    return {line.data(), line.size()};
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (writer) {
      writer->put({line.data(), line.size()});
    } else {
      [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    }
  }
  void flush_() override {}
};

struct State {
  std::shared_ptr<WriterSink> sink = std::make_shared<WriterSink>();
  spdlog::logger logger{"limpet", sink};
  std::shared_ptr<Writer> program;
  std::shared_ptr<Writer> access;
  std::atomic<Writer*> access_now{nullptr};
  std::atomic<Level> level{Level::info};
  std::atomic<bool> json{false};
  std::atomic<std::uint64_t> dropped_before{0};  // by writers that have stopped

  State() {
    sink->set_pattern(kText);
    logger.set_level(spdlog::level::trace);  // enabled() decides
  }
};

// Never destroyed: a thread may log while the process exits.
State& state() {
  static State& the = *new State;
  return the;
}

std::shared_ptr<Output> open_output(const std::string& path, int standard) {
  return path.empty() ? std::make_shared<Output>(standard) : std::make_shared<Output>(path);
}

Writer::Settings program_settings() {
  Writer::Settings settings;
  settings.lane_bytes = kProgramLane;
  settings.own_line = [](std::string_view text) { return state().sink->format(text, Level::warn); };
  return settings;
}

Writer::Settings access_settings() {
  Writer::Settings settings;
  settings.lane_bytes = kAccessLane;
  settings.gather = kGather;
  settings.complain = [](std::string text) { warn("access log: {}", text); };
  settings.own_line = [](std::string_view text) {
    warn("access log: {}", text);
    return std::string();
  };
  return settings;
}

}  // namespace

bool enabled(Level level) { return level >= state().level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view line) {
  State& s = state();
  const std::string clean = escaped(line, s.json.load(std::memory_order_relaxed) ? Style::json : Style::text);
  s.logger.log(to_spdlog(level), spdlog::string_view_t(clean.data(), clean.size()));
}

void start(const Settings& settings) {
  State& s = state();
  const std::shared_ptr<Output> program = open_output(settings.file, STDERR_FILENO);
  const bool same = !settings.file.empty() && settings.file == settings.access_file;
  const std::shared_ptr<Output> access =
      !settings.access ? nullptr : same ? program : open_output(settings.access_file, STDOUT_FILENO);
  s.level = settings.level;
  s.json = settings.json;
  s.sink->set_pattern(settings.json ? kJson : kText);
  s.program = Writer::start(program, program_settings());
  s.sink->use(s.program);
  if (access) s.access = Writer::start(access, access_settings());
  s.access_now.store(s.access.get(), std::memory_order_release);
}

void reopen() {
  State& s = state();
  if (s.access) s.access->reopen();
  if (s.program) s.program->reopen();
}

void stop(std::uint32_t wait_ms) {
  State& s = state();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  const auto left = [end] {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  // Threads that might still log hold no reference: those that do are joined before this is called.
  s.access_now.store(nullptr, std::memory_order_release);
  if (s.access) {
    s.access->stop(left());
    s.dropped_before += s.access->dropped();
    s.access.reset();
  }
  s.sink->use(nullptr);
  if (s.program) {
    s.program->stop(left());
    s.dropped_before += s.program->dropped();
    s.program.reset();
  }
}

std::uint64_t dropped_lines() {
  const State& s = state();
  return s.dropped_before.load(std::memory_order_relaxed) + (s.program ? s.program->dropped() : 0) +
         (s.access ? s.access->dropped() : 0);
}

Writer* access_writer() { return state().access_now.load(std::memory_order_acquire); }
bool access_as_json() { return state().json.load(std::memory_order_relaxed); }

}  // namespace limpet::log
