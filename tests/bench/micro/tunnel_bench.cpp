// What the tunnel engine adds to recv and send, by the number of tunnels: finding the tunnel that an event
// names, and relaying. The kernel here takes and gives 32 bytes a call and costs nothing.
#include <benchmark/benchmark.h>

#include <sys/epoll.h>

#include <cstdint>
#include <vector>

#include "proxy/tunnel/relay.h"
#include "proxy/tunnel/slab.h"

namespace limpet::tunnel {
namespace {

struct NoKernel {
  ssize_t recv(int, char*, std::size_t) { return 32; }
  ssize_t send(int, const char*, std::size_t size) { return static_cast<ssize_t>(size); }
  void shutdown_write(int) {}
};

void tunnels(benchmark::internal::Benchmark* bench) {
  for (const int count : {100, 1000, 4000, 8000, 16'000, 100'000}) bench->Arg(count);
}

// Tunnels in the order in which a long day leaves them: their slots have no order any more.
struct World {
  explicit World(std::int64_t count) : buffer(128 * 1024) {
    for (std::int64_t i = 0; i < count; ++i) open.push_back(slab.take());
    for (std::size_t i = open.size() - 1; i > 0; --i) {
      std::swap(open[i], open[i * 0x9e3779b97f4a7c15 % (i + 1)]);
    }
  }
  NoKernel kernel;
  Buffers buffers;
  std::vector<char> buffer;
  Relay<NoKernel> relay{kernel, buffers, {buffer.data(), buffer.size()}};
  Slab slab;
  std::vector<Tunnel*> open;
};

void tunnel_event(benchmark::State& state) {
  World world(state.range(0));
  std::vector<std::uint32_t> events;  // as epoll gives them: a number, not the tunnel
  for (const Tunnel* t : world.open) events.push_back(t->index << 1);
  std::size_t n = 0;
  for (auto _ : state) {
    const std::uint32_t event = events[n];
    if (++n == events.size()) n = 0;
    Tunnel* t = world.slab.at(event >> 1);
    if (t == nullptr || t->generation != 0 || t->closing) continue;
    t->active_ms = n;
    world.relay.note(*t, static_cast<int>(event & 1), EPOLLIN);
    benchmark::DoNotOptimize(world.relay.resume(*t));
  }
}
BENCHMARK(tunnel_event)->Apply(tunnels);

void tunnel_slot(benchmark::State& state) {
  World world(state.range(0));
  for (auto _ : state) {
    Tunnel* t = world.slab.take();
    benchmark::DoNotOptimize(t);
    world.slab.give_back(t);
  }
}
BENCHMARK(tunnel_slot)->Apply(tunnels);

}  // namespace
}  // namespace limpet::tunnel
