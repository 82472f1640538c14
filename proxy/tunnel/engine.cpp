#include "proxy/tunnel/engine.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "proxy/tunnel/relay.h"
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

// Of a socket: its tunnel's slot, which side it is, and the slot's generation, of which 31 bits are enough to
// tell a tunnel from those that had its slot in the same batch of events.
constexpr std::uint32_t kGenerations = 0x7fffffff;
std::uint64_t token(const Tunnel& t, int side) {
  return net::Loop::kGuestToken | static_cast<std::uint64_t>(t.generation & kGenerations) << 32 |
         static_cast<std::uint64_t>(t.index) << 1 | static_cast<std::uint64_t>(side);
}

// What tunnels move before requests, and they each other, have their turn again: some milliseconds' worth.
// Events and those that yielded have a share each, so that neither goes without.
constexpr std::uint64_t kShare = 1024 * 1024;  // bytes, each way of a message counted once

}  // namespace

struct Engine::Impl final : net::Guest {
  Impl(net::Loop& its_loop, std::span<char> its_scratch, Options its_options)
      : options(its_options),
        loop(its_loop),
        relay(kernel, buffers, its_scratch),
        after_turn(net::delegate<&Impl::end_turn>(this)) {
    loop.invite(*this);
  }

  void adopt(Handover handover);
  void drain(std::uint64_t window_ms);
  void close_server(std::uint32_t server_serial);
  void close_part(std::uint32_t server_serial, std::uint64_t of);
  void close_all();

  void on_event(std::uint64_t token, std::uint32_t events) override;
  void on_deadline(net::TimerNode& node) override;

  Tunnel* find(std::uint64_t token);
  void link(Tunnel& t);
  std::uint64_t serve(Tunnel& t);
  void wait_for_turn(Tunnel& t);
  void end(Tunnel& t, Who who, Why why);
  void set_deadline(Tunnel& t, std::uint64_t at_ms) { loop.set_guest_timer(t.timer, at_ms); }
  void end_turn();
  void run_ready();
  void bury();

  const Options options;
  net::Loop& loop;
  std::atomic<std::uint64_t> adopted{0};
  Totals totals;
  LinuxKernel kernel;
  Buffers buffers;
  Relay<LinuxKernel> relay;
  Slab slab;
  Tunnel* first = nullptr;
  Tunnel* ready = nullptr;
  Tunnel** ready_tail = &ready;
  std::uint64_t moved = 0;  // by events, since the last end_turn()
  std::vector<Tunnel*> doomed;
  net::Deferred after_turn;  // asked for when one of these has something
  bool draining = false;
  std::uint64_t drain_end_ms = 0;
};

