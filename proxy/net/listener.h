// Listening sockets: bound by the control thread, accepted from by workers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/net/cpus.h"
#include "proxy/net/fd.h"
#include "proxy/net/loop.h"

namespace limpet::net {

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: no file
  bool operator==(const FileId&) const = default;
};

// One address's sockets. TCP: first bound once without SO_REUSEPORT, so that an address in use is an error
// (with the holder's pid where /proc shows it), then `workers` sockets with it. Unix: one socket that all
// share; a stale file is removed only if nobody answers on it.
struct BoundListener {
  Address address;          // with the port that the kernel chose
  std::vector<Fd> sockets;  // one a worker; a Unix socket is duplicated
  FileId file;              // of a Unix socket
  std::string error;        // what went wrong, empty if nothing
};
BoundListener bind_listener(const Address& address, std::uint32_t workers, std::uint32_t unix_mode = 0666);
// Removes a Unix socket's file, unless it is another's by now: a successor may have bound the same path.
void remove_file(BoundListener& listener);

// Connections go to the socket whose CPU, in `cpus`, they come in on; those of another CPU by hash, as
// before. A Unix socket is shared as it is. Returns what went wrong, or nothing.
std::string balance_by_cpu(const BoundListener& listener, std::span<const Cpu> cpus);

// Accepts on one worker. When descriptors run out it closes a reserve descriptor to accept and answer one
// connection with a 503; without a reserve it backs off; it never spins.
class Acceptor {
 public:
  using OnAccept = std::function<void(Fd, const Address& peer)>;
  Acceptor(Loop& loop, Fd listening, OnAccept on_accept);
  ~Acceptor();
  void start();
  void accept_all();  // empties the queue now, for shutdown; at most 4096
  void close();
  std::uint64_t refused() const;  // for want of descriptors; any thread

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace limpet::net
