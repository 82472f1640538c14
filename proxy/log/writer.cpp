#include "proxy/log/writer.h"

#include <pthread.h>
#include <signal.h>

#include <cstring>
#include <new>

namespace limpet::log {
namespace {

constexpr std::size_t kLargeBatch = 256 * 1024;

std::atomic<std::uint64_t> next_number{1};

// Whether this thread's lanes are gone: it is ending, and what it still says has no way to a writer.
thread_local bool lanes_gone = false;

// This thread's lanes, one a writer. A lane outlives its thread until the writer has drained it.
struct ThreadLanes {
  struct Entry {
    std::uint64_t writer;
    std::shared_ptr<Lane> lane;
  };
  std::vector<Entry> entries;
  ~ThreadLanes() {
    for (const Entry& each : entries) each.lane->retire();
    lanes_gone = true;
  }
};
thread_local ThreadLanes thread_lanes;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// While a thread is made: it inherits this mask, so that signals, SIGPIPE and SIGXFSZ among them, never reach
// it.
struct AllSignalsBlocked {
  sigset_t before;
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
};

}  // namespace

Writer::Writer(std::shared_ptr<Output> output, Settings settings)
    : settings_(std::move(settings)),
      number_(next_number++),
      output_name_(output->name()),
      output_(std::move(output)) {
  batch_.reserve(kLargeBatch + settings_.lane_bytes);  // all it will ever hold
}

std::shared_ptr<Writer> Writer::start(std::shared_ptr<Output> output, Settings settings) {
  auto writer = std::make_shared<Writer>(std::move(output), std::move(settings));
  const AllSignalsBlocked blocked;
  writer->thread_ = std::thread([self = writer] { self->run(); });
  return writer;
}

// nullptr: the thread is ending, or there is no memory.
Lane* Writer::my_lane() try {
  if (lanes_gone) return nullptr;
  auto& entries = thread_lanes.entries;
  for (const ThreadLanes::Entry& each : entries) {
    if (each.writer == number_) return each.lane.get();
  }
  // Nobody else holds the lane of a writer that has ended.
  std::erase_if(entries, [](const ThreadLanes::Entry& each) { return each.lane.use_count() == 1; });
  auto lane = std::make_shared<Lane>(settings_.lane_bytes);
  entries.push_back({number_, lane});
  std::lock_guard lock(mutex_);
  if (done_) return nullptr;
  fresh_.push_back(lane);
  return lane.get();
} catch (const std::bad_alloc&) {
  return nullptr;
}

// The lane's tail is stored before news_ is read, and the thread clears news_ before it reads tails, all
// sequentially consistent: either the thread sees the line, or this one sees that it must be told.
void Writer::put(std::string_view line) {
  Lane* const lane = my_lane();
  const Lane::Pushed pushed = lane == nullptr ? Lane::Pushed::no_room : lane->push(line);
  if (pushed == Lane::Pushed::no_room) note_full();
  const unsigned news = pushed == Lane::Pushed::calm ? kLines : kLines | kCrowded;
  if ((news_.load(std::memory_order_seq_cst) & news) != news) tell_thread(news);
}

// Whoever finds no room for a second on end tells: the writer's thread may be stuck in a write, and cannot.
void Writer::note_full() {
  constexpr std::int64_t kPatienceMs = 1'000;
  full_.fetch_add(1, std::memory_order_relaxed);
  if (!settings_.tell) return;
  const std::int64_t now = steady_ms();
  std::int64_t since = full_since_ms_.load(std::memory_order_relaxed);
  if (since == 0) {
    full_since_ms_.compare_exchange_strong(since, now, std::memory_order_relaxed);
  } else if (now - since >= kPatienceMs && time_to_say()) {
    settings_.tell(output_name_ + " takes no more; " + std::to_string(dropped()) +
                   " lines were dropped so far");
  }
}

// True once in a while, for one thread.
bool Writer::time_to_say() {
  constexpr std::int64_t kSayEveryMs = 60'000;
  const std::int64_t now = steady_ms();
  std::int64_t until = quiet_until_ms_.load(std::memory_order_relaxed);
  return now >= until &&
         quiet_until_ms_.compare_exchange_strong(until, now + kSayEveryMs, std::memory_order_relaxed);
}

void Writer::reopen() {
  tell_thread(kReopen);
}

void Writer::tell_thread(unsigned news) {
  if ((news_.fetch_or(news, std::memory_order_seq_cst) & news) == news) return;
  { std::lock_guard lock(mutex_); }  // it has not yet looked, or it waits
  awake_.notify_one();
}

void Writer::run() {
  ::pthread_setname_np(::pthread_self(), settings_.thread_name);
  for (bool last = false; !last;) {
    const unsigned news = wait_for_news();
    last = (news & kStop) != 0;
    const std::uint64_t full =
        full_.load(std::memory_order_relaxed);  // they came after what is in the lanes now
    write_lanes();
    if ((news & kReopen) != 0) reopen_output();  // what was put before it is in the old file
    report_gaps(full + lost_.load(std::memory_order_relaxed));
  }
  output_.reset();
  lanes_ = {};
  batch_ = {};
  std::lock_guard lock(mutex_);
  fresh_.clear();
  done_ = true;
  finished_.notify_all();
}

unsigned Writer::wait_for_news() {
  std::unique_lock lock(mutex_);
  awake_.wait(lock, [this] { return news_.load(std::memory_order_seq_cst) != 0; });
  if (settings_.gather.count() > 0) {
    awake_.wait_for(lock, settings_.gather,
                    [this] { return (news_.load(std::memory_order_seq_cst) & ~unsigned{kLines}) != 0; });
  }
  const unsigned news = news_.exchange(0, std::memory_order_seq_cst);
  lanes_.insert(lanes_.end(), fresh_.begin(), fresh_.end());
  fresh_.clear();
  return news;
}

void Writer::write_lanes() {
  for (std::size_t i = 0; i < lanes_.size();) {
    const bool last = lanes_[i]->retired();
    lanes_[i]->drain(batch_);
    if (last) {
      lanes_[i] = std::move(lanes_.back());
      lanes_.pop_back();
    } else {
      ++i;
    }
    if (batch_.size() < kLargeBatch && i < lanes_.size()) continue;
    write(batch_);
    batch_.clear();
  }
}

void Writer::write(std::string_view lines) {
  if (lines.empty()) return;
  std::size_t lost = 0;
  const int error = output_->write(lines, lost);
  lost_.fetch_add(lost, std::memory_order_relaxed);
  failing_ = error != 0;
  if (failing_) failed(error);
}

void Writer::failed(int error) {
  if (!settings_.tell || !time_to_say()) return;
  said_failing_ = true;
  settings_.tell(output_->name() + ": " + std::strerror(error) + "; lines are dropped");
}

// Lines that are missing are told where they are missing, and at most once a minute to whoever listens.
void Writer::report_gaps(std::uint64_t dropped) {
  full_since_ms_.store(0, std::memory_order_relaxed);  // it moves
  if (failing_ || (dropped == reported_ && !said_failing_)) return;
  if (dropped != reported_) {
    std::size_t ignored = 0;
    if (output_->write(settings_.gap(dropped - reported_), ignored) != 0) return;
    reported_ = dropped;
  }
  if (!settings_.tell || (!said_failing_ && !time_to_say())) return;
  settings_.tell(output_->name() + (said_failing_ ? " is written again; " : " does not keep up; ") +
                 std::to_string(dropped - said_) + " lines were dropped");
  said_failing_ = false;
  said_ = dropped;
}

void Writer::reopen_output() {
  std::size_t lost = 0;
  const int error = output_->reopen(lost);
  lost_.fetch_add(lost, std::memory_order_relaxed);
  if (error == 0) {
    failing_ = false;  // until it is tried
  } else {
    say(output_->name() + ": cannot be reopened: " + std::strerror(error) + "; the old file is kept");
  }
}

void Writer::say(const std::string& text) {
  if (settings_.tell) settings_.tell(text);
  if (!settings_.line) return;
  std::size_t lost = 0;
  output_->write(settings_.line(text), lost);
  lost_.fetch_add(lost, std::memory_order_relaxed);
}

bool Writer::stop(std::chrono::steady_clock::time_point end) {
  tell_thread(kStop);
  std::unique_lock lock(mutex_);
  const bool done = finished_.wait_until(lock, end, [this] { return done_; });
  lock.unlock();
  if (done) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return done;
}

}  // namespace limpet::log
