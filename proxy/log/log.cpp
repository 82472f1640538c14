#include "proxy/log/log.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "proxy/log/access_line.h"
#include "proxy/log/escape.h"
#include "proxy/log/output.h"
#include "proxy/log/sink.h"
#include "proxy/log/state.h"
#include "proxy/log/writer.h"

namespace limpet::log {
namespace {

constexpr std::size_t kProgramLane = 64 * 1024;
constexpr std::size_t kAccessLane = 256 * 1024;
constexpr std::size_t kMostTrouble = 1024;
constexpr std::chrono::milliseconds kGather{50};
constexpr std::uint32_t kRestartWait = 1000;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: break;
  }
  return spdlog::level::err;
}

struct State {
  std::shared_ptr<Sink> sink = std::make_shared<Sink>();
  spdlog::logger logger{"limpet", sink};
  std::atomic<Level> level{Level::info};
  std::atomic<bool> json{false};
  std::atomic<Writer*> program{nullptr};
  std::atomic<Writer*> access{nullptr};
  std::atomic<Writer*> trouble{nullptr};  // on standard error, with the program's log

  std::mutex changes;  // one start() or stop() at a time
  std::mutex list;
  // Every writer there ever was, under `list`. None is destroyed: a thread may be inside its put(), and a
  // writer's thread that was left behind in a write holds its own. A process starts its logs once.
  std::vector<std::shared_ptr<Writer>> writers;

  State() { logger.set_level(spdlog::level::trace); }  // enabled() decides
};

// Never destroyed: a thread may log while the process exits.
State& state() {
  static State& the = *new State;
  return the;
}

// By whoever writes to the program's log, who may be within it: what is said here does not go by the sink.
void tell_trouble(const std::string& text) {
  if (Writer* const trouble = state().trouble)
    trouble->put("limpet: log: " + escaped(text, Style::message, kMostTrouble) + "\n");
}

Writer::Settings trouble_settings() {
  Writer::Settings settings;
  settings.thread_name = "limpet-trouble";
  settings.lane_bytes = kProgramLane;
  settings.gap = [](std::uint64_t) { return std::string(); };
  return settings;
}

Writer::Settings program_settings(const Settings& wanted, bool tells) {
  Writer::Settings settings;
  settings.thread_name = "limpet-log";
  settings.lane_bytes = wanted.carries ? kAccessLane : kProgramLane;
  if (tells) settings.tell = tell_trouble;
  settings.line = [](std::string_view text) { return state().sink->line(text); };
  settings.gap = [](std::uint64_t lines) {
    return state().sink->line(std::to_string(lines) + " lines were dropped");
  };
  return settings;
}

Writer::Settings access_settings() {
  Writer::Settings settings;
  settings.thread_name = "limpet-access";
  settings.lane_bytes = kAccessLane;
  settings.gather = kGather;
  settings.tell = [](const std::string& text) { warn("access log: {}", text); };
  settings.gap = [](std::uint64_t lines) {
    Line line;
    return std::string(format_gap(line, lines, access_as_json()));
  };
  return settings;
}

Writer* begin(std::shared_ptr<Output> output, Writer::Settings settings) {
  State& s = state();
  std::lock_guard lock(s.list);
  s.writers.reserve(s.writers.size() + 1);
  return s.writers.emplace_back(Writer::start(std::move(output), std::move(settings))).get();
}

// Under `changes`.
void stop_writers(std::uint32_t wait_ms) {
  State& s = state();
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::milliseconds wait(wait_ms);
  // The access log may say something in the program's, and leaves it half of the time in any case.
  if (Writer* const access = s.access.exchange(nullptr)) {
    if (!access->stop(now + wait / 2)) {
      warn("access log: does not take its last lines in time; {} were dropped before them",
           access->dropped());
    }
  }
  if (Writer* const program = s.program.exchange(nullptr)) {
    s.sink->use(Sink::To::nowhere);
    if (program->stop(now + wait)) s.sink->use(Sink::To::last_words);
    if (program->dropped() > 0)
      tell_trouble(std::to_string(program->dropped()) + " lines were dropped in all");
  }
  if (Writer* const trouble = s.trouble.exchange(nullptr)) trouble->stop(now + wait);
}

}  // namespace

bool enabled(Level level) {
  return level >= state().level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view line) {
  state().logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void start(const Settings& settings) {
  State& s = state();
  std::lock_guard lock(s.changes);
  std::shared_ptr<Output> program = Output::open(settings.file, STDERR_FILENO);
  std::shared_ptr<Output> access =
      settings.access ? Output::open(settings.access_file, STDOUT_FILENO) : nullptr;
  if (access && Output::same_place(*program, *access)) {
    if (!program->reopens()) program = access;
    access = program;
  }
  auto trouble = settings.tells ? std::make_shared<Output>(STDERR_FILENO) : nullptr;
  if (trouble && Output::same_place(*program, *trouble)) trouble = nullptr;
  stop_writers(kRestartWait);
  s.level = settings.level;
  s.json = settings.json;
  s.sink->look(settings.json);
  if (trouble) s.trouble = begin(trouble, trouble_settings());
  s.program = begin(std::move(program), program_settings(settings, trouble != nullptr));
  s.sink->use(Sink::To::writer, s.program);
  if (access) s.access = begin(std::move(access), access_settings());
}

void carry(std::string_view line) {
  if (Writer* const program = state().program) program->put(line);
}

void reopen() {
  State& s = state();
  if (Writer* const access = s.access) access->reopen();
  if (Writer* const program = s.program) program->reopen();
}

void stop(std::uint32_t wait_ms) {
  std::lock_guard lock(state().changes);
  stop_writers(wait_ms);
}

std::uint64_t dropped_lines() {
  State& s = state();
  std::uint64_t sum = s.sink->dropped();
  std::lock_guard lock(s.list);
  for (const auto& each : s.writers) sum += each->dropped();
  return sum;
}

Writer* access_writer() {
  return state().access.load(std::memory_order_acquire);
}
bool access_as_json() {
  return state().json.load(std::memory_order_relaxed);
}

}  // namespace limpet::log
