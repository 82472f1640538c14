// What choosing a server costs, by the number of servers.
#include <benchmark/benchmark.h>

#include <memory>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

void servers(benchmark::internal::Benchmark* bench) {
  for (const int count : {3, 10, 30, 100, 300, 1000}) bench->Arg(count);
}

// A pool, and a clock that goes on as it does where ten thousand choices are made a second.
struct World {
  explicit World(int count, PoolSettings with = settings()) : pool(std::move(with), members(count)) {}
  void load_all(std::uint32_t load) {
    for (const Member& each : pool.members()) set_load(each, load);
  }
  Choice choose(Kind kind) {
    Ask ask;
    ask.kind = kind;
    ask.client = client(++asked);
    ask.now_ms = 1000 + asked / 10;
    ask.sid = sid;
    if (!cookie.empty()) ask.cookies = {&cookie, 1};
    return chooser.choose(pool, ask);
  }
  void run(benchmark::State& state, Kind kind) {
    for (auto _ : state) {
      const Choice choice = choose(kind);
      if (choice.member == nullptr) state.SkipWithError("refused");
      benchmark::DoNotOptimize(choice);
    }
  }
  const Pool pool;
  SidTable sids{1000};
  Chooser chooser{sids, 1};
  std::string_view sid;
  std::string_view cookie;
  std::uint32_t asked = 0;
};

void source_idle(benchmark::State& state) {
  World(static_cast<int>(state.range(0))).run(state, Kind::begins);
}
BENCHMARK(source_idle)->Apply(servers);

// All above the least bound, so that each choice needs the pool's sums.
void source_bounded(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.load_all(500);
  world.run(state, Kind::begins);
}
BENCHMARK(source_bounded)->Apply(servers);

// A third of the servers is over its bound.
void source_crowded(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.load_all(500);
  for (std::size_t i = 0; i < world.pool.members().size(); i += 3) set_load(world.pool.members()[i], 2000);
  world.run(state, Kind::begins);
}
BENCHMARK(source_crowded)->Apply(servers);

void source_third_down(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  for (std::size_t i = 0; i < world.pool.members().size(); i += 3) {
    set_state(world.pool.members()[i], State::down);
  }
  world.run(state, Kind::begins);
}
BENCHMARK(source_third_down)->Apply(servers);

// Nine of ten down: the first few in order do not do, and all are asked.
void source_most_down(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  for (std::size_t i = 0; i < world.pool.members().size(); ++i) {
    if (i % 10 != 1) set_state(world.pool.members()[i], State::down);
  }
  world.run(state, Kind::begins);
}
BENCHMARK(source_most_down)->Apply(servers);

// As many weights as servers: each draw is weighed by itself.
void source_weighted(benchmark::State& state) {
  std::vector<Member> weighted = members(static_cast<int>(state.range(0)));
  for (std::size_t i = 0; i < weighted.size(); ++i) weighted[i].weight = static_cast<std::uint32_t>(i + 1);
  const Pool pool(settings(), std::move(weighted));
  SidTable sids(1000);
  Chooser chooser(sids, 1);
  Ask ask;
  ask.kind = Kind::begins;
  std::uint32_t asked = 0;
  for (auto _ : state) {
    ask.client = client(++asked);
    benchmark::DoNotOptimize(chooser.choose(pool, ask));
  }
}
BENCHMARK(source_weighted)->Apply(servers);

void sums_taken(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.load_all(500);
  Surveys surveys;
  std::uint64_t now = 0;
  for (auto _ : state) benchmark::DoNotOptimize(surveys.of(world.pool, now += kKeptMs));
}
BENCHMARK(sums_taken)->Apply(servers);

void roster_written(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)), balanced(Balance::least_connections));
  world.load_all(5);
  Rosters rosters;
  Random random{1};
  std::uint64_t now = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rosters.next(world.pool, now += kKeptMs, random));
  }
}
BENCHMARK(roster_written)->Apply(servers);

void sid_unknown(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.sid = "0123456789abcdefghij";
  world.run(state, Kind::belongs);
}
BENCHMARK(sid_unknown)->Apply(servers);

void sid_tag(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  const std::string sid = self_named(world.pool.members().back().server->id);
  world.sid = sid;
  world.run(state, Kind::belongs);
}
BENCHMARK(sid_tag)->Apply(servers);

void cookie(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.cookie = world.pool.members().back().server->id;
  world.run(state, Kind::begins);
}
BENCHMARK(cookie)->Apply(servers);

// Its server above the load from which a cookie is held against twice the bound.
void cookie_bounded(benchmark::State& state) {
  World world(static_cast<int>(state.range(0)));
  world.load_all(500);
  world.cookie = world.pool.members().back().server->id;
  world.run(state, Kind::begins);
}
BENCHMARK(cookie_bounded)->Apply(servers);

void balance(benchmark::State& state, Balance by) {
  World world(static_cast<int>(state.range(0)), balanced(by));
  world.load_all(5);
  world.run(state, Kind::begins);
}
BENCHMARK_CAPTURE(balance, least_connections, Balance::least_connections)->Apply(servers);
BENCHMARK_CAPTURE(balance, round_robin, Balance::round_robin)->Apply(servers);
BENCHMARK_CAPTURE(balance, random_two, Balance::random_two)->Apply(servers);

}  // namespace
}  // namespace limpet::routing
