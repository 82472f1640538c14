#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "backend/socketio/early_saves.h"
#include "tests/unit/socketio/silent_adapter.h"
#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// An adapter that writes down what it is to keep, and gives it back.
class Keeper final : public SilentAdapter {
 public:
  struct Log {
    std::vector<adapter::Session> saved;
    std::vector<std::string> forgotten;
    adapter::Host* host = nullptr;
  };
  Keeper(adapter::Host& host, Log& log) : host_(host), log_(log) { log_.host = &host; }
  void broadcast(const adapter::Event& event, const adapter::Target& target) override {
    host_.deliver(host_.encode(event, "1-1"), target);
  }
  bool appends_offsets() const override { return true; }
  bool saves_early() const override { return true; }
  void persist(adapter::Session session) override { log_.saved.push_back(std::move(session)); }
  void forget(std::string_view pid) override { log_.forgotten.emplace_back(pid); }
  void restore(std::string_view pid, std::string_view,
               std::function<void(std::optional<adapter::Restored>)> done) override {
    for (auto at = log_.saved.rbegin(); at != log_.saved.rend(); ++at) {
      if (at->pid == pid) return done(adapter::Restored{*at, {}});
    }
    done(std::nullopt);
  }

 private:
  adapter::Host& host_;
  Log& log_;
};

class EarlySavesTest : public World {
 protected:
  void SetUp() override {
    start([this](Options& options) {
      options.recovery.enabled = true;
      options.adapter = [this](adapter::Host& host) { return std::make_unique<Keeper>(host, log); };
    });
  }
  // {"sid":..., "pid":...}
  static boost::json::object answer(FakeSession& client) {
    return boost::json::parse(client.heard().back().substr(1)).as_object();
  }
  Socket& socket_of(const boost::json::object& who) { return *io->of("/").find(who.at("sid").as_string()); }
  static std::string back(const boost::json::object& who) {
    return boost::json::serialize(boost::json::object{{"pid", who.at("pid")}, {"offset", "1-1"}});
  }
  FakeSession& enter(boost::json::object& who) {
    FakeSession& client = open();
    client.say("0");
    who = answer(client);
    return client;
  }
  std::vector<adapter::Session> saved() { return std::exchange(log.saved, {}); }

  Keeper::Log log;
  boost::json::object me;
  std::vector<std::string> story;  // told until the last session has ended, after the test
};

TEST_F(EarlySavesTest, ASessionIsSavedWhenItBegins) {
  io->on_connection([](Socket& socket) {
    socket.join("room");
    socket.data() = "mine";
  });
  enter(me);
  const auto first = saved();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_TRUE(first[0].live);
  EXPECT_EQ(first[0].sid, me.at("sid").as_string());
  EXPECT_EQ(first[0].pid, me.at("pid").as_string());
  EXPECT_THAT(first[0].rooms, ElementsAre(first[0].sid, "room"));
  EXPECT_EQ(first[0].data, "mine");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, IsEmpty()) << "nothing has changed since";
  socket_of(me).join("late");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, SizeIs(1));
}

TEST_F(EarlySavesTest, ChangesAreSavedOnceInAWhile) {
  enter(me);
  saved();
  Socket& socket = socket_of(me);
  for (int i = 0; i < 10; ++i) socket.join("room" + std::to_string(i));
  socket.leave("room0");
  socket.data().get_object()["n"] = 1;
  EXPECT_THAT(log.saved, IsEmpty());
  turn(EarlySaves::kWithinMs + 50);
  const auto once = saved();
  ASSERT_THAT(once, SizeIs(1));
  EXPECT_THAT(once[0].rooms, SizeIs(10));
  EXPECT_EQ(once[0].data, (boost::json::value{{"n", 1}}));
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, IsEmpty());
  socket.join("late");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, SizeIs(1));
}

TEST_F(EarlySavesTest, WhatChangesNothingIsNotSaved) {
  enter(me);
  saved();
  Socket& socket = socket_of(me);
  EXPECT_EQ(std::as_const(socket).data(), boost::json::object());
  socket.leave("elsewhere");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, IsEmpty());
  socket.leave(socket.id());
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, SizeIs(1));
}

