// Stream: a connected, non-blocking socket on a Loop. Reads and writes are immediate; waiting is explicit.
// Waiting costs no system call but the first one of a direction: a read that was short, or found nothing, has
// said that the next bytes bring an event.
//
// Owned by one object, touched on the loop's thread only. One waiter a direction. A waiter is called once per
// wait; it may destroy the Stream. After close(), move_to_guest() or destruction no waiter is called. (TLS
// will stand behind the same four verbs.)
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "proxy/net/address.h"
#include "proxy/net/delegate.h"
#include "proxy/net/fd.h"
#include "proxy/net/loop.h"

namespace limpet::net {

enum class Io : std::uint8_t { ok, again, eof, error };

struct IoResult {
  Io status = Io::again;
  int error = 0;          // errno, if status is error
  std::size_t bytes = 0;  // if ok
};

struct Watch;

class Stream {
 public:
  Stream() = default;         // empty: no socket
  Stream(Loop& loop, Fd fd);  // the descriptor is non-blocking
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  explicit operator bool() const { return watch_ != nullptr; }
  int fd() const;

  IoResult read(std::span<char> into);
  IoResult peek(std::span<char> into);          // MSG_PEEK
  IoResult write(std::span<const char> bytes);  // may be short
  IoResult write(std::span<const iovec> pieces);
  void wait_read(Delegate then);  // readable, at its end, or broken
  void wait_write(Delegate then);
  void cancel_read();  // forget the waiter
  void cancel_write();
  void drained();  // a call of the owner's own on fd() found that there is nothing more to read

  std::size_t unsent() const;  // bytes written that the peer has not acknowledged; 0 if that is not known
  // How much to read elsewhere at once in order to write it here, at most `most`: what the send buffer has
  // room for. What it does not take has to be kept, so a slow reader is given little and holds some 4 KiB,
  // not a whole read.
  std::size_t appetite(std::size_t most) const;

  int take_error();  // SO_ERROR: how a connect ended, once it is writable
  void shutdown_write();
  void close();  // orderly; unread input makes the kernel send a reset
  void reset();  // closes with RST, so that the peer does not take a cut body for a whole one
  // To the loop's guest, whole: its events name `token` from now on, what is readable already included. The
  // caller owns the socket; `taken` is false if the set would not have it.
  Fd move_to_guest(std::uint64_t token, bool& taken);

 private:
  Watch* watch_ = nullptr;
};

}  // namespace limpet::net
