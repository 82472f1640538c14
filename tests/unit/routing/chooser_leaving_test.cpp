// Servers that leave after a reload, and pools that have none.
#include <gtest/gtest.h>

#include <set>

#include "routing/chooser.h"
#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

// --- a pool whose names have not resolved yet ---

TEST_F(Affine, APoolWithoutServersRefuses) {
  for (const Balance balance :
       {Balance::source, Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    PoolSettings with = balanced(balance);
    with.affinity = all_affinities();
    with.max_connections = 10;
    const Pool pool(std::move(with), {});
    cookies = {"ws1"};
    for (const ClientKey& from : {client(1), ClientKey{}}) {
      for (const Kind kind : {Kind::begins, Kind::plain})
        EXPECT_EQ(ask(pool, kind, from).refusal, Refusal::all_down);
      EXPECT_NE(ask(pool, Kind::belongs, from, self_named("ws1")).refusal, Refusal::none);
    }
  }
}

// --- a server that leaves: after a reload, without a weight ---

TEST_F(Affine, WhoLeavesServesItsSessionsByTheirSids) {
  std::vector<Member> all = members(3);
  all[1].weight = 0;
  const Pool pool(settings(), std::move(all));
  set_wanted(pool.members()[1], Wanted::leaving);
  EXPECT_EQ(id(belongs(pool, self_named("ws2"))), "ws2");
  sids.learn("learned-sid", pool.members()[1].server->serial, client(1), 45'000, now);
  EXPECT_EQ(id(belongs(pool, "learned-sid")), "ws2");
  set_state(pool.members()[1], State::down);
  EXPECT_EQ(belongs(pool, self_named("ws2")).refusal, Refusal::sid_gone);
}

// --- and while nobody who stays takes new sessions ---

TEST_F(Affine, WhoLeavesStandsInWhileNobodyElseTakesNewSessions) {
  for (const Balance balance :
       {Balance::source, Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    std::vector<Member> all = members(4);
    for (const int i : {1, 2}) {
      all[i].weight = 0;
      all[i].leaving_weight = 3;
    }
    all[3].weight = 0;  // drained before it left
    const Pool pool(balance == Balance::source ? settings() : balanced(balance), std::move(all));
    for (const int i : {1, 2, 3}) set_wanted(pool.members()[i], Wanted::leaving);
    EXPECT_EQ(id(begins(pool)), "ws1");
    for (const State state : {State::refusing, State::down}) {
      set_state(pool.members()[0], state);
      std::set<std::string> taken;
      for (std::uint32_t from = 0; from < 200; ++from) taken.insert(id(begins(pool, from)));
      EXPECT_EQ(taken, (std::set<std::string>{"ws2", "ws3"}));
    }
    set_state(pool.members()[0], State::suspect);
    EXPECT_EQ(id(begins(pool)), "ws1") << "who stays comes first";
    set_state(pool.members()[0], State::down);
    set_state(pool.members()[1], State::suspect);
    EXPECT_EQ(id(begins(pool)), "ws3");
    set_state(pool.members()[2], State::refusing);
    EXPECT_EQ(begins(pool).refusal, Refusal::all_down);
  }
}

TEST_F(Affine, AFullServerIsNoReasonToAskWhoLeaves) {
  std::vector<Member> all = members(2);
  all[0].max_connections = 1;
  all[1].weight = 0;
  all[1].leaving_weight = 1;
  const Pool pool(settings(), std::move(all));
  set_wanted(pool.members()[1], Wanted::leaving);
  set_load(pool.members()[0], 1);
  EXPECT_EQ(begins(pool).refusal, Refusal::full);
}

// `wanted` is everybody's at once, the members are a worker's own a little later.
TEST_F(Affine, BetweenTwoReloadsSomebodyStandsIn) {
  const Pool before(settings(), members(1));
  set_wanted(before.members()[0], Wanted::leaving);
  EXPECT_EQ(id(begins(before)), "ws1") << "it leaves, and this worker does not know for whom";
  std::vector<Member> after = members(1);
  after[0].weight = 0;
  after[0].leaving_weight = 1;
  const Pool back(settings(), std::move(after));
  EXPECT_EQ(id(begins(back)), "ws1") << "it has come back, and this worker does not know it";
}

TEST_F(Affine, WhoLeavesGetsNothingNewAndItsCookieIsAnybodys) {
  for (const bool strict : {false, true}) {
    std::vector<Member> all = members(3);
    all[1].weight = 0;
    PoolSettings with = settings();
    with.strict = strict;
    const Pool pool(std::move(with), std::move(all));
    set_wanted(pool.members()[1], Wanted::leaving);
    cookies = {"ws2"};
    for (std::uint32_t from = 0; from < 100; ++from) {
      const Choice choice = begins(pool, from);
      EXPECT_NE(id(choice), "ws2");
      EXPECT_EQ(choice.refusal, Refusal::none);
      EXPECT_FALSE(choice.cookie_valid);
      cookies.clear();
      EXPECT_NE(id(belongs(pool, "nobody-knows-it", from)), "ws2");
      cookies = {"ws2"};
    }
  }
}

TEST_F(Affine, PoolsAreForgottenAndMetAnew) {
  const Pool small(balanced(Balance::round_robin), members(3));
  const Pool large(balanced(Balance::least_connections), members(100));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(begins(small).member, nullptr);
    EXPECT_NE(begins(large).member, nullptr);
    chooser.forget_pools();
  }
}

}  // namespace
}  // namespace limpet::routing
