// Writer: one thread that takes lines from every thread's lane and writes them to one output.
//
// put() never blocks and makes no system call while the writer is awake; a line that finds its lane full is
// dropped and counted. A pipe that nobody reads stalls this thread alone. Idle costs nothing: it wakes for
// lines.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/log/lane.h"
#include "proxy/log/output.h"

namespace limpet::log {

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  struct Settings {
    const char* thread_name = "limpet-log";  // at most 15 characters
    std::size_t lane_bytes = 64 * 1024;
    // After the first line of a quiet time: how long more are waited for, so that many lines cost few writes.
    std::chrono::milliseconds gather{0};
    // The line that stands in the log for lines that are missing. With its '\n'.
    std::function<std::string(std::uint64_t lines)> gap;
    // Where trouble with the output is told, by whoever notices it: from within put(), too. Empty: nowhere.
    std::function<void(const std::string& text)> tell;
    // How that looks in the log itself, where only what does not stop it is told. Empty: not there.
    std::function<std::string(std::string_view text)> line;
  };

  static std::shared_ptr<Writer> start(std::shared_ptr<Output> output, Settings settings);
  Writer(std::shared_ptr<Output> output, Settings settings);

  // Any thread.
  void put(std::string_view line);  // ends in '\n'
  void reopen();
  std::uint64_t dropped() const {
    return full_.load(std::memory_order_relaxed) + lost_.load(std::memory_order_relaxed);
  }

  // Writes what is there, until `end` at most; false if not all of it was written by then. A thread that is
  // stuck in a write is left behind: it holds this object, so that there is nothing it can miss. Once only.
  bool stop(std::chrono::steady_clock::time_point end);

 private:
  enum News : unsigned { kLines = 1, kCrowded = 2, kReopen = 4, kStop = 8 };

  Lane* my_lane();
  void tell_thread(unsigned news);
  void run();
  unsigned wait_for_news();
  void write_lanes();
  void write(std::string_view lines);
  void failed(int error);
  void report_gaps(std::uint64_t dropped);
  void reopen_output();
  void say(const std::string& text);
  bool time_to_say();
  void note_full();

  const Settings settings_;
  const std::uint64_t number_;  // never given twice in a process
  const std::string output_name_;
  std::thread thread_;
  std::atomic<unsigned> news_{0};
  std::atomic<std::uint64_t> full_{0};          // lines that found no room
  std::atomic<std::uint64_t> lost_{0};          // lines that the output did not take
  std::atomic<std::int64_t> full_since_ms_{0};  // of the steady clock: lines find no room; 0: they do
  std::atomic<std::int64_t> quiet_until_ms_{
      0};  // of the steady clock: before it, no more of the same is said

  std::mutex mutex_;
  std::condition_variable awake_, finished_;
  std::vector<std::shared_ptr<Lane>> fresh_;  // under mutex_: lanes that the thread has not seen yet
  bool done_ = false;                         // under mutex_

  // Of the thread alone, which lets go of them at its end:
  std::shared_ptr<Output> output_;
  std::vector<std::shared_ptr<Lane>> lanes_;
  std::string batch_;
  std::uint64_t reported_ = 0;  // of dropped(), in the log itself
  std::uint64_t said_ = 0;      // of dropped(), by tell
  bool failing_ = false;        // the last write was not taken
  bool said_failing_ = false;
};

}  // namespace limpet::log
