#include "proxy/net/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <system_error>

#include "proxy/net/loop_impl.h"

namespace limpet::net {
namespace {

constexpr int kEvents = 128;
constexpr int kTasks = 64;  // a turn
constexpr std::size_t kMostSpares = 128;
constexpr std::uint16_t kGuestTimer = 1;  // TimerNode::user

// A time that is not past, and the next tick of the kernel's at most: ten times as cheap to know as the time
// itself. (The turn's beginning would not do: a turn that was held up must not shorten the deadlines that it
// sets.)
std::uint64_t soon_ms() {
  static const std::uint64_t tick_ms = [] {
    timespec tick;
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    return static_cast<std::uint64_t>(tick.tv_nsec) / 1'000'000 + 1;
  }();
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000 +
         tick_ms;
}

void unlink(DeferredLink& link) {
  link.prev->next = link.next;
  link.next->prev = link.prev;
  link.prev = link.next = &link;
}

void link_before(DeferredLink& place, DeferredLink& link) {
  link.prev = place.prev;
  link.next = &place;
  link.prev->next = link.next->prev = &link;
}

}  // namespace

std::uint64_t now_us() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::uint64_t now_ms() {
  return now_us() / 1000;
}

// --- who waits ---

Loop::Impl::Impl()
    : set(::epoll_create1(EPOLL_CLOEXEC)), bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wheel(now_ms()) {
  epoll_event event{EPOLLIN | EPOLLET, {.u64 = 0}};
  if (!set || !bell || ::epoll_ctl(set.get(), EPOLL_CTL_ADD, bell.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "event loop");
  }
}

Loop::Impl::~Impl() {
  while (due != nullptr) {
    Watch& watch = *std::exchange(due, due->next);
    watch.due = false;
    if (watch.fd < 0) retire(watch);
  }
  while (deferred.next != &deferred) unlink(*deferred.next);
  free_retired();
  for (Watch* each = spare; each != nullptr;) delete std::exchange(each, each->next);
}

Watch* Loop::Impl::watch(int fd) {
  Watch* watch = spare;
  if (watch != nullptr) {
    spare = watch->next;
    --spares;
  } else {
    watch = new Watch;
  }
  *watch = Watch{};
  watch->loop = this;
  watch->fd = fd;
  return watch;
}

void Loop::Impl::retire(Watch& watch) {
  watch.reader = watch.writer = {};
  watch.fd = -1;
  if (watch.due) return;  // the list lets go of it
  watch.next = retired;
  retired = &watch;
}

void Loop::Impl::wait_read(Watch& watch, Delegate then) {
  watch.reader = then;
  if ((watch.interest & EPOLLIN) == 0) {
    enlist(watch, EPOLLIN | EPOLLRDHUP);
  } else if (watch.readable) {
    make_due(watch);
  }
}

void Loop::Impl::wait_write(Watch& watch, Delegate then) {
  watch.writer = then;
  if ((watch.interest & EPOLLOUT) == 0) {
    // A connect comes first, and its answer is read next: one call for both.
    enlist(watch, watch.interest | EPOLLOUT | EPOLLIN | EPOLLRDHUP);
  } else if (watch.writable) {
    make_due(watch);
  }
}

// The kernel reports what holds already as an edge. A descriptor that it does not take is ended, so that its
// waiter finds an end and not a wait for ever.
void Loop::Impl::enlist(Watch& watch, std::uint32_t events) {
  epoll_event event{events | EPOLLET, {.u64 = reinterpret_cast<std::uintptr_t>(&watch)}};
  const int what = watch.interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  watch.interest = events;
  if (::epoll_ctl(set.get(), what, watch.fd, &event) == 0) return;
  ::shutdown(watch.fd, SHUT_RDWR);
  watch.readable = watch.writable = watch.ending = true;
  make_due(watch);
}

void Loop::Impl::make_due(Watch& watch) {
  if (watch.due) return;
  watch.due = true;
  watch.next = nullptr;
  *due_tail = &watch;
  due_tail = &watch.next;
}

void Loop::Impl::free_retired() {
  for (Watch* each = std::exchange(retired, nullptr); each != nullptr;) {
    Watch* watch = std::exchange(each, each->next);
    if (spares == kMostSpares) {
      delete watch;
      continue;
    }
    watch->next = spare;
    spare = watch;
    ++spares;
  }
}

// --- the turns ---

// Edges are noted for a whole batch before anybody is called, so that whoever ends a stream, or stops the
// loop, loses none of another's.
void Loop::Impl::run() {
  epoll_event events[kEvents];
  while (!stopping.load(std::memory_order_relaxed)) {
    const int count = ::epoll_wait(set.get(), events, kEvents, timeout());
    now = now_ms();
    for (int i = 0; i < count; ++i) note(events[i]);
    run_due();
    expire();
    if (rung.exchange(false, std::memory_order_acq_rel)) run_tasks();
    run_deferred();
    free_retired();
  }
  now = 0;
  stopping.store(false, std::memory_order_relaxed);  // a loop may be run again
}

int Loop::Impl::timeout() const {
  if (due != nullptr || deferred.next != &deferred || rung.load(std::memory_order_relaxed)) return 0;
  const auto next = wheel.next_ms();
  if (!next) return -1;
  const std::uint64_t here = now_ms();  // the turn may have been long
  return *next <= here ? 0 : static_cast<int>(std::min<std::uint64_t>(*next - here, 1'000'000'000));
}

void Loop::Impl::note(const epoll_event& event) {
  constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR, kBroken = EPOLLHUP | EPOLLERR;
  if (event.data.u64 & Loop::kGuestToken) return guest->on_event(event.data.u64, event.events);
  auto* watch = reinterpret_cast<Watch*>(static_cast<std::uintptr_t>(event.data.u64));
  if (watch == nullptr || watch->fd < 0) return;  // the bell, which run() looks at by itself
  if (event.events & (EPOLLIN | kEnd)) watch->readable = true;
  if (event.events & (EPOLLOUT | kBroken)) watch->writable = true;
  if (event.events & kEnd) watch->ending = true;
  make_due(*watch);
}

// Only those of now: who waits again for what is still there has its turn after the others.
void Loop::Impl::run_due() {
  Watch* each = std::exchange(due, nullptr);
  due_tail = &due;
  while (each != nullptr) {
    Watch& watch = *std::exchange(each, each->next);
    watch.due = false;
    if (stopping.load(std::memory_order_relaxed)) {
      make_due(watch);
      continue;
    }
    watch.due = true;  // so that retire() leaves it to us
    if (watch.writable && watch.writer) std::exchange(watch.writer, {})();
    if (watch.readable && watch.reader) std::exchange(watch.reader, {})();
    watch.due = false;
    if (watch.fd < 0) {
      retire(watch);
    } else if ((watch.readable && watch.reader) || (watch.writable && watch.writer)) {
      make_due(watch);
    }
  }
}

// A task may post the next one: sockets have their turn in between.
void Loop::Impl::run_tasks() {
  for (int i = 0; i < kTasks; ++i) {
    if (stopping.load(std::memory_order_relaxed)) break;
    if (tasks.poll_one() == 0) return;
  }
  rung.store(true, std::memory_order_relaxed);
}

void Loop::Impl::expire() {
  while (TimerNode* node = wheel.expire(now)) {
    if (node->user == kGuestTimer) {
      guest->on_deadline(*node);
    } else {
      static_cast<Timer::Node*>(node)->owner->on_expiry_();
    }
  }
}

void Loop::Impl::defer(Deferred& what) {
  if (!what.queued()) link_before(deferred, what);
}

// What was asked for until now. Who asks from within is served in the next turn, which does not sleep.
void Loop::Impl::run_deferred() {
  DeferredLink asked;
  link_before(deferred, asked);
  unlink(deferred);
  while (asked.next != &asked) {
    auto& each = static_cast<Deferred&>(*asked.next);
    unlink(each);
    __builtin_prefetch(asked.next);  // of a thousand members of a room most are in no near cache
    each.run_();
  }
}

void Loop::Impl::wake() {
  if (rung.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(bell.get(), &one, sizeof(one));
}

// --- interface ---

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->run();
  impl_->thread = std::thread::id{};
}

void Loop::stop() {
  impl_->stopping.store(true, std::memory_order_relaxed);
  impl_->wake();
}

void Loop::post(std::function<void()> task) {
  asio::post(impl_->tasks, std::move(task));
  impl_->wake();
}

bool Loop::on_my_thread() const {
  const std::thread::id owner = impl_->thread;
  return owner == std::thread::id{} || owner == std::this_thread::get_id();
}

void Loop::invite(Guest& guest) {
  impl_->guest = &guest;
}

std::uint64_t Loop::turn_ms() const {
  return impl_->turn_ms();
}

void Loop::set_guest_timer(TimerNode& node, std::uint64_t deadline_ms) {
  node.user = kGuestTimer;
  impl_->wheel.set(node, deadline_ms);
}

void Loop::cancel_guest_timer(TimerNode& node) {
  impl_->wheel.cancel(node);
}

void Loop::at_end_of_turn(Deferred& what) {
  impl_->defer(what);
}

void Deferred::cancel() {
  unlink(*this);
}

Timer::Timer(Loop& loop, Delegate on_expiry) : loop_(loop), on_expiry_(on_expiry) {
  node_.owner = this;
}

Timer::~Timer() {
  cancel();
}

void Timer::after(std::uint64_t delay_ms) {
  loop_.impl().wheel.set(node_, soon_ms() + delay_ms);
}

void Timer::cancel() {
  loop_.impl().wheel.cancel(node_);
}

}  // namespace limpet::net
