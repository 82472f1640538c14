// Connecting: one socket to one address, and Connect, which tries a server's addresses in turn.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "proxy/net/stream.h"
#include "proxy/net/target.h"
#include "proxy/wire/ip_address.h"

namespace limpet::net {

// TCP_NODELAY, TCP_USER_TIMEOUT 60 s, keep-alive 60 s + 3 x 10 s but on loopback; nothing on a Unix socket.
void tune_socket(int fd, const Address& address);

// errno values that are our own shortage, and say nothing of the server.
bool is_local_shortage(int error);  // EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN

// What the connection is for: bytes that may go out before anybody has waited for it. Within this host a
// connect has mostly ended when connect() returns, and a write tells whether it has. `with_syn`: in the SYN,
// too (TCP Fast Open), where the kernel and the server agree to it; the server may then have seen them even
// if the connect fails, and may see them twice.
struct Early {
  std::string_view bytes;
  bool with_syn = false;
};

// Starts a non-blocking connect. The result is writable (or broken) when it has ended; take_error() says how.
// `from` is the local address, or nullptr. Tuned as above; with `from` also
// IP_BIND_ADDRESS_NO_PORT. A failure at once gives an empty Stream and `error`.
struct ConnectStart {
  Stream stream;
  int error = 0;
  bool done = false;           // connected already (Unix sockets, loopback)
  bool busy = false;           // a Unix socket's server has not accepted what came before: to be tried again
  std::size_t early_sent = 0;  // of `early`
};
ConnectStart start_connect(Loop& loop, const Address& to, const wire::IpAddress* from = nullptr,
                           const Early& early = {});

// One connect to one server, its addresses in turn, under one deadline. Only on the loop's thread.
class Connect {
 public:
  Connect(Loop& loop, Delegate done);

  // True: ended at once. False: `done` will be called, once. Then stream() holds the connection, or error()
  // says why not (an errno; ETIMEDOUT for the deadline). Each address gets an equal part of what is left of
  // `within_ms`. `sources` are local addresses, tried from `turn` on while the kernel has no port left on
  // one. The bytes of `early` must last until the end.
  bool start(std::shared_ptr<const Target::Addresses> addresses, std::span<const wire::IpAddress> sources,
             std::uint32_t turn, std::uint64_t within_ms, const Early& early = {});
  void cancel();  // `done` will not be called
  bool running() const { return running_; }

  Stream& stream() { return stream_; }
  int error() const { return error_; }
  std::size_t early_sent() const { return early_sent_; }  // on the connection that stream() holds
  const Address& address() const { return address_; }     // the last that was tried

 private:
  void try_next();
  bool try_one();
  ConnectStart open(const Address& to) const;
  void on_writable();
  void on_expiry();
  void finish(int error);

  Loop& loop_;
  Delegate done_;
  Timer timer_;
  std::shared_ptr<const Target::Addresses> addresses_;
  std::span<const wire::IpAddress> sources_;
  Early early_;
  std::size_t early_sent_ = 0;
  Address address_;
  std::size_t next_ = 0;
  std::uint64_t deadline_ms_ = 0;
  std::uint64_t turn_ends_ms_ = 0;  // of this address
  std::uint32_t turn_ = 0;
  int error_ = 0;
  bool running_ = false;
  bool starting_ = false;  // within start(): the caller is told by its result
  bool busy_ = false;      // no socket now: this address is tried again when the timer ends
  Stream stream_;
};

}  // namespace limpet::net
