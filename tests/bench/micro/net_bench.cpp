// What a deadline costs, by the number of deadlines.
#include <benchmark/benchmark.h>

#include <vector>

#include "proxy/net/timer_wheel.h"

namespace limpet::net {
namespace {

void timers(benchmark::internal::Benchmark* bench) {
  for (const int count : {100, 1000, 4000, 16'000, 100'000, 1'000'000}) bench->Arg(count);
}

// So many timers that stand, spread over a minute.
struct World {
  explicit World(std::int64_t count) : nodes(static_cast<std::size_t>(count)) {
    for (std::size_t i = 0; i < nodes.size(); ++i) wheel.set(nodes[i], later(i));
  }
  ~World() {
    for (TimerNode& node : nodes) wheel.cancel(node);
  }
  std::uint64_t later(std::uint64_t n) const { return now + 1 + n * 7919 % 60'000; }
  std::uint64_t now = 1'000'000;
  TimerWheel wheel{now};
  std::vector<TimerNode> nodes;
};

void timer_set(benchmark::State& state) {
  World world(state.range(0));
  std::uint64_t n = 0;
  for (auto _ : state) {
    n += 0x9e3779b97f4a7c15;
    world.wheel.set(world.nodes[(n >> 20) % world.nodes.size()], world.later(n >> 40));
  }
}
BENCHMARK(timer_set)->Apply(timers);

// One that comes, and is set again for a minute later at most: the wheel's turns are in it.
void timer_expired(benchmark::State& state) {
  World world(state.range(0));
  std::uint64_t n = 0;
  for (auto _ : state) {
    TimerNode* node = world.wheel.expire(world.now);
    while (node == nullptr) {
      world.now = *world.wheel.next_ms();
      node = world.wheel.expire(world.now);
    }
    world.wheel.set(*node, world.now + 30'000 + ++n * 7919 % 30'000);
  }
}
BENCHMARK(timer_expired)->Apply(timers);

void timer_next(benchmark::State& state) {
  World world(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(world.wheel.next_ms());
}
BENCHMARK(timer_next)->Apply(timers);

}  // namespace
}  // namespace limpet::net
