// What load, limits, slow start and health do to a choice.
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

class Loaded : public Choosing {
 protected:
  Choice ask(const Pool& pool, Kind kind, std::uint32_t from, std::string_view cookie = {}) {
    Ask asked;
    asked.kind = kind;
    asked.client = client(from);
    asked.now_ms = now;
    if (!cookie.empty()) asked.cookies = {&cookie, 1};
    return chooser.choose(pool, asked);
  }
  Choice begins(const Pool& pool, std::uint32_t from = 1) { return ask(pool, Kind::begins, from); }
  std::map<std::string, int> begin_many(const Pool& pool, int count, ClientKey from) {
    std::map<std::string, int> taken;
    for (int i = 0; i < count; ++i) {
      Ask asked;
      asked.kind = Kind::begins;
      asked.client = from;
      asked.now_ms = now;
      const Choice choice = chooser.choose(pool, asked);
      choice.member->server->load.in_use.begin_request();
      ++taken[choice.member->server->id];
    }
    return taken;
  }
};

// --- bounded load ---

TEST_F(Loaded, NobodyIsOverItsBoundWithSixtyFour) {
  const Pool pool(settings(), members(10));
  const auto order = order_of(pool);
  set_load(*order[0], 64);
  EXPECT_EQ(begins(pool).member, order[0]);
  set_load(*order[0], 65);
  EXPECT_EQ(begins(pool).member, order[1]);
}

TEST_F(Loaded, TheBoundIsTheFactorOfAFairShare) {
  const Pool pool(settings(), members(4));
  const auto order = order_of(pool);
  for (const Member* each : order) set_load(*each, 1000);
  set_load(*order[0], 1333);  // 1.25 * 4334 / 4 = 1354.4
  EXPECT_EQ(begins(pool).member, order[0]);
  set_load(*order[0], 1364);  // 1.25 * 4365 / 4 = 1364.1, rounded up
  EXPECT_EQ(begins(pool).member, order[0]);
  set_load(*order[0], 1365);  // 1364.4, rounded up: reached, not passed
  EXPECT_EQ(begins(pool).member, order[0]);
  set_load(*order[0], 1370);  // 1365.9
  EXPECT_EQ(begins(pool).member, order[1]);
}

TEST_F(Loaded, TheBoundGoesByWeight) {
  const Pool pool(settings(), {member("small", 1), member("big", 9)});
  set_load(pool.members()[0], 150);
  set_load(pool.members()[1], 850);
  for (std::uint32_t from = 0; from < 100; ++from) {  // small: 1.25 * 1001 / 10, big: 1.25 * 1001 * 9 / 10
    EXPECT_EQ(begins(pool, from).member, &pool.members()[1]);
  }
}

TEST_F(Loaded, TheBoundIsReckonedOverServersThatTakeNewSessions) {
  const Pool pool(settings(), {member("a"), member("b"), member("c"), backup("d")});
  set_state(pool.members()[2], State::down);
  set_load(pool.members()[2], 400);  // tunnels of a server that went down stay, and count as load
  const auto order = order_of(pool);
  const Member& first =
      order[0] == &pool.members()[0] || order[0] == &pool.members()[1] ? *order[0] : *order[1];
  set_load(first, 600);  // 1.25 * 1001 / 2 = 625.6
  EXPECT_EQ(begins(pool).member, &first);
  set_load(first, 800);  // 1.25 * 1201 / 2 = 750.6
  EXPECT_NE(begins(pool).member, &first);
}

TEST_F(Loaded, OneAddressDoesNotDrownOneServer) {
  const Pool pool(settings(), members(4));
  const auto taken = begin_many(pool, 4000, client(1));
  ASSERT_GE(taken.size(), 4u);
  for (const auto& [id, count] : taken) EXPECT_LE(count, 1252) << id;
}

