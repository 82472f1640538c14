// What a look at the table of routes costs, by routes, and one at the table of sids, by entries.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/route_table.h"
#include "routing/sid_table.h"
#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

// --- routes ---

void routes(benchmark::internal::Benchmark* bench) {
  for (const int count : {1, 10, 100, 1000, 10'000}) bench->Arg(count);
}

std::string host_of(std::int64_t i) {
  return "h" + std::to_string(i) + ".example.org";
}

// Asks for all of `hosts` in turn, in an order that no cache foresees.
void look_up(benchmark::State& state, const RouteTable& table, const std::vector<std::string>& hosts,
             const std::vector<std::string>& paths) {
  std::uint64_t n = 0;
  for (auto _ : state) {
    n += 0x9e3779b97f4a7c15;
    const auto found = table.find(hosts[(n >> 32) % hosts.size()], paths[(n >> 32) % paths.size()]);
    if (!found) state.SkipWithError("no route");
    benchmark::DoNotOptimize(found);
  }
}

void route_exact(benchmark::State& state) {
  std::vector<RouteRule> rules;
  std::vector<std::string> hosts;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    hosts.push_back(host_of(i));
    rules.push_back({{hosts.back()}, "/", static_cast<std::uint32_t>(i)});
  }
  look_up(state, RouteTable(rules), hosts, {"/socket.io/?EIO=4&transport=websocket"});
}
BENCHMARK(route_exact)->Apply(routes);

void route_wildcard(benchmark::State& state) {
  std::vector<RouteRule> rules;
  std::vector<std::string> hosts;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    hosts.push_back("a.room." + host_of(i));
    rules.push_back({{"*." + host_of(i)}, "/", static_cast<std::uint32_t>(i)});
  }
  look_up(state, RouteTable(rules), hosts, {"/socket.io/?EIO=4&transport=websocket"});
}
BENCHMARK(route_wildcard)->Apply(routes);

// All paths below one host, of some 15 lengths.
void route_path(benchmark::State& state) {
  std::vector<RouteRule> rules;
  std::vector<std::string> paths;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const std::string path = "/team" + std::to_string(i) + (i % 3 == 0 ? "" : i % 3 == 1 ? "/room" : "/a/b");
    paths.push_back(path + "/socket.io/?EIO=4&transport=websocket");
    rules.push_back({{host_of(0)}, path, static_cast<std::uint32_t>(i)});
  }
  look_up(state, RouteTable(rules), {host_of(0)}, paths);
}
BENCHMARK(route_path)->Apply(routes);

// As many lengths of paths as routes: only those that end where a segment ends are looked up.
void route_path_lengths(benchmark::State& state) {
  std::vector<RouteRule> rules{{{host_of(0)}, "/", 0}};
  for (std::int64_t i = 1; i < state.range(0); ++i) {
    rules.push_back({{host_of(0)}, "/" + std::string(static_cast<std::size_t>(i % 8000), 'a'), 1});
  }
  look_up(state, RouteTable(rules), {host_of(0)}, {"/socket.io/?EIO=4&transport=websocket"});
}
BENCHMARK(route_path_lengths)->Apply(routes);

// --- sids ---

void entries(benchmark::internal::Benchmark* bench) {
  for (const int count : {1000, 10'000, 100'000, 1'000'000}) bench->Arg(count);
}

struct Sid {
  explicit Sid(std::uint64_t n) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    Random random{n};
    const std::uint64_t high = random.next(), low = random.next();
    for (int i = 0; i < 10; ++i) {
      bytes[i] = digits[(high >> (6 * i)) & 63];
      bytes[10 + i] = digits[(low >> (6 * i)) & 63];
    }
  }
  operator std::string_view() const { return {bytes, sizeof bytes}; }
  char bytes[20];
};

// A full table of so many entries, all of which have settled. Made once.
SidTable& full_table(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<SidTable>> made;
  auto& table = made[count];
  if (table) return *table;
  table = std::make_unique<SidTable>(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) {
    const auto number = static_cast<std::uint32_t>(n);
    table->learn(Sid(number), 1, client(number), 45'000, 1);
    table->touch(Sid(number), 1);
  }
  return *table;
}

void sid_hit(benchmark::State& state) {
  SidTable& table = full_table(state.range(0));
  Random random{1};
  for (auto _ : state) {
    const Sid sid(random.below(static_cast<std::uint64_t>(state.range(0))));
    benchmark::DoNotOptimize(table.touch(sid, 2));
  }
}
BENCHMARK(sid_hit)->Apply(entries);

void sid_miss(benchmark::State& state) {
  SidTable& table = full_table(state.range(0));
  std::uint64_t n = 1ull << 40;
  for (auto _ : state) benchmark::DoNotOptimize(table.touch(Sid(++n), 2));
}
BENCHMARK(sid_miss)->Apply(entries);

// Into a full table: each takes the place of another.
void sid_learn(benchmark::State& state) {
  SidTable& table = full_table(state.range(0));
  std::uint64_t n = 1ull << 41;
  for (auto _ : state) {
    ++n;
    table.learn(Sid(n), 1, client(static_cast<std::uint32_t>(n)), 45'000, 2);
  }
}
BENCHMARK(sid_learn)->Apply(entries);

// What naming a sid costs, which is part of the three above.
void sid_named(benchmark::State& state) {
  std::uint64_t n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Sid(++n));
}
BENCHMARK(sid_named);

}  // namespace
}  // namespace limpet::routing
