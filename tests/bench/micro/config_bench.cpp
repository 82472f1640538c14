// What a start or a reload costs the control thread, by routes: reading, checking, making the snapshot. Each
// route has a host and a pool of its own.
#include <benchmark/benchmark.h>

#include <string>

#include "proxy/config/load.h"
#include "proxy/config/snapshot.h"

namespace limpet::config {
namespace {

std::string document(std::int64_t routes) {
  std::string text = "[[listener]]\naddress = \"127.0.0.1:0\"\n";
  for (std::int64_t i = 0; i < routes; ++i) {
    const std::string n = std::to_string(i);
    text += "[[route]]\nhosts = [\"h" + n + ".example.org\"]\npool = \"p" + n + "\"\n[pool.p" + n +
            "]\nservers = [\"a=127.0.0.1:3000\"]\n";
  }
  return text;
}

void configuration(benchmark::State& state) {
  const std::string text = document(state.range(0));
  std::shared_ptr<const Snapshot> previous;
  for (auto _ : state) {
    const Loaded loaded = load_text(text, "bench.toml");
    if (!loaded.config) return state.SkipWithError("refused");
    previous = build_snapshot(loaded.config, previous.get());
  }
}
BENCHMARK(configuration)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace limpet::config
