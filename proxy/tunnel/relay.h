// Relay: the byte path of a tunnel. One `recv` and one `send` a message, nothing else while both sides keep
// up.
//
// Edge-triggered: events set flags, bytes move until a socket says it is empty or full. Backpressure is the
// absence of a read: while a side has not taken what was read for it, nothing more is read for it, so at most
// one buffer a direction is ever held. Kernel is the system, or a test's that splits, shortens and fails
// every call; its recv and send return a byte count or -errno.
#pragma once

#include <errno.h>
#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "proxy/tunnel/buffers.h"
#include "proxy/tunnel/tunnel.h"

namespace limpet::tunnel {

enum class Verdict : std::uint8_t {
  waiting,  // for the next event
  yielded,  // more to do, but others have a turn first: call resume()
  over,     // both directions are done
};

template <class Kernel>
class Relay {
 public:
  static constexpr std::size_t kMostPerTurn = 128 * 1024;  // bytes, each direction, before others have a turn

  Relay(Kernel& kernel, Buffers& buffers, std::span<char> scratch, std::size_t most_per_turn = kMostPerTurn)
      : kernel_(kernel), buffers_(buffers), scratch_(scratch), most_per_turn_(most_per_turn) {}

  // `events` are epoll's for the socket of `side`. Nothing moves before resume().
  void note(Tunnel& t, int side, std::uint32_t events) {
    constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if (events & (EPOLLIN | kEnd)) t.way[side].readable = true;
    if (events & kEnd) t.way[side].ending = true;
  }

  Verdict resume(Tunnel& t) {
    bool more = move(t, 0);
    more |= move(t, 1);
    if (t.way[0].shut && t.way[1].shut) return Verdict::over;
    return more ? Verdict::yielded : Verdict::waiting;
  }

  void release(Tunnel& t) {
    for (Way& way : t.way) drop_pending(way);
  }

 private:
  // Moves what there is from side s to the other; true if it stopped for fairness alone.
  bool move(Tunnel& t, int s) {
    Way& way = t.way[s];
    if (way.pending != nullptr && !flush(t, s)) return false;
    std::size_t moved = 0;
    while (way.readable && !way.eof && !way.shut) {
      if (moved >= most_per_turn_) return true;
      const ssize_t got = kernel_.recv(t.fd[s], scratch_.data(), scratch_.size());
      if (got == -EAGAIN) {
        way.readable = false;
        break;
      }
      if (got == -EINTR) continue;
      if (got <= 0) {
        on_source_end(t, s, got < 0);
        break;
      }
      moved += static_cast<std::size_t>(got);
      way.bytes += static_cast<std::size_t>(got);
      // Less than there was room for: the socket is empty, and what comes next comes with an event. Only an
      // end that was announced before this read has no event of its own any more.
      if (static_cast<std::size_t>(got) < scratch_.size() && !way.ending) way.readable = false;
      if (!pass_on(t, s, scratch_.data(), static_cast<std::size_t>(got))) break;
    }
    if (way.eof && way.pending == nullptr && !way.shut) tell_end(t, s);
    return false;
  }

  // False if the other side did not take all of it (the rest is kept) or is gone.
  bool pass_on(Tunnel& t, int s, const char* bytes, std::size_t size) {
    std::size_t sent = 0;
    while (sent < size) {
      const ssize_t took = kernel_.send(t.fd[1 - s], bytes + sent, size - sent);
      if (took == -EINTR) continue;
      if (took == -EAGAIN || took == 0) break;
      if (took < 0) {
        on_broken(t, 1 - s);
        return false;
      }
      sent += static_cast<std::size_t>(took);
      if (sent < size) break;  // full: its next room comes with an event
    }
    if (sent == size) return true;
    t.way[s].pending = buffers_.keep(bytes + sent, size - sent);
    // Room may have come between the short send and now only with an event, which is still to be delivered.
    return false;
  }

  bool flush(Tunnel& t, int s) {
    Way& way = t.way[s];
    Pending& p = *way.pending;
    while (p.size() > 0) {
      const ssize_t took = kernel_.send(t.fd[1 - s], p.bytes() + p.begin, p.size());
      if (took == -EINTR) continue;
      if (took == -EAGAIN || took == 0) return false;
      if (took < 0) {
        on_broken(t, 1 - s);
        return false;
      }
      p.begin += static_cast<std::uint32_t>(took);
    }
    drop_pending(way);
    return true;
  }

  // The end of what side s sends. A broken side takes nothing any more either; what it sent before is still
  // delivered.
  void on_source_end(Tunnel& t, int s, bool broken) {
    note_first(t, s, broken ? Why::reset : Why::eof);
    t.way[s].eof = true;
    t.way[s].readable = false;
    if (broken) end_way(t.way[1 - s]);
  }

  // Side s does not take bytes any more: its connection was reset.
  void on_broken(Tunnel& t, int s) {
    note_first(t, s, Why::reset);
    end_way(t.way[1 - s]);
    Way& from = t.way[s];
    if (!from.eof)
      from.readable = from.ending = true;  // the kernel may hold bytes of it, and then says the error
  }

  void tell_end(Tunnel& t, int s) {
    t.way[s].shut = true;
    if (!t.way[1 - s].shut) kernel_.shutdown_write(t.fd[1 - s]);
  }

  void end_way(Way& way) {
    drop_pending(way);
    way.eof = way.shut = true;
    way.readable = false;
  }

  void note_first(Tunnel& t, int s, Why why) {
    if (t.first != Who::proxy) return;
    t.first = s == 0 ? Who::client : Who::server;
    t.why = why;
  }

  void drop_pending(Way& way) {
    if (way.pending == nullptr) return;
    buffers_.give_back(way.pending);
    way.pending = nullptr;
  }

  Kernel& kernel_;
  Buffers& buffers_;
  std::span<char> scratch_;
  const std::size_t most_per_turn_;
};

}  // namespace limpet::tunnel
