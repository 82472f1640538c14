// Affinity: which server a request goes to by its sid, its cookie, its address.
#include "routing/chooser.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

// --- a self-naming sid ---

TEST_F(Affine, ASidWithATagGoesToItsServerWhateverItsAddressAndLoad) {
  const Pool pool(settings(), members(3));
  const std::string sid = self_named("ws2");
  set_load(pool.members()[1], 60'000);
  for (std::uint32_t from = 0; from < 100; ++from) {
    const Choice choice = belongs(pool, sid, from);
    EXPECT_EQ(id(choice), "ws2");
    EXPECT_EQ(choice.by, By::sid);
  }
  EXPECT_EQ(id(ask(pool, Kind::belongs, ClientKey{}, sid)), "ws2");
}

TEST_F(Affine, ASidWithATagIsServedByWhoServesItsOldSessions) {
  const Pool pool(settings(), members(3));
  const Member& ws2 = pool.members()[1];
  for (const State state : {State::up, State::suspect, State::refusing}) {
    set_state(ws2, state);
    EXPECT_EQ(id(belongs(pool, self_named("ws2"))), "ws2");
  }
  set_wanted(ws2, Wanted::draining);
  EXPECT_EQ(id(belongs(pool, self_named("ws2"))), "ws2");
}

TEST_F(Affine, ASidWhoseServerIsDownIsGone) {
  const Pool pool(settings(), members(3));
  set_state(pool.members()[1], State::down);
  EXPECT_EQ(belongs(pool, self_named("ws2")).refusal, Refusal::sid_gone);
  EXPECT_EQ(belongs(pool, self_named("ws2")).member, nullptr);
  set_state(pool.members()[1], State::up);
  set_wanted(pool.members()[1], Wanted::maintenance);
  EXPECT_EQ(belongs(pool, self_named("ws2")).refusal, Refusal::sid_gone);
}

TEST_F(Affine, ATagCountsOnlyAtTheEndOfTwentyCharacters) {
  const Pool pool(settings(), members(3));
  for (const std::string& sid : {"x" + self_named("ws2"), self_named("ws2").substr(1), server_tag("ws2")}) {
    EXPECT_EQ(belongs(pool, sid).by, By::source) << sid;
  }
}

TEST_F(Affine, ServersTriedAlreadyDoNotMatterToASession) {
  const Pool pool(settings(), members(3));
  tried = {pool.members()[1].server.get()};
  EXPECT_EQ(id(belongs(pool, self_named("ws2"))), "ws2");
}

// --- a learned sid ---

TEST_F(Affine, ALearnedSidGoesToItsServer) {
  const Pool pool(settings(), members(3));
  sids.learn("plain-sid-of-a-node1", pool.members()[2].server->serial, client(9), 45'000, now);
  const Choice choice = belongs(pool, "plain-sid-of-a-node1");
  EXPECT_EQ(id(choice), "ws3");
  EXPECT_EQ(choice.by, By::learned);
}

TEST_F(Affine, ALearnedSidWhoseServerIsDownOrLeftThePoolIsGone) {
  const Pool pool(settings(), members(3));
  const Server elsewhere("other", "ws1");
  sids.learn("a", pool.members()[2].server->serial, client(9), 45'000, now);
  sids.learn("b", elsewhere.serial, client(9), 45'000, now);
  set_state(pool.members()[2], State::down);
  EXPECT_EQ(belongs(pool, "a").refusal, Refusal::sid_gone);
  EXPECT_EQ(belongs(pool, "b").refusal, Refusal::sid_gone);
}

// --- a sid that nobody knows ---

TEST_F(Affine, AnUnknownSidGoesByCookieEvenToADrainingServer) {
  const Pool pool(settings(), members(3));
  cookies = {"nobody", "ws3"};
  set_wanted(pool.members()[2], Wanted::draining);
  set_load(pool.members()[2], 60'000);
  const Choice choice = belongs(pool, "unknown");
  EXPECT_EQ(id(choice), "ws3");
  EXPECT_EQ(choice.by, By::cookie);
  EXPECT_TRUE(choice.cookie_valid);
}

TEST_F(Affine, AnUnknownSidWhoseCookieNamesADownServerGoesByTheHash) {
  const Pool pool(settings(), members(3));
  Member down = pool.members()[2];
  set_state(down, State::down);
  cookies = {"ws3"};
  const Choice choice = belongs(pool, "unknown");
  ASSERT_NE(choice.member, nullptr);
  EXPECT_NE(id(choice), "ws3");
  EXPECT_EQ(choice.by, By::moved);
  EXPECT_FALSE(choice.cookie_valid);
}

TEST_F(Affine, AnUnknownSidGoesByThePureHashWithoutLoadOrSlowStart) {
  const Pool pool(settings(), members(5));
  for (const Member& each : pool.members()) each.server->view.slow_start_at_ms = now;
  for (std::uint32_t from = 0; from < 200; ++from) {
    const Member& first = first_of(pool, from);
    set_load(first, 60'000);
    const Choice choice = belongs(pool, "unknown", from);
    EXPECT_EQ(choice.member, &first);
    EXPECT_EQ(choice.by, By::source);
    set_load(first, 0);
  }
}

TEST_F(Affine, AnUnknownSidGoesToTheFirstThatServesOldSessions) {
  const Pool pool(settings(), members(3));
  const auto order = order_of(pool);
  set_wanted(*order[0], Wanted::draining);
  EXPECT_EQ(belongs(pool, "unknown").member, order[0]);
  set_state(*order[0], State::down);
  EXPECT_EQ(belongs(pool, "unknown").member, order[1]);
  set_wanted(*order[1], Wanted::maintenance);
  EXPECT_EQ(belongs(pool, "unknown").member, order[2]);
  set_state(*order[2], State::down);
  EXPECT_EQ(belongs(pool, "unknown").refusal, Refusal::all_down);
}

TEST_F(Affine, AnUnknownSidGoesToANewServerOnlyOnceThatHasBeenProbed) {
  const Pool pool(settings(), members(3));
  const auto order = order_of(pool);
  order[0]->server->view.met = false;
  EXPECT_EQ(belongs(pool, "unknown").member, order[1]);
  order[0]->server->view.met = true;
  EXPECT_EQ(belongs(pool, "unknown").member, order[0]);
  for (const Member* each : order) each->server->view.met = false;
  EXPECT_EQ(belongs(pool, "unknown").member, order[0]) << "there is nobody else";
}

TEST_F(Affine, AnUnknownSidGoesToABackupOnlyWhenNobodyElseServes) {
  const Pool pool(settings(), {member("a"), backup("b"), backup("c")});
  for (std::uint32_t from = 0; from < 50; ++from) EXPECT_EQ(id(belongs(pool, "unknown", from)), "a");
  set_state(pool.members()[0], State::down);
  std::set<std::string> ids;
  for (std::uint32_t from = 0; from < 50; ++from) ids.insert(id(belongs(pool, "unknown", from)));
  EXPECT_EQ(ids, (std::set<std::string>{"b", "c"}));
}

TEST_F(Affine, WithoutAnAddressTheRequestsOfOneUnknownSidMeetAtOneServer) {
  const Pool by_source(settings(), members(5));
  const Pool by_load(balanced(Balance::least_connections), members(5));
  std::set<std::string> used;
  for (int n = 0; n < 200; ++n) {
    const std::string sid = "unknown-" + std::to_string(n);
    const Choice one = ask(by_source, Kind::belongs, ClientKey{}, sid);
    EXPECT_EQ(one.by, By::balance);
    EXPECT_EQ(one.member, ask(by_source, Kind::belongs, ClientKey{}, sid).member);
    EXPECT_EQ(id(belongs(by_load, sid, 1)), id(belongs(by_load, sid, 2)));
    used.insert(id(one));
  }
  EXPECT_EQ(used.size(), 5u);
}

TEST_F(Affine, APoolWithoutSidAffinityPlacesASessionByCookieThenByThePureHash) {
  PoolSettings without = settings();
  without.affinity = {Affinity::cookie, Affinity::source};
  const Pool pool(without, members(3));
  cookies = {"ws2"};
  EXPECT_EQ(id(belongs(pool, self_named("ws3"))), "ws2");
  cookies = {};
  EXPECT_EQ(belongs(pool, self_named("ws3")).member, &first_of(pool));
}

TEST_F(Affine, ASessionFoundByItsSidSaysWhetherTheCookieAgrees) {
  const Pool pool(settings(), members(3));
  EXPECT_FALSE(belongs(pool, self_named("ws2")).cookie_valid);
  cookies = {"ws1"};
  EXPECT_FALSE(belongs(pool, self_named("ws2")).cookie_valid);
  cookies = {"ws2"};
  EXPECT_TRUE(belongs(pool, self_named("ws2")).cookie_valid);
}

// --- cookies ---

TEST_F(Affine, TheFirstValidCookieDecides) {
  const Pool pool(settings(), members(3));
  const std::string huge(100'000, 'x');
  cookies = {"", "ws", "WS1", "ws99", huge, "ws3", "ws1"};
  for (const Kind kind : {Kind::begins, Kind::plain}) {
    const Choice choice = ask(pool, kind, client(1));
    EXPECT_EQ(id(choice), "ws3");
    EXPECT_EQ(choice.by, By::cookie);
    EXPECT_TRUE(choice.cookie_valid);
  }
}

TEST_F(Affine, OnlyEightCookiesAreLookedAt) {
  const Pool pool(settings(), members(3));
  cookies.assign(8, "nobody");
  cookies.push_back("ws3");
  EXPECT_EQ(begins(pool).by, By::source);
  cookies.erase(cookies.begin());
  EXPECT_EQ(begins(pool).by, By::cookie);
}

TEST_F(Affine, ACookieThatIsASidCountsAsThatSidInPassiveModeAlone) {
  PoolSettings passive = settings();
  passive.cookie_may_be_sid = true;
  const Pool pool(passive, members(3));
  const std::string sid = self_named("ws2");
  cookies = {sid};
  EXPECT_EQ(id(begins(pool)), "ws2");
  sids.learn("a-plain-one", pool.members()[2].server->serial, client(9), 45'000, now);
  cookies = {"a-plain-one"};
  EXPECT_EQ(id(begins(pool)), "ws3");
  EXPECT_EQ(begins(pool).by, By::cookie);
  EXPECT_NE(begins(Pool(settings(), members(3))).by, By::cookie) << "elsewhere it is a foreign value";
}

TEST_F(Affine, AMillionForeignCookiesChooseNobody) {
  const Pool pool(settings(), members(3));
  Random random{1};
  const std::string truncated = self_named("ws2").substr(0, 19), huge(100'000, 'x');
  std::vector<std::string> made(6);
  for (int request = 0; request < 125'000; ++request) {
    cookies = {truncated, huge};
    for (std::string& value : made) {
      value.resize(random.below(30));
      for (char& c : value) c = static_cast<char>(33 + random.below(90));
      if (value.size() == 3) value = "ws0";  // as good as an id, but for chance
      cookies.push_back(value);
    }
    const Choice choice = begins(pool);
    ASSERT_EQ(choice.by, By::source);
    ASSERT_FALSE(choice.cookie_valid);
  }
}

TEST_F(Affine, CookiesAreIgnoredWithoutCookieAffinity) {
  PoolSettings without = settings();
  without.affinity = {Affinity::sid, Affinity::source};
  const Pool pool(without, members(3));
  const auto order = order_of(pool);
  cookies = {order[2]->server->id};
  EXPECT_EQ(begins(pool).member, order[0]);
  EXPECT_EQ(belongs(pool, "unknown").member, order[0]);
}

TEST_F(Affine, ACookieAloneDoesNotKeepAClientOnAServerThatTakesNoNewSessions) {
  const Pool pool(settings(), members(3));
  const Member& ws3 = pool.members()[2];
  cookies = {"ws3"};
  const auto moved = [&] {
    const Choice choice = begins(pool);
    return choice.member && choice.member != &ws3 && choice.by == By::moved && !choice.cookie_valid;
  };
  for (const State state : {State::suspect, State::refusing, State::down}) {
    set_state(ws3, state);
    EXPECT_TRUE(moved()) << int(state);
  }
  set_state(ws3, State::up);
  for (const Wanted wanted : {Wanted::draining, Wanted::maintenance}) {
    set_wanted(ws3, wanted);
    EXPECT_TRUE(moved()) << int(wanted);
  }
  set_wanted(ws3, Wanted::serving);
  set_load(ws3, 50'000);
  EXPECT_TRUE(moved());
  set_load(ws3, 0);
  tried = {ws3.server.get()};
  EXPECT_TRUE(moved());
}

TEST_F(Affine, AStrictPoolRefusesRatherThanMoves) {
  PoolSettings strict = settings();
  strict.strict = true;
  const Pool pool(strict, members(3));
  cookies = {"ws3"};
  EXPECT_EQ(id(begins(pool)), "ws3");
  set_wanted(pool.members()[2], Wanted::draining);
  const Choice choice = begins(pool);
  EXPECT_EQ(choice.refusal, Refusal::lost);
  EXPECT_EQ(choice.member, nullptr);
  cookies = {};
  EXPECT_EQ(begins(pool).refusal, Refusal::none);
}

TEST_F(Affine, ACookieHoldsOnASuspectServerWhenNoOtherIsUp) {
  PoolSettings strict = settings();
  strict.strict = true;
  const Pool pool(strict, members(3));
  for (const Member& each : pool.members()) set_state(each, State::suspect);
  for (const std::string_view name : {"ws1", "ws2", "ws3"}) {
    cookies = {name};
    EXPECT_EQ(id(begins(pool)), name);
    EXPECT_EQ(begins(pool).by, By::cookie);
  }
  set_state(pool.members()[0], State::up);
  EXPECT_EQ(begins(pool).refusal, Refusal::lost);
}

TEST_F(Affine, ACookieNamesABackupServerOrOneWithoutWeight) {
  const Pool pool(settings(), {member("a"), backup("b"), member("c", 0)});
  cookies = {"b"};
  EXPECT_EQ(id(begins(pool)), "b");
  cookies = {"c"};
  EXPECT_EQ(id(begins(pool)), "c");
}

// --- the address, and what comes after it ---

TEST_F(Affine, WithoutSidOrCookieTheAddressDecides) {
  const Pool pool(settings(), members(5));
  for (std::uint32_t from = 0; from < 500; ++from) {
    for (const Kind kind : {Kind::begins, Kind::plain}) {
      const Choice choice = ask(pool, kind, client(from));
      EXPECT_EQ(choice.member, &first_of(pool, from));
      EXPECT_EQ(choice.by, By::source);
    }
  }
}

TEST_F(Affine, TheAddressPassesOverServersInItsOrder) {
  const Pool pool(settings(), members(5));
  const auto order = order_of(pool);
  tried = {order[0]->server.get()};
  EXPECT_EQ(begins(pool).member, order[1]);
  set_wanted(*order[1], Wanted::draining);
  EXPECT_EQ(begins(pool).member, order[2]);
  set_load(*order[2], 50'000);
  EXPECT_EQ(begins(pool).member, order[3]);
  set_state(*order[3], State::refusing);
  EXPECT_EQ(begins(pool).member, order[4]);
}

TEST_F(Affine, BalanceSourceHashesEvenWithoutSourceAffinity) {
  PoolSettings other = settings();
  other.affinity = {Affinity::sid, Affinity::cookie};
  const Pool pool(other, members(5));
  EXPECT_EQ(begins(pool).member, &first_of(pool));
}

TEST_F(Affine, AClientWithoutAddressGoesWhereLoadIsLeast) {
  const Pool pool(settings(), members(3));
  set_load(pool.members()[0], 5);
  set_load(pool.members()[1], 4);
  set_load(pool.members()[2], 6);
  const Choice choice = ask(pool, Kind::begins, ClientKey{});
  EXPECT_EQ(id(choice), "ws2");
  EXPECT_EQ(choice.by, By::balance);
}

TEST_F(Affine, EachReasonHasItsName) {
  EXPECT_EQ(name_of(By::none), "none");
  EXPECT_EQ(name_of(By::sid), "sid");
  EXPECT_EQ(name_of(By::learned), "learned");
  EXPECT_EQ(name_of(By::cookie), "cookie");
  EXPECT_EQ(name_of(By::source), "source");
  EXPECT_EQ(name_of(By::balance), "balance");
  EXPECT_EQ(name_of(By::moved), "moved");
}

}  // namespace
}  // namespace limpet::routing
