#include "proxy/tunnel/engine.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "proxy/net/loop.h"
#include "proxy/tunnel/relay.h"
#include "proxy/tunnel/ring.h"
#include "proxy/tunnel/slab.h"

namespace limpet::tunnel {
namespace {

struct LinuxKernel {
  ssize_t recv(int fd, char* into, std::size_t size) { return checked(::recv(fd, into, size, 0)); }
  ssize_t send(int fd, const char* from, std::size_t size) {
    return checked(::send(fd, from, size, MSG_NOSIGNAL));
  }
  void shutdown_write(int fd) { ::shutdown(fd, SHUT_WR); }
  static ssize_t checked(ssize_t result) { return result < 0 ? -errno : result; }
};

constexpr int kEvents = 256;
constexpr std::size_t kScratch = 128 * 1024;
constexpr std::size_t kStock = 64;  // free slots that the worker can take without asking
constexpr std::uint64_t kInboxToken = ~0ull;
constexpr std::uint32_t kInterest = EPOLLET | EPOLLIN | EPOLLOUT | EPOLLRDHUP;

std::uint64_t token(const Tunnel& t, int side) {
  return static_cast<std::uint64_t>(t.generation) << 32 | static_cast<std::uint64_t>(t.index) << 1 |
         static_cast<std::uint64_t>(side);
}

struct Command {
  enum class Kind : std::uint8_t { drain, close_server, stop, adopt } kind;
  std::uint64_t window_ms = 0;
  std::uint32_t serial = 0;
  std::uint64_t failed = 0;            // adopt: the token of a tunnel that epoll would not take
  std::unique_ptr<Handover> handover;  // adopt: of one that has no slot yet
};

}  // namespace

struct Engine::Impl {
  explicit Impl(Options o) : options(o), scratch(std::make_unique<char[]>(kScratch)) {
    if (epoll < 0 || wake < 0) throw std::system_error(errno, std::generic_category(), "tunnel engine");
    epoll_event event{EPOLLIN, {.u64 = kInboxToken}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event);
    restock();
  }
  ~Impl() {
    ::close(epoll);
    ::close(wake);
  }

  // The worker's side.
  void hand_over(Handover handover);
  void send(Command command);
  void fill(Tunnel& t, Handover& handover);
  void register_sockets(Tunnel& t);

  // The thread's side.
  void run();
  Tunnel* find(std::uint64_t token);
  void on_event(const epoll_event& event);
  void apply(Tunnel& t, Verdict verdict);
  void link(Tunnel& t);
  void end(Tunnel& t, Who who, Why why);
  void bury();
  void read_inbox();
  void execute(Command& command);
  void run_ready();
  void expire();
  void on_deadline(Tunnel& t);
  void schedule_drain();
  void restock();
  int timeout() const;

  const Options options;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::thread thread;
  std::mutex inbox_mutex;
  std::vector<Command> inbox;
  Ring<Tunnel*, kStock> stock;                // filled by the thread, emptied by the worker
  std::atomic<std::uint64_t> handed_over{0};  // written by the worker
  Totals totals;

