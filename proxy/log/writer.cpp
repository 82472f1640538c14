#include "proxy/log/writer.h"

#include <pthread.h>
#include <signal.h>

#include <cstring>

namespace limpet::log {
namespace {

constexpr std::size_t kLargeBatch = 64 * 1024;  // lines come fast: no waiting for more
constexpr std::chrono::minutes kComplainEvery{1};

std::atomic<std::uint64_t> next_number{1};

// A thread's lanes, one a writer; retired when the thread ends, taken down by the writers.
struct ThreadLanes {
  struct Entry {
    std::uint64_t writer;
    std::shared_ptr<Lane> lane;
  };
  std::vector<Entry> entries;
  ~ThreadLanes() {
    for (const Entry& each : entries) each.lane->retired.store(true, std::memory_order_release);
  }
};
thread_local ThreadLanes thread_lanes;

}  // namespace

Writer::Writer(std::shared_ptr<Output> output, Settings settings)
    : output_(std::move(output)), settings_(std::move(settings)), number_(next_number++) {}

std::shared_ptr<Writer> Writer::start(std::shared_ptr<Output> output, Settings settings) {
  auto writer = std::make_shared<Writer>(std::move(output), std::move(settings));
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);  // signals, SIGPIPE among them, are for other threads
  writer->thread_ = std::thread([self = writer] { self->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return writer;
}

Lane& Writer::my_lane() {
  for (const ThreadLanes::Entry& each : thread_lanes.entries) {
    if (each.writer == number_) return *each.lane;
  }
  auto lane = std::make_shared<Lane>(settings_.lane_bytes);
  thread_lanes.entries.push_back({number_, lane});
  std::lock_guard lock(mutex_);
  lanes_.push_back(lane);
  return *lane;
}

// The lane's tail is stored before work_ is read, and the writer clears work_ before it reads tails, all
// sequentially consistent: either the writer sees the line, or this thread sees that it must wake it.
void Writer::put(std::string_view line) {
  Lane& lane = my_lane();
  if (!lane.push(line)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!work_.load(std::memory_order_seq_cst) && !work_.exchange(true, std::memory_order_seq_cst)) {
    wake();
  } else if (lane.half_full()) {
    wake();
  }
}

void Writer::wake() {
  std::lock_guard lock(mutex_);
  if (woken_) return;
  woken_ = true;
  changed_.notify_all();
}

void Writer::reopen() {
  reopen_.store(true, std::memory_order_release);
  wake();
}

void Writer::run() {
  std::string batch;
  bool going_on = true;
  while (going_on) {
    going_on = wait_for_work();
    if (reopen_.exchange(false, std::memory_order_acq_rel)) do_reopen();
    do {
      batch.clear();
      work_.store(false, std::memory_order_seq_cst);
      collect(batch);
      write(batch);
    } while (batch.size() >= kLargeBatch);
    if (batch.capacity() > 4 * kLargeBatch) batch = std::string();
  }
  std::lock_guard lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

// False if this is the last round.
bool Writer::wait_for_work() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return woken_ || stopping_; });
  woken_ = false;
  if (!stopping_ && settings_.gather.count() > 0 && !reopen_.load(std::memory_order_relaxed)) {
    changed_.wait_for(lock, settings_.gather, [this] { return woken_ || stopping_; });
    woken_ = false;
  }
  return !stopping_;
}

void Writer::collect(std::string& batch) {
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < lanes_.size();) {
    const bool retired = lanes_[i]->retired.load(std::memory_order_acquire);  // before the drain: it is the last
    lanes_[i]->drain(batch);
    if (retired) {
      lanes_[i] = std::move(lanes_.back());
      lanes_.pop_back();
    } else {
      ++i;
    }
  }
}

void Writer::write(std::string& batch) {
  const std::uint64_t dropped = dropped_.load(std::memory_order_relaxed);
  if (dropped != told_ && settings_.own_line) {
    batch += settings_.own_line(std::to_string(dropped - told_) + " lines were dropped");
  }
  if (batch.empty()) return;
  std::size_t lost = 0;
  const int error = output_->write(batch, lost);
  if (error == 0) {
    told_ = dropped;
    return;
  }
  dropped_.fetch_add(lost, std::memory_order_relaxed);
  const auto now = std::chrono::steady_clock::now();
  if (!settings_.complain || (complained_.time_since_epoch().count() != 0 && now - complained_ < kComplainEvery)) return;
  complained_ = now;
  settings_.complain((output_->path().empty() ? "standard output" : output_->path()) + ": " + std::strerror(error) +
                     ": lines are dropped");
}

void Writer::do_reopen() {
  const int error = output_->reopen();
  if (error == 0) return;
  const std::string text = output_->path() + ": cannot be reopened: " + std::strerror(error) + "; the old file is kept";
  if (settings_.complain) {
    settings_.complain(text);
  } else if (settings_.own_line) {
    std::size_t lost = 0;
    output_->write(settings_.own_line(text), lost);
  }
}

void Writer::stop(std::chrono::milliseconds wait) {
  bool done = false;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    done = changed_.wait_for(lock, wait, [this] { return done_; });
  }
  if (!thread_.joinable()) return;
  if (done) {
    thread_.join();
  } else {
    thread_.detach();  // it holds this object, and with it everything that it touches
  }
}

}  // namespace limpet::log
