#include "proxy/upstream/idle_pool.h"

namespace limpet::upstream {

void IdlePool::Entry::end() {
  pool.release(pool.servers_[serial], self);
}

// Closed, if it still holds its connection.
void IdlePool::release(Entries& idle, Entries::iterator entry) {
  entry->expiry.cancel();
  entry->stream.close();
  if (spare_.size() < kMostPerServer) {
    spare_.splice(spare_.end(), idle, entry);
  } else {
    idle.erase(entry);
  }
}

// Looked at first: one that has closed is of no use, and bytes that nobody asked for must not become the next
// request's answer.
net::Stream IdlePool::take(std::uint32_t server_serial) {
  const auto found = servers_.find(server_serial);
  if (found == servers_.end()) return {};
  Entries& idle = found->second;
  while (!idle.empty()) {
    net::Stream stream = std::move(idle.back().stream);
    release(idle, std::prev(idle.end()));
    stream.cancel_read();
    char byte;
    if (stream.peek({&byte, 1}).status == net::Io::again) return stream;
  }
  return {};
}

void IdlePool::put(std::uint32_t server_serial, net::Stream stream, std::uint64_t keep_ms) {
  if (keep_ms == 0) return;
  Entries& idle = servers_[server_serial];
  if (idle.size() >= kMostPerServer) release(idle, idle.begin());
  if (spare_.empty()) spare_.emplace_back(*this);
  idle.splice(idle.end(), spare_, spare_.begin());
  Entry& entry = idle.back();
  entry.self = std::prev(idle.end());
  entry.serial = server_serial;
  entry.stream = std::move(stream);
  entry.stream.wait_read(net::delegate<&Entry::end>(&entry));
  entry.expiry.after(keep_ms);
}

void IdlePool::drop(std::uint32_t server_serial) {
  servers_.erase(server_serial);
}

void IdlePool::clear() {
  servers_.clear();
  spare_.clear();
}

std::size_t IdlePool::size() const {
  std::size_t total = 0;
  for (const auto& [serial, idle] : servers_) total += idle.size();
  return total;
}

}  // namespace limpet::upstream
