#include "proxy/upstream/idle_pool.h"

namespace limpet::upstream {

void IdlePool::Entry::end() {
  pool.servers_[serial].erase(self);
}

// Looked at first: one that has closed is of no use, and bytes that nobody asked for must not become the next
// request's answer.
net::Stream IdlePool::take(std::uint32_t server_serial) {
  const auto found = servers_.find(server_serial);
  if (found == servers_.end()) return {};
  std::list<Entry>& idle = found->second;
  while (!idle.empty()) {
    net::Stream stream = std::move(idle.back().stream);
    idle.pop_back();
    stream.cancel_read();
    char byte;
    if (stream.peek({&byte, 1}).status == net::Io::again) return stream;
  }
  return {};
}

void IdlePool::put(std::uint32_t server_serial, net::Stream stream, std::uint64_t keep_ms) {
  if (keep_ms == 0) return;
  std::list<Entry>& idle = servers_[server_serial];
  if (idle.size() >= kMostPerServer) idle.pop_front();
  Entry& entry = idle.emplace_back(*this, server_serial, std::move(stream));
  entry.self = std::prev(idle.end());
  entry.stream.wait_read(net::delegate<&Entry::end>(&entry));
  entry.expiry.after(keep_ms);
}

void IdlePool::drop(std::uint32_t server_serial) {
  servers_.erase(server_serial);
}

std::size_t IdlePool::size() const {
  std::size_t total = 0;
  for (const auto& [serial, idle] : servers_) total += idle.size();
  return total;
}

}  // namespace limpet::upstream
