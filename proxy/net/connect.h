// Connect: one connect to one server, its addresses in turn, under one deadline. Only on the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "proxy/net/stream.h"
#include "proxy/net/target.h"
#include "proxy/wire/ip_address.h"

namespace limpet::upstream {

class Connect {
 public:
  Connect(net::Loop& loop, net::Delegate done);

  // True: ended at once. False: `done` will be called, once. Then stream() holds the connection, or error()
  // says why not (an errno; ETIMEDOUT for the deadline). Each address gets an equal part of what is left of
  // `within_ms`. `sources` are local addresses, tried from `turn` on while the kernel has no port left on
  // one.
  bool start(std::shared_ptr<const net::Target::Addresses> addresses,
             std::span<const wire::IpAddress> sources, std::uint32_t turn, std::uint64_t within_ms);
  void cancel();  // `done` will not be called
  bool running() const { return running_; }

  net::Stream& stream() { return stream_; }
  int error() const { return error_; }

 private:
  void try_next();
  net::ConnectStart open(const net::Address& to) const;
  void on_writable();
  void on_expiry();
  void finish(int error);

  net::Loop& loop_;
  net::Delegate done_;
  net::Timer timer_;
  std::shared_ptr<const net::Target::Addresses> addresses_;
  std::span<const wire::IpAddress> sources_;
  std::size_t next_ = 0;
  std::uint64_t deadline_ms_ = 0;
  std::uint32_t turn_ = 0;
  int error_ = 0;
  bool running_ = false;
  bool starting_ = false;  // within start(): the caller is told by its result
  net::Stream stream_;
};

}  // namespace limpet::upstream
