// What a decision costs. Prints nanoseconds (`unit_routing --gtest_filter='Cost.*'`, release preset) and
// fails only where a cost is of the wrong order, so that a busy machine does not.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "routing/route_table.h"
#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

class Cost : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "figures of a sanitizer's build say nothing";
#endif
  }
};

// The best of five runs of `count` calls of step(n).
template <class Step>
double nanoseconds(std::uint32_t count, Step step) {
  double best = 1e18;
  for (int run = 0; run < 5; ++run) {
    const auto began = std::chrono::steady_clock::now();
    for (std::uint32_t n = 0; n < count; ++n) step(n);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    best = std::min(best, took.count() / count);
  }
  return best;
}

double cost_of(Kind kind, PoolSettings with, int servers, std::uint32_t load, bool known = true) {
  const Pool pool(std::move(with), members(servers));
  for (const Member& each : pool.members()) set_load(each, load);
  SidTable sids(1000);
  Chooser chooser(sids, 1);
  return nanoseconds(servers > 100 ? 500 : 5'000, [&](std::uint32_t n) {
    Ask ask;
    ask.kind = kind;
    if (known) ask.client = client(n);
    ask.now_ms = 1;
    ASSERT_NE(chooser.choose(pool, ask).member, nullptr);
  });
}

TEST_F(Cost, Source) {
  for (const int servers : {3, 100, 1000}) {
    std::printf("source, %4d servers: %7.0f ns idle, %7.0f ns with loads to bound\n", servers,
                cost_of(Kind::begins, settings(), servers, 0),
                cost_of(Kind::begins, settings(), servers, 500));
  }
}

TEST_F(Cost, Balance) {
  for (const int servers : {3, 100, 1000}) {
    std::printf("balance, %4d servers:", servers);
    for (const Balance each : {Balance::least_connections, Balance::round_robin, Balance::random_two}) {
      std::printf(" %7.0f ns", cost_of(Kind::begins, balanced(each), servers, 5));
    }
    std::printf(" (least_connections, round_robin, random_two)\n");
  }
}

TEST_F(Cost, SelfNamingSidAndCookie) {
  const Pool pool(settings(), members(100));
  SidTable sids(1000);
  Chooser chooser(sids, 1);
  Ask ask;
  ask.kind = Kind::belongs;
  const std::string sid = self_named("ws50");
  ask.sid = sid;
  const double by_sid =
      nanoseconds(100'000, [&](std::uint32_t) { ASSERT_EQ(chooser.choose(pool, ask).by, By::sid); });
  ask.kind = Kind::begins;
  const std::string_view cookie = "ws50";
  ask.cookies = {&cookie, 1};
  const double by_cookie =
      nanoseconds(100'000, [&](std::uint32_t) { ASSERT_EQ(chooser.choose(pool, ask).by, By::cookie); });
  std::printf("self-naming sid: %.0f ns, cookie: %.0f ns\n", by_sid, by_cookie);
}

TEST_F(Cost, SidTable) {
  constexpr std::uint32_t most = 1'000'000;
  SidTable table(most);
  char sid[24];
  const auto name = [&](std::uint64_t n) {  // 20 characters, as engine.io makes them
    std::snprintf(sid, sizeof sid, "%016llxAAAB", static_cast<unsigned long long>(n * 0x9e3779b97f4a7c15));
    return std::string_view(sid, 20);
  };
  const double naming = nanoseconds(100'000, [&](std::uint32_t n) { ASSERT_EQ(name(n).size(), 20u); });
  const auto began = std::chrono::steady_clock::now();
  for (std::uint32_t n = 0; n < most; ++n) table.learn(name(n), 1, client(n), 45'000, 1);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  Random random{1};
  const double hit = nanoseconds(200'000, [&](std::uint32_t) { table.touch(name(random.below(most)), 2); });
  const double miss = nanoseconds(200'000, [&](std::uint32_t n) { table.touch(name(most + n), 2); });
  const double hot = nanoseconds(200'000, [&](std::uint32_t n) { table.touch(name(n % 1000), 2); });
  std::printf(
      "sid table of 10^6: learn %.0f ns, touch %.0f ns (%.0f in cache), unknown %.0f ns, %zu bytes an "
      "entry\n",
      took.count() / most - naming, hit - naming, hot - naming, miss - naming, table.bytes_per_entry());
}

double lookup(std::uint32_t routes) {
  std::vector<RouteRule> rules;
  for (std::uint32_t i = 0; i < routes; ++i) {
    rules.push_back({{"h" + std::to_string(i / 2) + ".example.org"}, i % 2 == 0 ? "/" : "/socket.io/", i});
  }
  rules.push_back({{"*.example.net"}, "/", 0});
  const RouteTable table(rules);
  const std::string host = "h" + std::to_string(routes / 4) + ".example.org";
  return nanoseconds(100'000, [&](std::uint32_t) { ASSERT_TRUE(table.find(host, "/socket.io/?EIO=4")); });
}

TEST_F(Cost, TenThousandRoutesCostWhatTenDo) {
  const double ten = lookup(10), many = lookup(10'000);
  std::printf("route of 10: %.0f ns, of 10000: %.0f ns\n", ten, many);
  EXPECT_LT(many, 10 * ten + 1000);
}

}  // namespace
}  // namespace limpet::routing