// A tunnel is whole, early bytes included, before its sockets can bring an event.
void Engine::Impl::adopt(Handover handover) {
  Tunnel& t = *slab.take();
  adopted.store(adopted.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  t.way[0].bytes = handover.bytes_in;
  t.way[1].bytes = handover.bytes_out;
  t.idle_ms = handover.idle_ms;
  t.server_serial = handover.server_serial;
  t.close_on_server_down = handover.close_on_server_down;
  t.record = handover.record.release();
  const std::string_view early[2] = {handover.to_server, handover.to_client};
  for (int side = 0; side < 2; ++side) {
    if (!early[side].empty()) t.way[side].pending = buffers.keep(early[side].data(), early[side].size());
  }
  link(t);
  bool taken[2];
  t.fd[0] = handover.client.move_to_guest(token(t, 0), taken[0]).release();
  t.fd[1] = handover.server.move_to_guest(token(t, 1), taken[1]).release();
  if (!taken[0] || !taken[1]) end(t, Who::proxy, Why::failed);
}

void Engine::Impl::link(Tunnel& t) {
  t.next = first;
  if (first != nullptr) first->prev = &t;
  first = &t;
  const std::uint64_t now = loop.turn_ms();
  t.active_ms = now;
  totals.opened.add();
  set_deadline(t, draining ? std::max(now, drain_end_ms) : now + t.idle_ms);
  t.draining = draining;
}

// nullptr: of a tunnel that is gone.
Tunnel* Engine::Impl::find(std::uint64_t token) {
  Tunnel* t = slab.at(static_cast<std::uint32_t>(token) >> 1);
  const auto generation = static_cast<std::uint32_t>(token >> 32) & kGenerations;
  return t != nullptr && (t->generation & kGenerations) == generation && !t->closing ? t : nullptr;
}

void Engine::Impl::on_event(std::uint64_t token, std::uint32_t events) {
  Tunnel* t = find(token);
  if (t == nullptr) return;
  t->active_ms = loop.turn_ms();
  relay.note(*t, static_cast<int>(token & 1), events);
  if (t->ready) return;  // its turn comes
  if (moved >= kShare) return wait_for_turn(*t);
  moved += serve(*t);
  if (moved >= kShare) loop.at_end_of_turn(after_turn);  // which begins to count anew
}

// What there is to move, within the bounds of one visit. Returns how much that was.
std::uint64_t Engine::Impl::serve(Tunnel& t) {
  const std::uint64_t before = t.way[0].bytes + t.way[1].bytes;
  const Verdict verdict = relay.resume(t);
  const std::uint64_t bytes = t.way[0].bytes + t.way[1].bytes - before;
  totals.buffered.store(buffers.held(), std::memory_order_relaxed);
  if (verdict == Verdict::over) {
    end(t, t.first, t.why);
    return bytes;
  }
  if (verdict == Verdict::yielded) wait_for_turn(t);
  // After one side's end the other has little time: from now on its silence counts by half_close_ms.
  const std::uint64_t half_closed_end = loop.turn_ms() + options.half_close_ms;
  if ((t.way[0].eof || t.way[1].eof) && t.timer.deadline_ms > half_closed_end)
    set_deadline(t, half_closed_end);
  return bytes;
}

void Engine::Impl::wait_for_turn(Tunnel& t) {
  t.ready = true;
  t.next_ready = nullptr;
  *ready_tail = &t;
  ready_tail = &t.next_ready;
  loop.at_end_of_turn(after_turn);
}

// The one way out of a tunnel. Events of this batch may still name it, so its slot is freed after the batch.
void Engine::Impl::end(Tunnel& t, Who who, Why why) {
  if (t.closing) return;
  t.closing = true;
  loop.cancel_guest_timer(t.timer);
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
  loop.at_end_of_turn(after_turn);
}

void Engine::Impl::bury() {
  std::size_t kept = 0;
  for (Tunnel* t : doomed) {
    if (t->ready) {  // the list still names it
      doomed[kept++] = t;
      continue;
    }
    ::close(t->fd[0]);
    ::close(t->fd[1]);
    slab.give_back(t);
  }
  doomed.resize(kept);
}

void Engine::Impl::end_turn() {
  moved = 0;
  run_ready();
  bury();
  totals.buffered.store(buffers.held(), std::memory_order_relaxed);
}

// In turn, who yields again behind all others. The loop does not sleep while somebody is left.
void Engine::Impl::run_ready() {
  std::uint64_t bytes = 0;
  while (ready != nullptr && bytes < kShare) {
    Tunnel& t = *ready;
    ready = t.next_ready;
    if (ready == nullptr) ready_tail = &ready;
    t.ready = false;
    if (!t.closing) bytes += serve(t);
  }
  if (ready != nullptr) loop.at_end_of_turn(after_turn);
}

// Activity moves no timer; the deadline is looked at again when it comes.
void Engine::Impl::on_deadline(net::TimerNode& node) {
  Tunnel& t = reinterpret_cast<Tunnel&>(node);
  if (t.draining) return end(t, Who::proxy, Why::drain);
  const bool half_closed = t.way[0].eof || t.way[1].eof;
  const std::uint64_t allowed = half_closed ? std::min(t.idle_ms, options.half_close_ms) : t.idle_ms;
  if (loop.turn_ms() - t.active_ms >= allowed) return end(t, Who::proxy, Why::idle);
  set_deadline(t, t.active_ms + allowed);
}

void Engine::Impl::drain(std::uint64_t window_ms) {
  const std::uint64_t now = loop.turn_ms();
  draining = true;
  drain_end_ms = now + window_ms;
  std::uint64_t count = 0, i = 0;
  for (Tunnel* t = first; t != nullptr; t = t->next) ++count;
  for (Tunnel* t = first; t != nullptr; t = t->next) {
    t->draining = true;
    set_deadline(*t, now + window_ms * ++i / (count + 1));
  }
}

void Engine::Impl::close_server(std::uint32_t server_serial) {
  for (Tunnel* t = first; t != nullptr;) {
    Tunnel& each = *std::exchange(t, t->next);
    if (each.server_serial == server_serial && each.close_on_server_down)
      end(each, Who::server, Why::server_down);
  }
}

void Engine::Impl::close_part(std::uint32_t server_serial, std::uint64_t of) {
  const auto closes = [server_serial](const Tunnel& t) {
    return t.server_serial == server_serial && t.close_on_server_down;
  };
  std::uint64_t count = 0;
  for (const Tunnel* t = first; t != nullptr; t = t->next) count += closes(*t) ? 1 : 0;
  std::uint64_t left = (count + of - 1) / of;
  for (Tunnel* t = first; t != nullptr && left > 0;) {
    Tunnel& each = *std::exchange(t, t->next);
    if (!closes(each)) continue;
    end(each, Who::proxy, Why::drain);
    --left;
  }
}

void Engine::Impl::close_all() {
  while (first != nullptr) end(*first, Who::proxy, Why::drain);
}

// --- interface ---

Engine::Engine(net::Loop& loop, std::span<char> scratch, Options options)
    : impl_(std::make_unique<Impl>(loop, scratch, options)) {}

Engine::~Engine() {
  impl_->close_all();
  while (impl_->ready != nullptr) impl_->run_ready();
  impl_->bury();
}

void Engine::adopt(Handover handover) {
  impl_->adopt(std::move(handover));
}

void Engine::drain(std::uint64_t window_ms) {
  impl_->drain(window_ms);
}

void Engine::close_server(std::uint32_t server_serial) {
  impl_->close_server(server_serial);
}

void Engine::close_part(std::uint32_t server_serial, std::uint64_t of) {
  impl_->close_part(server_serial, of);
}

void Engine::close_all() {
  impl_->close_all();
}

// In this order: a tunnel that comes and goes in between must not count as minus one.
std::uint64_t Engine::open() const {
  const std::uint64_t ended = impl_->totals.ended.get();
  std::atomic_thread_fence(std::memory_order_acquire);
  return impl_->adopted.load(std::memory_order_relaxed) - ended;
}

const Totals& Engine::totals() const {
  return impl_->totals;
}

}  // namespace limpet::tunnel