TEST_F(Loaded, OnlyRequestsThatBeginASessionAreBounded) {
  const Pool pool(settings(), members(3));
  const auto order = order_of(pool);
  set_load(*order[0], 10'000);
  EXPECT_EQ(ask(pool, Kind::plain, 1).member, order[0]);
  EXPECT_EQ(begins(pool).member, order[1]);
}

TEST_F(Loaded, BoundedLoadOffBoundsNothing) {
  PoolSettings off = settings();
  off.bounded_load = std::nullopt;
  const Pool pool(off, members(3));
  const auto order = order_of(pool);
  set_load(*order[0], 10'000);
  EXPECT_EQ(begins(pool).member, order[0]);
}

TEST_F(Loaded, WhereOnlyHashingHoldsASessionNothingIsBounded) {
  PoolSettings only = settings();
  only.affinity = {Affinity::source};
  const Pool pool(only, members(3));
  const auto order = order_of(pool);
  set_load(*order[0], 10'000);
  EXPECT_EQ(begins(pool).member, order[0]);
}

TEST_F(Loaded, IfAllAreOverTheirBoundTheFirstThatIsNotFullTakesIt) {
  PoolSettings tight = settings();
  tight.bounded_load = 0.5;
  const Pool pool(tight, members(3));
  for (const Member& each : pool.members()) set_load(each, 1000);
  const auto order = order_of(pool);
  EXPECT_EQ(begins(pool).member, order[0]);
  set_load(*order[0], 50'000);
  EXPECT_EQ(begins(pool).member, order[1]);
}

TEST_F(Loaded, ACookieHoldsUpToTwiceTheBound) {
  const Pool pool(settings(), members(4));
  const Member& ws2 = pool.members()[1];
  set_load(ws2, 127);
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::cookie);
  set_load(ws2, 128);
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::moved);
  EXPECT_EQ(ask(pool, Kind::plain, 1, "ws2").by, By::cookie);

  for (const Member& each : pool.members()) set_load(each, 1000);
  set_load(ws2, 4'000);  // twice 1.25 * 7001 / 4 = twice 2188
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::cookie);
  set_load(ws2, 5'100);  // twice 1.25 * 8101 / 4 = twice 2532
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::moved);
}

TEST_F(Loaded, ACookieHoldsWhateverTheLoadIfNothingIsBounded) {
  PoolSettings off = settings();
  off.bounded_load = std::nullopt;
  const Pool pool(off, members(4));
  set_load(pool.members()[1], 49'999);
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::cookie);
  set_load(pool.members()[1], 50'000);
  EXPECT_EQ(ask(pool, Kind::begins, 1, "ws2").by, By::moved);
}

// --- limits ---

TEST_F(Loaded, AServerAtItsLimitIsPassedOver) {
  std::vector<Member> limited = members(3);
  for (Member& each : limited) each.max_connections = 10;
  const Pool pool(settings(), limited);
  const auto order = order_of(pool);
  set_load(*order[0], 10);
  EXPECT_EQ(begins(pool).member, order[1]);
  set_load(*order[1], 11);
  EXPECT_EQ(begins(pool).member, order[2]);
  set_load(*order[2], 10);
  EXPECT_EQ(begins(pool).refusal, Refusal::full);
  EXPECT_EQ(begins(pool).member, nullptr);
}

TEST_F(Loaded, ALimitOfNothingIsNone) {
  std::vector<Member> unlimited = members(1);
  unlimited[0].max_connections = 0;
  const Pool pool(settings(), unlimited);
  set_load(pool.members()[0], 4'000'000);
  EXPECT_EQ(begins(pool).member, &pool.members()[0]);
}

TEST_F(Loaded, APoolAtItsLimitIsFullButForItsOwnSessions) {
  PoolSettings limited = settings();
  limited.max_connections = 100;
  const Pool pool(limited, members(2));
  set_load(pool.members()[0], 60);
  set_load(pool.members()[1], 39);
  EXPECT_EQ(begins(pool).refusal, Refusal::none);
  set_load(pool.members()[1], 40);
  EXPECT_EQ(begins(pool).refusal, Refusal::full);
  EXPECT_EQ(ask(pool, Kind::plain, 1, "ws1").refusal, Refusal::full);
  Ask asked;
  asked.kind = Kind::belongs;
  const std::string sid = self_named("ws1");
  asked.sid = sid;
  EXPECT_EQ(chooser.choose(pool, asked).by, By::sid);
}

// --- health ---

TEST_F(Loaded, ASuspectServerIsTheLastResort) {
  const Pool pool(settings(), members(3));
  const auto order = order_of(pool);
  set_state(*order[0], State::suspect);
  EXPECT_EQ(begins(pool).member, order[1]);
  set_state(*order[1], State::down);
  EXPECT_EQ(begins(pool).member, order[2]);
  set_state(*order[2], State::suspect);
  EXPECT_EQ(begins(pool).member, order[0]);
}

TEST_F(Loaded, BackupsComeAfterEveryOther) {
  const Pool pool(settings(), {member("a"), backup("b1"), backup("b2")});
  const auto id = [&] { return begins(pool).member->server->id; };
  EXPECT_EQ(id(), "a");
  set_state(pool.members()[0], State::suspect);
  EXPECT_EQ(id()[0], 'b') << "a suspect one only if no other is up";
  set_state(pool.members()[1], State::suspect);
  EXPECT_EQ(id(), "b2");
  set_state(pool.members()[2], State::suspect);
  EXPECT_EQ(id(), "a");
  set_state(pool.members()[0], State::refusing);
  EXPECT_EQ(id()[0], 'b');
  set_state(pool.members()[2], State::down);
  EXPECT_EQ(id(), "b1");
  set_state(pool.members()[1], State::down);
  EXPECT_EQ(begins(pool).refusal, Refusal::all_down);
}

TEST_F(Loaded, ASuspectServerDoesNotStandInForFullOnes) {
  const Pool pool(settings(), {member("a"), member("b")});
  set_load(pool.members()[0], 50'000);
  set_state(pool.members()[1], State::suspect);
  EXPECT_EQ(begins(pool).refusal, Refusal::full);
}

TEST_F(Loaded, ASecondTryGoesWhereNoHandshakeWaits) {
  const Pool pool(settings(), members(3));
  const Member& first = *begins(pool).member;
  const Server* tried[] = {first.server.get()};
  Ask ask;
  ask.kind = Kind::begins;
  ask.client = client(1);
  ask.now_ms = now;
  ask.not_these = tried;
  const Member& second = *chooser.choose(pool, ask).member;
  second.server->view.slow_handshakes = 1;
  const Member& third = *chooser.choose(pool, ask).member;
  EXPECT_NE(&third, &second);
  EXPECT_NE(&third, &first);
  third.server->view.slow_handshakes = 1;
  EXPECT_EQ(chooser.choose(pool, ask).member, &second) << "if all are slow, the order stands";
}

TEST_F(Loaded, BackupsTakeWhatFullServersCannot) {
  const Pool pool(settings(), {member("a"), backup("b")});
  set_load(pool.members()[0], 50'000);
  EXPECT_EQ(begins(pool).member, &pool.members()[1]);
  set_load(pool.members()[1], 50'000);
  EXPECT_EQ(begins(pool).refusal, Refusal::full);
}

TEST_F(Loaded, ServersThatRefuseOrDrainLeaveAPoolAllDown) {
  const Pool pool(settings(), members(4));
  set_state(pool.members()[0], State::refusing);
  set_wanted(pool.members()[1], Wanted::draining);
  set_wanted(pool.members()[2], Wanted::maintenance);
  set_state(pool.members()[3], State::down);
  for (const Kind kind : {Kind::begins, Kind::plain})
    EXPECT_EQ(ask(pool, kind, 1).refusal, Refusal::all_down);
}

TEST_F(Loaded, APoolOfNothingIsAllDown) {
  const Pool pool(settings(), {});
  EXPECT_EQ(begins(pool).refusal, Refusal::all_down);
  const Pool unweighted(settings(), {member("a", 0)});
  EXPECT_EQ(begins(unweighted).refusal, Refusal::all_down);
}

TEST_F(Loaded, ServersTriedAlreadyAreNeverChosen) {
  for (const Balance balance :
       {Balance::source, Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    PoolSettings with = balanced(balance);
    const Pool pool(with, members(3));
    const Server* tried[] = {pool.members()[0].server.get(), pool.members()[2].server.get()};
    Ask asked;
    asked.kind = Kind::begins;
    asked.now_ms = now;
    asked.not_these = tried;
    for (std::uint32_t from = 0; from < 50; ++from) {
      asked.client = client(from);
      EXPECT_EQ(chooser.choose(pool, asked).member, &pool.members()[1]);
    }
    set_state(pool.members()[1], State::down);
    EXPECT_EQ(chooser.choose(pool, asked).refusal, Refusal::all_down);
  }
}

// --- slow start ---

TEST_F(Loaded, AServerThatStartsSlowlyTakesItsPartOfItsKeysAndKeepsThem) {
  const Pool pool(settings(), members(4));
  const Member& ws2 = pool.members()[1];
  ws2.server->view.slow_start_at_ms = now;
  std::vector<bool> had(20'000);
  const std::map<int, double> factors{{0, 0.1}, {2'500, 0.325}, {5'000, 0.55}, {9'000, 0.91}, {10'000, 1.0}};
  const std::uint64_t began = now;
  for (const auto& [passed, factor] : factors) {
    now = began + static_cast<std::uint64_t>(passed);
    int own = 0, taken = 0;
    for (std::uint32_t from = 0; from < had.size(); ++from) {
      const bool first = order_of(pool, from)[0] == &ws2;
      const bool is = begins(pool, from).member == &ws2;
      EXPECT_TRUE(is || !had[from]) << "a key went back";
      EXPECT_TRUE(first || !is) << "a key of another server came";
      had[from] = is;
      own += first ? 1 : 0;
      taken += is ? 1 : 0;
    }
    EXPECT_NEAR(taken, own * factor, own * 0.04) << passed;
  }
}

TEST_F(Loaded, TheOnlyServerDoesNotStartSlowly) {
  const Pool pool(settings(), members(2));
  for (const Member& each : pool.members()) each.server->view.slow_start_at_ms = now;
  for (std::uint32_t from = 0; from < 200; ++from) EXPECT_NE(begins(pool, from).member, nullptr);
  set_state(pool.members()[0], State::down);
  for (std::uint32_t from = 0; from < 200; ++from) EXPECT_EQ(begins(pool, from).member, &pool.members()[1]);
}

TEST_F(Loaded, APoolThatAllStartsSlowlyIsSharedEvenly) {
  const Pool pool(settings(), members(4));
  for (const Member& each : pool.members()) each.server->view.slow_start_at_ms = now;
  std::map<const Member*, int> taken;
  for (std::uint32_t from = 0; from < 40'000; ++from) ++taken[begins(pool, from).member];
  for (const auto& [who, count] : taken) EXPECT_NEAR(count, 10'000, 500) << who->server->id;
}

TEST_F(Loaded, WhereOnlyHashingHoldsASessionNobodyStartsSlowly) {
  PoolSettings only = settings();
  only.affinity = {Affinity::source};
  const Pool pool(only, members(3));
  pool.members()[0].server->view.slow_start_at_ms = now;
  for (std::uint32_t from = 0; from < 200; ++from)
    EXPECT_EQ(begins(pool, from).member, order_of(pool, from)[0]);
}

TEST_F(Loaded, SlowStartScalesTheWeightInEveryBalance) {
  for (const Balance balance : {Balance::round_robin, Balance::random_two, Balance::least_connections}) {
    PoolSettings with = balanced(balance);
    with.bounded_load = std::nullopt;
    const Pool pool(with, members(2));
    pool.members()[0].server->view.slow_start_at_ms = now;  // a tenth of its weight
    const auto taken = begin_many(pool, 11'000, ClientKey{});
    EXPECT_NEAR(taken.at("ws1"), 1'000, 100) << int(balance);
  }
}

// --- balance ---

TEST_F(Loaded, BalanceGoesByWeight) {
  for (const Balance balance : {Balance::round_robin, Balance::random_two, Balance::least_connections}) {
    const Pool pool(balanced(balance), {member("a", 1), member("b", 2), member("c", 5)});
    const auto taken = begin_many(pool, 8'000, client(1));
    EXPECT_NEAR(taken.at("a"), 1'000, 60) << int(balance);
    EXPECT_NEAR(taken.at("b"), 2'000, 60) << int(balance);
    EXPECT_NEAR(taken.at("c"), 5'000, 60) << int(balance);
  }
}

TEST_F(Loaded, BalancePassesOverFullServersAndBackups) {
  for (const Balance balance : {Balance::round_robin, Balance::random_two, Balance::least_connections}) {
    std::vector<Member> three{member("a"), member("b"), backup("c")};
    three[0].max_connections = 5;
    const Pool pool(balanced(balance), three);
    const auto taken = begin_many(pool, 100, client(1));
    EXPECT_EQ(taken.at("a"), 5) << int(balance);
    EXPECT_EQ(taken.at("b"), 95) << int(balance);
  }
}

}  // namespace
}  // namespace limpet::routing
