// The prober against real sockets on loopback: one loop, a server of the test's own.
#include "health/monitor.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/health/origin.h"

namespace limpet::health {
namespace {

using routing::State;

struct Monitoring : testing::Test {
  net::Loop loop;
  Monitor monitor{loop};
  Settings settings;
  std::vector<State> changes;
  std::vector<std::shared_ptr<routing::Server>> servers;

  Monitoring() {
    settings.interval_ms = 30;
    settings.fast_interval_ms = 10;
    settings.timeout_ms = 200;
    monitor.on_change = [this](const routing::Server&, State, State to, std::string_view) {
      changes.push_back(to);
      if (wanted_change && changes.back() == *wanted_change) loop.stop();
    };
  }
  void watch(const net::Address& address) {
    auto server = std::make_shared<routing::Server>("ws", "ws" + std::to_string(servers.size() + 1));
    auto target = std::make_shared<net::Target>();
    target->publish({address});
    servers.push_back(server);
    monitor.add_pool("ws" + std::to_string(servers.size()), settings,
                     {{server, target, "", 0, address.text()}});
  }
  void run_first_round() {
    monitor.start([this] { loop.stop(); });
    loop.run();
  }
  void run_until(State state) {
    wanted_change = state;
    loop.run();
  }
  std::optional<State> wanted_change;
};

TEST_F(Monitoring, FirstRoundEndsWhenEveryServerHasAResult) {
  Origin good(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Origin full(loop, "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n");
  watch(good.bound.address);
  watch(full.bound.address);
  run_first_round();
  EXPECT_EQ(servers[0]->state(), State::up);
  EXPECT_EQ(servers[1]->state(), State::refusing);
  EXPECT_EQ(servers[0]->view.slow_start_at_ms.load(), 0u) << "not at the start";
}

TEST_F(Monitoring, ServerThatDiesIsDownAndComesBack) {
  auto origin = std::make_unique<Origin>(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const net::Address address = origin->bound.address;
  watch(address);
  run_first_round();
  origin->accept->close();
  origin->open.clear();
  run_until(State::down);
  EXPECT_EQ(servers[0]->state(), State::down);
  EXPECT_NE(monitor.status()[0].reason.find("refused"), std::string::npos);
}

TEST_F(Monitoring, WorkersConnectsTakeAServerDownAtOnce) {
  settings.interval_ms = settings.fast_interval_ms = 60'000;
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  watch(origin.bound.address);
  run_first_round();
  std::thread worker([&] {
    monitor.connect_failed(*servers[0], ECONNREFUSED);
    monitor.connect_failed(*servers[0], ECONNREFUSED);
  });
  run_until(State::down);
  worker.join();
  EXPECT_EQ(servers[0]->state(), State::down);
}

TEST_F(Monitoring, SlowHandshakeBringsAProbe) {
  settings.interval_ms = settings.fast_interval_ms = 60'000;
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  watch(origin.bound.address);
  run_first_round();
  EXPECT_EQ(origin.connections, 1);
  origin.answer = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n";
  std::thread worker([&] { monitor.handshake_slow(*servers[0]); });
  run_until(State::refusing);
  worker.join();
  EXPECT_EQ(origin.connections, 2);
}

TEST_F(Monitoring, ManySlowHandshakesBringNoStormOfProbes) {
  settings.interval_ms = settings.fast_interval_ms = 60'000;
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  watch(origin.bound.address);
  run_first_round();
  const std::uint64_t begun = net::now_ms();
  struct Again {
    void on_expiry() {
      monitor.handshake_slow(server);
      if (net::now_ms() - begun < 1200) return timer.after(10);
      loop.stop();
    }
    net::Loop& loop;
    Monitor& monitor;
    routing::Server& server;
    std::uint64_t begun;
    net::Timer timer{loop, net::delegate<&Again::on_expiry>(this)};
  } again{loop, monitor, *servers[0], begun};
  again.timer.after(0);
  loop.run();
  const std::uint64_t lasted = net::now_ms() - begun;
  EXPECT_GE(origin.connections, 2);
  EXPECT_LE(static_cast<std::uint64_t>(origin.connections), 2 + lasted / 500);
}

TEST_F(Monitoring, OperatorsWordIsKeptApartFromHealth) {
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  watch(origin.bound.address);
  run_first_round();
  EXPECT_TRUE(monitor.set_wanted("ws1", "ws1", routing::Wanted::draining));
  EXPECT_FALSE(monitor.set_wanted("ws1", "nobody", routing::Wanted::draining));
  EXPECT_EQ(servers[0]->state(), State::up);
  EXPECT_FALSE(servers[0]->takes_new());
  EXPECT_TRUE(servers[0]->serves_old());
}

TEST_F(Monitoring, NameThatDoesNotResolveIsDownNotAnError) {
  auto server = std::make_shared<routing::Server>("ws", "named");
  auto target = std::make_shared<net::Target>();
  monitor.add_pool("ws", settings,
                   {{server, target, "no-such-host.invalid", 3000, "no-such-host.invalid:3000"}});
  monitor.start([this] { loop.stop(); });
  loop.run();
  if (server->state() == State::up) run_until(State::down);  // the resolver took longer than the first round
  EXPECT_EQ(server->state(), State::down);
  EXPECT_NE(monitor.status()[0].reason.find("no-such-host.invalid"), std::string::npos);
}

// --- a pool that changes ---

constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct Changing : Monitoring {
  Origin one{loop, std::string(kGood)};
  Origin two{loop, std::string(kGood)};
  static Watched server(const std::string& id, const net::Address& address) {
    auto target = std::make_shared<net::Target>();
    target->publish({address});
    return {std::make_shared<routing::Server>("ws", id), target, "", 0, address.text()};
  }
  const Watched first = server("first", one.bound.address);
  const Watched second = server("second", two.bound.address);
  void begin() {
    monitor.add_pool("ws", settings, {first});
    run_first_round();
  }
  // Until `true`, or for 5 s.
  template <class Condition>
  void wait(const Condition& reached) {
    struct Watch {
      net::Loop& loop;
      const Condition& reached;
      int left = 1000;
      net::Timer again{loop, net::delegate<&Watch::look>(this)};
      void look() {
        if (reached() || --left == 0) return loop.stop();
        again.after(5);
      }
    } watch{loop, reached};
    watch.again.after(1);
    loop.run();
  }
};

TEST_F(Changing, AnAddedServerIsProbedBeforeItCountsAsUp) {
  begin();
  monitor.update_pool("ws", {first, second});
  EXPECT_EQ(second.server->state(), State::refusing);
  EXPECT_FALSE(second.server->met());
  EXPECT_EQ(first.server->state(), State::up) << "as it was";
  EXPECT_TRUE(first.server->met());
  run_until(State::up);
  EXPECT_TRUE(second.server->met());
  EXPECT_EQ(second.server->state(), State::up);
  EXPECT_EQ(two.connections, 1) << "one probe is enough";
  EXPECT_NE(second.server->view.slow_start_at_ms.load(), 0u);
  EXPECT_EQ(first.server->view.transitions.load(), 0u);
}

TEST_F(Changing, AnAddedServerThatDoesNotAnswerGetsNoSessions) {
  two.accept->close();
  begin();
  monitor.update_pool("ws", {first, second});
  run_until(State::down);
  EXPECT_EQ(second.server->state(), State::down);
}

TEST_F(Changing, AnAddedServerThatIsNotProbedIsUpAtOnce) {
  settings.type = Settings::Type::off;
  begin();
  monitor.update_pool("ws", {first, second});
  EXPECT_EQ(second.server->state(), State::up);
}

TEST_F(Changing, ARemovedServerIsForgottenWithWhatWorkersSayOfIt) {
  monitor.add_pool("ws", settings, {first, second});
  run_first_round();
  std::thread worker([&] {
    monitor.connect_failed(*second.server, ECONNREFUSED);
    monitor.handshake_slow(*second.server);
  });
  worker.join();  // both are posted
  monitor.update_pool("ws", {first});
  ASSERT_EQ(monitor.status().size(), 1u);
  monitor.connect_failed(*second.server, ECONNREFUSED);
  monitor.connect_succeeded(*second.server);
  monitor.handshake_slow(*second.server);
  EXPECT_FALSE(monitor.set_wanted("ws", "second", routing::Wanted::draining));
  const int probes = two.connections;
  one.accept->close();
  run_until(State::down);                  // of the first, some probes later
  EXPECT_LE(two.connections, probes + 1);  // one may have been under way
  EXPECT_EQ(second.server->state(), State::up) << "nobody touches it any more";
}

TEST_F(Changing, AServerThatMovesIsProbedWhereItIsNow) {
  begin();
  Watched moved = server("first", two.bound.address);
  moved.server = first.server;
  monitor.update_pool("ws", {moved});
  EXPECT_EQ(first.server->state(), State::refusing);
  run_until(State::up);
  EXPECT_EQ(two.connections, 1);
  ASSERT_EQ(monitor.status().size(), 1u);
  EXPECT_EQ(monitor.status()[0].addresses.at(0), two.bound.address.text());
}

TEST_F(Changing, ANameThatResolvesTooLateIsNobodys) {
  begin();
  Watched named = server("named", one.bound.address);
  named.target = std::make_shared<net::Target>();
  named.host = "localhost";
  named.port = two.bound.address.port();
  monitor.update_pool("ws", {first, named});
  monitor.update_pool("ws", {first});
  ASSERT_GT(named.target.use_count(), 1) << "the question has it, too";
  wait([&] { return named.target.use_count() == 1; });
  EXPECT_EQ(named.target.use_count(), 1) << "it is answered";
  EXPECT_TRUE(named.target->addresses()->empty());
}

// --- a server that moves is where it was until it has passed a probe at its new place ---

struct Moving : Changing {
  const net::Target* arrived = nullptr;
  std::vector<State> published;
  void begin_move(Watched to) {
    begin();
    monitor.on_change = [this](const routing::Server&, State, State state, std::string_view) {
      published.push_back(state);
    };
    monitor.on_arrival = [this](const net::Target& at) { arrived = &at; };
    to.server = first.server;
    moving = first;
    moving.moves_to = std::make_shared<const Watched>(to);
    monitor.update_pool("ws", {moving});
  }
  Watched moving;
  const Watched& goal() const { return *moving.moves_to; }
};

TEST_F(Moving, AGoodProbeThereIsTold) {
  begin_move(server("first", two.bound.address));
  EXPECT_EQ(arrived, nullptr);
  EXPECT_EQ(first.server->state(), State::up);
  wait([&] { return arrived != nullptr; });
  EXPECT_EQ(arrived, goal().target.get());
  EXPECT_EQ(monitor.status().at(0).addresses.at(0), one.bound.address.text()) << "nothing has changed yet";
  monitor.update_pool("ws", {goal()});
  ASSERT_EQ(monitor.status().size(), 1u);
  EXPECT_EQ(monitor.status()[0].addresses.at(0), two.bound.address.text());
  EXPECT_EQ(first.server->state(), State::up);
  EXPECT_EQ(two.connections, 1) << "what was learned there holds";
  EXPECT_TRUE(published.empty()) << "it was up all the time";
  monitor.connect_failed(*first.server, ECONNREFUSED);
  monitor.connect_failed(*first.server, ECONNREFUSED);
  wait([&] { return !published.empty(); });
  EXPECT_EQ(published.at(0), State::down) << "what workers say is of the new place";
}

TEST_F(Moving, WhatIsWrongThereIsNothingOfTheServers) {
  two.accept->close();
  settings.interval_ms = settings.fast_interval_ms = 5;
  begin_move(server("first", two.bound.address));
  const int probes = one.connections;
  wait([&] { return one.connections > probes + 5; });
  EXPECT_GT(one.connections, probes + 5);
  EXPECT_EQ(arrived, nullptr);
  EXPECT_EQ(first.server->state(), State::up);
  EXPECT_EQ(first.server->view.failed_connects.load(), 0u);
}

TEST_F(Moving, WhoDoesNotMoveAfterAllIsNotAskedThere) {
  begin_move(server("first", two.bound.address));
  monitor.update_pool("ws", {first});
  const int probes = one.connections;
  wait([&] { return one.connections > probes + 1; });
  EXPECT_EQ(arrived, nullptr);
}

TEST_F(Moving, ANameIsResolvedForIt) {
  Watched to = server("first", two.bound.address);
  to.target = std::make_shared<net::Target>();
  to.host = "localhost";
  to.port = two.bound.address.port();
  begin_move(to);
  wait([&] { return arrived != nullptr; });
  EXPECT_EQ(arrived, goal().target.get());
  EXPECT_FALSE(goal().target->addresses()->empty());
}

// --- who leaves is no help to who stays ---

TEST_F(Changing, AServerWhoseOthersLeaveIsProbedFastAndOneGoodProbeIsEnough) {
  settings.interval_ms = 600'000;
  settings.fast_interval_ms = 5;
  settings.rise = 1000;
  begin();
  two.accept->close();
  first.server->view.wanted = routing::Wanted::leaving;
  monitor.update_pool("ws", {second, first});
  run_until(State::down);
  Origin again(loop, std::string(kGood), Origin::Way::answer, two.bound.address);
  run_until(State::up);
  EXPECT_EQ(second.server->state(), State::up);
  EXPECT_EQ(again.connections, 1);
  EXPECT_EQ(second.server->view.slow_start_at_ms.load(), 0u) << "there is nobody to spare it";
}

TEST_F(Changing, TheFirstRoundMayEndInAReload) {
  monitor.add_pool("ws", settings, {first});
  const Watched moved = [this] {
    Watched out = server("first", two.bound.address);
    out.server = first.server;
    return out;
  }();
  monitor.start([&] { monitor.update_pool("ws", {moved}); });
  run_until(State::up);
  EXPECT_EQ(two.connections, 1);
}

TEST_F(Changing, WhoLeavesIsNoOperatorsBusiness) {
  begin();
  first.server->view.wanted = routing::Wanted::leaving;
  EXPECT_FALSE(monitor.set_wanted("ws", "first", routing::Wanted::serving));
  EXPECT_EQ(first.server->wanted(), routing::Wanted::leaving);
  monitor.update_pool("nobody", {});
  EXPECT_EQ(monitor.status().size(), 1u);
}

}  // namespace
}  // namespace limpet::health
