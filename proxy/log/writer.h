// Writer: one thread that takes lines from every thread's lane and writes them to one output.
//
// put() never blocks and makes no system call while the writer is awake; a line that finds its lane full is
// dropped and counted. A pipe that nobody reads stalls the writer alone. Idle costs nothing.
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
    std::size_t lane_bytes = 64 * 1024;
    // After the first line of a quiet time: how long more are waited for, so that many lines cost few writes.
    std::chrono::milliseconds gather{0};
    // A line of the writer's own, about lines that were lost.
    std::function<std::string(std::string_view text)> own_line;
    std::function<void(std::string text)> complain;  // where trouble with the output is told; may be empty
  };

  static std::shared_ptr<Writer> start(std::shared_ptr<Output> output, Settings settings);

  void put(std::string_view line);  // any thread; `line` ends in '\n'
  void reopen();
  // Writes what is there for at most `wait`. A thread that is stuck in a write is left behind with its state.
  void stop(std::chrono::milliseconds wait);
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  std::uint64_t number() const { return number_; }  // never given twice in a process

  Writer(std::shared_ptr<Output> output, Settings settings);

 private:
  Lane& my_lane();
  void wake();
  void run();
  bool wait_for_work();
  void collect(std::string& batch);
  void write(std::string& batch);
  void do_reopen();

  const std::shared_ptr<Output> output_;
  const Settings settings_;
  const std::uint64_t number_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Lane>> lanes_;  // under mutex_
  bool woken_ = false;                        // under mutex_
  bool stopping_ = false;                     // under mutex_
  bool done_ = false;                         // under mutex_
  std::atomic<bool> work_{false};             // a line was put since the writer last looked
  std::atomic<bool> reopen_{false};
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t told_ = 0;                    // of dropped_, in the log itself
  std::chrono::steady_clock::time_point complained_{};
};

}  // namespace limpet::log
