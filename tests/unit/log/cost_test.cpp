// What a line costs its thread. Prints nanoseconds (`unit_log --gtest_filter='LogCost.*'`, release preset).
#include <chrono>
#include <cstdio>

#include "proxy/log/access_line.h"
#include "tests/unit/log/logs.h"

namespace limpet::log {
namespace {

struct LogCost : Logs {
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "figures of a sanitizer's build say nothing";
#endif
  }
  static AccessRecord usual() {
    AccessRecord r = plain_record();
    r.user_agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
        "Safari/537.36";
    return r;
  }
};

// The best of five runs.
template <class Step>
double nanoseconds(int count, Step step) {
  double best = 1e18;
  for (int run = 0; run < 5; ++run) {
    const auto began = std::chrono::steady_clock::now();
    for (int n = 0; n < count; ++n) step();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    best = std::min(best, took.count() / count);
  }
  return best;
}

TEST_F(LogCost, OfFormatting) {
  for (const bool json : {false, true}) {
    std::size_t bytes = 0;
    const double cost = nanoseconds(20'000, [&] {
      Line line;
      bytes = format_access(line, usual(), json).size();
    });
    std::printf("format_access, %s: %4.0f ns for %zu bytes\n", json ? "json" : "text", cost, bytes);
    EXPECT_LT(cost, 50'000);
  }
}

TEST_F(LogCost, OfAnAccessLine) {
  for (const bool json : {false, true}) {
    settings.json = json;
    settings.access_file = "/dev/null";
    start(settings);
    // Bursts that fit into the lane, as a worker makes them; then one long run that the writer has to follow.
    const double burst = nanoseconds(500, [] { access(usual()); });
    const std::uint64_t before = dropped();
    const double run = nanoseconds(100'000, [] { access(usual()); });
    std::printf("access, %s: %4.0f ns in a burst, %4.0f ns in a run of 100000 (%.1f %% dropped)\n",
                json ? "json" : "text", burst, run, static_cast<double>(dropped() - before) / 5'000.0);
    EXPECT_LT(burst, 50'000);
    stop();
  }
}

}  // namespace
}  // namespace limpet::log