  LinuxKernel kernel;
  Buffers buffers;
  std::unique_ptr<char[]> scratch;
  Relay<LinuxKernel> relay{kernel, buffers, {scratch.get(), kScratch}};
  Slab slab;
  net::TimerWheel wheel{net::now_ms()};
  std::uint64_t now = net::now_ms();
  Tunnel* first = nullptr;
  Tunnel* ready = nullptr;
  Tunnel** ready_tail = &ready;
  std::vector<Tunnel*> doomed;
  bool draining = false;
  bool stopping = false;
  std::uint64_t drain_end_ms = 0;
};

// --- worker ---

void Engine::Impl::fill(Tunnel& t, Handover& handover) {
  t.fd[0] = handover.client.release();
  t.fd[1] = handover.server.release();
  t.way[0].bytes = handover.bytes_in;
  t.way[1].bytes = handover.bytes_out;
  t.idle_ms = handover.idle_ms;
  t.server_serial = handover.server_serial;
  t.close_on_server_down = handover.close_on_server_down;
  t.record = handover.record.release();
}

// From the first epoll_ctl on the tunnel may live, and end, on the other thread; that thread closes nothing
// before `added` says that this one is finished.
void Engine::Impl::register_sockets(Tunnel& t) {
  const int fds[2] = {t.fd[0], t.fd[1]};
  const std::uint64_t tokens[2] = {token(t, 0), token(t, 1)};
  bool failed = false;
  for (int side = 0; side < 2 && !failed; ++side) {
    epoll_event event{kInterest, {.u64 = tokens[side]}};
    failed = ::epoll_ctl(epoll, EPOLL_CTL_ADD, fds[side], &event) != 0;
  }
  if (!failed) {
    t.added.store(2, std::memory_order_release);
    return;
  }
  // Told first: once `added` says so the slot may be another tunnel's.
  send({.kind = Command::Kind::adopt, .failed = tokens[0], .handover = nullptr});
  t.added.store(2, std::memory_order_release);
}

void Engine::Impl::hand_over(Handover handover) {
  handed_over.fetch_add(1, std::memory_order_relaxed);
  Tunnel* slot = nullptr;
  const bool with_bytes = !handover.to_client.empty() || !handover.to_server.empty();
  if (with_bytes || !stock.pop(slot)) {  // buffers and fresh slots are the thread's
    Command command{.kind = Command::Kind::adopt,
                    .handover = std::make_unique<Handover>(std::move(handover))};
    send(std::move(command));
    return;
  }
  fill(*slot, handover);
  register_sockets(*slot);
}

void Engine::Impl::send(Command command) {
  {
    std::lock_guard lock(inbox_mutex);
    inbox.push_back(std::move(command));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake, &one, sizeof(one));
}

// --- thread ---

void Engine::Impl::run() {
  epoll_event events[kEvents];
  while (!stopping) {
    const int count = ::epoll_wait(epoll, events, kEvents, timeout());
    now = net::now_ms();
    for (int i = 0; i < count; ++i) on_event(events[i]);
    run_ready();
    expire();
    bury();
    restock();
    totals.buffered.store(buffers.held(), std::memory_order_relaxed);
  }
  while (first != nullptr) end(*first, Who::proxy, Why::drain);
  bury();
}

int Engine::Impl::timeout() const {
  if (ready != nullptr) return 0;
  if (!doomed.empty()) return 1;  // the worker is between its two epoll_ctl calls
  const auto next = wheel.next_ms();
  if (!next) return -1;
  if (*next <= now) return 0;
  return static_cast<int>(std::min<std::uint64_t>(*next - now, 1'000'000'000));
}

// nullptr: of a tunnel that is gone.
Tunnel* Engine::Impl::find(std::uint64_t token) {
  Tunnel* t = slab.at(static_cast<std::uint32_t>(token & 0xffffffff) >> 1);
  return t != nullptr && t->generation == token >> 32 && !t->closing ? t : nullptr;
}

void Engine::Impl::on_event(const epoll_event& event) {
  if (event.data.u64 == kInboxToken) {
    read_inbox();
    return;
  }
  Tunnel* t = find(event.data.u64);
  if (t == nullptr) return;
  if (!t->linked) link(*t);
  t->active_ms = now;
  apply(*t, relay.on_events(*t, static_cast<int>(event.data.u64 & 1), event.events));
}

void Engine::Impl::apply(Tunnel& t, Verdict verdict) {
  if (verdict == Verdict::over) {
    end(t, t.first, t.why);
  } else if (verdict == Verdict::yielded && !t.ready) {
    t.ready = true;
    t.next_ready = nullptr;
    *ready_tail = &t;
    ready_tail = &t.next_ready;
  }
  // After one side's end the other has little time: from now on its silence counts by half_close_ms.
  if (!t.closing && (t.way[0].eof || t.way[1].eof) && t.timer.deadline_ms > now + options.half_close_ms) {
    wheel.set(t.timer, now + options.half_close_ms);
  }
}

void Engine::Impl::link(Tunnel& t) {
  t.linked = true;
  t.next = first;
  if (first != nullptr) first->prev = &t;
  first = &t;
  t.active_ms = now;
  totals.opened.add();
  wheel.set(t.timer, draining ? std::max(now, drain_end_ms) : now + t.idle_ms);
  t.draining = draining;
}

// The one way out of a tunnel. Events of this batch may still name it, so its slot is freed after the batch.
void Engine::Impl::end(Tunnel& t, Who who, Why why) {
  if (t.closing) return;
  t.closing = true;
  wheel.cancel(t.timer);
  if (t.prev != nullptr) t.prev->next = t.next;
  if (t.next != nullptr) t.next->prev = t.prev;
  if (first == &t) first = t.next;
  t.prev = t.next = nullptr;
  relay.release(t);
  totals.ended.add();
  totals.ended_by[static_cast<std::size_t>(why)].add();
  totals.bytes_in.add(t.way[0].bytes);
  totals.bytes_out.add(t.way[1].bytes);
  const std::unique_ptr<Record> record(std::exchange(t.record, nullptr));
  if (record) record->ended({who, why, t.way[0].bytes, t.way[1].bytes});
  doomed.push_back(&t);
}

void Engine::Impl::bury() {
  std::size_t kept = 0;
  for (Tunnel* t : doomed) {
    if (t->added.load(std::memory_order_acquire) < 2 || t->ready) {
      doomed[kept++] = t;
      continue;
    }
    ::close(t->fd[0]);
    ::close(t->fd[1]);
    slab.give_back(t);
  }
  doomed.resize(kept);
}

void Engine::Impl::run_ready() {
  Tunnel* each = std::exchange(ready, nullptr);
  ready_tail = &ready;
  while (each != nullptr) {
    Tunnel& t = *each;
    each = t.next_ready;
    t.ready = false;
    t.next_ready = nullptr;
    if (t.closing) continue;
    apply(t, relay.resume(t));
  }
}

void Engine::Impl::expire() {
  while (net::TimerNode* node = wheel.expire(now)) on_deadline(*reinterpret_cast<Tunnel*>(node));
}

// Activity moves no timer; the deadline is looked at again when it comes.
void Engine::Impl::on_deadline(Tunnel& t) {
  if (t.draining) return end(t, Who::proxy, Why::drain);
  const bool half_closed = t.way[0].eof || t.way[1].eof;
  const std::uint64_t allowed = half_closed ? std::min(t.idle_ms, options.half_close_ms) : t.idle_ms;
  if (now - t.active_ms >= allowed) return end(t, Who::proxy, Why::idle);
  wheel.set(t.timer, t.active_ms + allowed);
}

void Engine::Impl::read_inbox() {
  std::uint64_t ignored;
  [[maybe_unused]] const ssize_t got = ::read(wake, &ignored, sizeof(ignored));
  std::vector<Command> commands;
  {
    std::lock_guard lock(inbox_mutex);
    commands.swap(inbox);
  }
  for (Command& command : commands) execute(command);
}

void Engine::Impl::execute(Command& command) {
  switch (command.kind) {
    case Command::Kind::stop: stopping = true; break;
    case Command::Kind::drain:
      draining = true;
      drain_end_ms = now + command.window_ms;
      schedule_drain();
      break;
    case Command::Kind::close_server:
      for (Tunnel* t = first; t != nullptr;) {
        Tunnel& each = *std::exchange(t, t->next);
        if (each.server_serial == command.serial && each.close_on_server_down) {
          end(each, Who::server, Why::server_down);
        }
      }
      break;
    case Command::Kind::adopt: {
      if (command.handover == nullptr) {  // a socket that epoll would not take
        Tunnel* failed = find(command.failed);
        if (failed == nullptr) break;
        if (!failed->linked) link(*failed);
        end(*failed, Who::proxy, Why::failed);
        break;
      }
      Tunnel& t = *slab.take();
      Handover& handover = *command.handover;
      fill(t, handover);
      if (!handover.to_server.empty()) {
        t.way[0].pending = buffers.keep(handover.to_server.data(), handover.to_server.size());
      }
      if (!handover.to_client.empty()) {
        t.way[1].pending = buffers.keep(handover.to_client.data(), handover.to_client.size());
      }
      register_sockets(t);
      break;
    }
  }
}

void Engine::Impl::schedule_drain() {
  std::uint64_t count = 0;
  for (Tunnel* t = first; t != nullptr; t = t->next) ++count;
  const std::uint64_t window = drain_end_ms - now;
  std::uint64_t i = 0;
  for (Tunnel* t = first; t != nullptr; t = t->next) {
    t->draining = true;
    wheel.set(t->timer, now + window * ++i / (count + 1));
  }
}

void Engine::Impl::restock() {
  while (stock.size() < kStock) stock.push(slab.take());
}

// --- interface ---

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(options)) {}

Engine::~Engine() {
  stop();
}

void Engine::start() {
  impl_->thread = std::thread([this] {
    net::run_on(impl_->options.cpu);
    ::pthread_setname_np(::pthread_self(), "limpet-tunnel");
    impl_->run();
  });
}

void Engine::adopt(Handover handover) {
  impl_->hand_over(std::move(handover));
}

void Engine::drain(std::uint64_t window_ms) {
  impl_->send({.kind = Command::Kind::drain, .window_ms = window_ms, .handover = nullptr});
}

void Engine::close_server(std::uint32_t server_serial) {
  impl_->send({.kind = Command::Kind::close_server, .serial = server_serial, .handover = nullptr});
}

void Engine::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->send({.kind = Command::Kind::stop, .handover = nullptr});
  impl_->thread.join();
}

std::uint64_t Engine::open() const {
  return impl_->handed_over.load(std::memory_order_relaxed) - impl_->totals.ended.get();
}

const Totals& Engine::totals() const {
  return impl_->totals;
}

}  // namespace limpet::tunnel