TEST_F(EarlySavesTest, SessionsOfManyRoomsTakeTurns) {
  boost::json::object others[3];
  for (boost::json::object& each : others) enter(each);
  enter(me);
  saved();
  for (const boost::json::object& each : others) {  // 600 KB each
    Socket& socket = socket_of(each);
    for (int i = 10'000; i < 16'000; ++i) socket.join(std::string(95, 'r') + std::to_string(i));
  }
  socket_of(me).join("room");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(saved(), SizeIs(2));
  turn(EarlySaves::kWithinMs + 50);
  const auto rest = saved();
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_EQ(rest[1].sid, me.at("sid").as_string());
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, IsEmpty());
}

TEST_F(EarlySavesTest, WhoLeavesForGoodIsForgotten) {
  FakeSession& client = enter(me);
  client.say("1");
  EXPECT_THAT(log.forgotten, ElementsAre(std::string(me.at("pid").as_string())));
  EXPECT_THAT(log.saved, SizeIs(1));
}

TEST_F(EarlySavesTest, WhoIsLostIsSavedOnceMore) {
  FakeSession& client = enter(me);
  socket_of(me).join("room");  // its turn to be saved will come, but it has gone by then
  saved();
  client.end(engine::Reason::transport_close);
  turn(EarlySaves::kWithinMs + 50);
  const auto last = saved();
  ASSERT_THAT(last, SizeIs(1));
  EXPECT_FALSE(last[0].live);
  EXPECT_THAT(last[0].rooms, SizeIs(2));
  EXPECT_THAT(log.forgotten, IsEmpty());
}

// Its network has changed: the older connection does not know yet that it is dead.
TEST_F(EarlySavesTest, WhoComesBackWhileItsSocketLivesIsThereOnce) {
  io->on_disconnect([&](Socket&, std::string_view reason) { story.emplace_back(reason); });
  io->on_connection([&](Socket& socket) { story.emplace_back(socket.recovered() ? "recovered" : "new"); });
  FakeSession& older = enter(me);
  socket_of(me).join("room");
  turn(EarlySaves::kWithinMs + 50);
  FakeSession& newer = open();
  newer.say("0" + back(me));
  EXPECT_EQ(answer(newer), me);
  EXPECT_THAT(story, ElementsAre("new", "transport close", "recovered"));
  EXPECT_EQ(io->totals().sockets, 1U);
  EXPECT_TRUE(socket_of(me).in_room("room"));
  io->emit("x");
  EXPECT_THAT(newer.heard(), SizeIs(1));
  EXPECT_THAT(older.heard(), IsEmpty());
  saved();
  older.end(engine::Reason::ping_timeout);
  EXPECT_THAT(log.saved, IsEmpty());
  EXPECT_THAT(log.forgotten, IsEmpty());
  EXPECT_EQ(io->totals().sockets, 1U);
}

TEST_F(EarlySavesTest, WhoseSessionIsElsewhereNowEnds) {
  std::vector<std::string> story;
  io->on_disconnect([&](Socket&, std::string_view reason) { story.emplace_back(reason); });
  FakeSession& client = enter(me);
  saved();
  log.host->supersede("nobody");
  log.host->supersede(me.at("sid").as_string());
  EXPECT_THAT(story, ElementsAre("transport close"));
  EXPECT_EQ(io->totals().sockets, 0U);
  client.end(engine::Reason::ping_timeout);
  EXPECT_THAT(log.saved, IsEmpty());
  EXPECT_THAT(log.forgotten, IsEmpty());
}

TEST_F(EarlySavesTest, AKeyThatIsGoneIsWrittenAgain) {
  enter(me);
  saved();
  log.host->save(me.at("sid").as_string());
  log.host->save("nobody");
  turn(EarlySaves::kWithinMs + 50);
  EXPECT_THAT(log.saved, SizeIs(1));
}

TEST_F(EarlySavesTest, AnOlderClientIsNotToldOfASessionAndHasNone) {
  open(3);
  EXPECT_THAT(log.saved, IsEmpty());
}

}  // namespace
}  // namespace limpet::socketio
