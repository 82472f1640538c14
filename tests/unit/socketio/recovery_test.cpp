#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/unit/socketio/silent_adapter.h"
#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;
using testing::StartsWith;

class RecoveryTest : public World {
 protected:
  void SetUp() override {
    start([](Options& options) {
      options.recovery.enabled = true;
      options.recovery.max_packets = 10;
    });
    io->use([this](Socket&) -> std::optional<Refusal> {
      ++asked;
      return std::nullopt;
    });
    io->on_connection([](Socket& socket) {
      if (socket.recovered()) return;
      socket.join("room");
      socket.data() = "mine";
    });
  }
  // {"sid":…,"pid":…} of a CONNECT's answer.
  static boost::json::object answer(const std::string& packet) {
    return boost::json::parse(packet.substr(1)).as_object();
  }
  static std::string offset(const std::string& event) {
    return std::string(boost::json::parse(event.substr(1)).as_array().back().as_string());
  }
  static std::string back(const boost::json::object& who, std::string_view offset) {
    return "0{\"pid\":\"" + std::string(who.at("pid").as_string()) + "\",\"offset\":\"" +
           std::string(offset) + "\"}";
  }
  int asked = 0;
};

TEST_F(RecoveryTest, WhatWasMissedComesBeforeTheAnswer) {
  FakeSession& client = open();
  client.say("0");
  const auto me = answer(client.heard()[0]);
  io->to("room").emit("first", 1);
  const auto first = client.heard();
  EXPECT_THAT(first, ElementsAre(MatchesRegex("2\\[\"first\",1,\"[0-9A-Za-z_.-]+\"\\]")));
  client.end(engine::Reason::transport_close);

  io->to("room").emit("missed");
  io->to("elsewhere").emit("not mine");
  io->to("room").volatile_().emit("not kept");
  io->except("room").emit("not me");
  io->in(me.at("sid").as_string()).emit("mine alone");

  FakeSession& again = open();
  again.say(back(me, offset(first[0])));
  EXPECT_THAT(again.heard(), ElementsAre(StartsWith("2[\"missed\",\""), StartsWith("2[\"mine alone\",\""),
                                         "0" + boost::json::serialize(me)));
  EXPECT_EQ(asked, 1);
  Socket* socket = io->of("/").find(me.at("sid").as_string());
  ASSERT_NE(socket, nullptr);
  EXPECT_TRUE(socket->recovered());
  EXPECT_EQ(socket->data(), "mine");
  EXPECT_TRUE(socket->in_room("room"));
}

// As in Socket.IO: what comes while it is thought about is neither missed nor heard.
class AskedAgain : public RecoveryTest {
  void SetUp() override {
    start([](Options& options) {
      options.recovery.enabled = true;
      options.recovery.skip_middlewares = false;
    });
  }
};
TEST_F(AskedAgain, WhileAMiddlewareThinksNothingIsHeard) {
  std::vector<Next> thinking;
  io->use([&](Socket&, Next next) { thinking.push_back(std::move(next)); });
  FakeSession& client = open();
  client.say("0");
  thinking[0]();
  const auto me = answer(client.heard()[0]);
  io->emit("first");
  const std::string first = client.heard()[0];
  client.end(engine::Reason::transport_close);
  io->emit("missed");

  FakeSession& again = open();
  again.say(back(me, offset(first)));
  io->emit("meanwhile");
  EXPECT_THAT(again.heard(), testing::IsEmpty());
  thinking[1]();
  io->emit("afterwards");
  EXPECT_THAT(again.heard(), ElementsAre(StartsWith("2[\"missed\",\""), "0" + boost::json::serialize(me),
                                         StartsWith("2[\"afterwards\",\"")));
}

TEST_F(RecoveryTest, SingleEventsCarryOffsetsAcksAndVolatileOnesDoNot) {
  FakeSession& client = join();
  io->of("/").for_each([](Socket& socket) {
    socket.emit("kept");
    socket.emit_volatile("volatile");
    socket.emit_with_ack("asked", {}, 0, [](const Reply&) {});
  });
  EXPECT_THAT(client.heard(),
              ElementsAre(MatchesRegex("2\\[\"kept\",\".+\"\\]"), "2[\"volatile\"]", "20[\"asked\"]"));
}

TEST_F(RecoveryTest, WhoCannotBeRestoredIsNew) {
  FakeSession& client = open();
  client.say("0");
  const auto me = answer(client.heard()[0]);
  io->emit("x");
  const std::string seen = offset(client.heard()[0]);
  client.say("1");  // on purpose
  const auto is_new = [&](const std::string& packet) {
    FakeSession& again = open();
    again.say(packet);
    const auto heard = again.heard();
    return heard.size() == 1 && answer(heard[0]).at("sid") != me.at("sid");
  };
  EXPECT_TRUE(is_new(back(me, seen)));
  EXPECT_TRUE(is_new(R"(0{"pid":"unknown","offset":"x"})"));
  EXPECT_TRUE(is_new(R"(0{"pid":5,"offset":{}})"));
}

TEST_F(RecoveryTest, AnOffsetThatHasBeenForgottenRestoresNothing) {
  FakeSession& client = open();
  client.say("0");
  const auto me = answer(client.heard()[0]);
  io->emit("x");
  const std::string seen = offset(client.heard()[0]);
  client.end(engine::Reason::ping_timeout);
  for (int i = 0; i < 10; ++i) io->emit("flood");
  FakeSession& again = open();
  again.say(back(me, seen));
  const auto heard = again.heard();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_NE(answer(heard[0]).at("sid"), me.at("sid"));
}

TEST_F(RecoveryTest, TheNewerSocketTakesTheIdOver) {
  FakeSession& client = open();
  client.say("0");
  const auto me = answer(client.heard()[0]);
  io->emit("x");
  const std::string seen = offset(client.heard()[0]);
  client.end(engine::Reason::transport_error);
  FakeSession &second = open(), &third = open();
  second.say(back(me, seen));
  third.say(back(me, seen));
  second.heard();
  third.heard();
  io->emit("y");
  EXPECT_TRUE(second.heard().empty());
  EXPECT_EQ(third.heard().size(), 1U);
  second.end(engine::Reason::transport_close);
  EXPECT_EQ(io->totals().sockets, 1U);
}

TEST_F(RecoveryTest, AConnectionLooksForASessionOnceANamespace) {
  FakeSession& client = open();
  client.say("0");
  const auto me = answer(client.heard()[0]);
  io->to("room").emit("first");
  const std::string packet = back(me, offset(client.heard()[0]));
  client.end(engine::Reason::transport_close);
  FakeSession& again = open();
  again.say(packet);
  EXPECT_EQ(again.heard().back(), "0" + boost::json::serialize(me));
  again.say("1");
  again.say(packet);
  EXPECT_NE(answer(again.heard().back()).at("sid"), me.at("sid"));
  again.end(engine::Reason::transport_close);
  FakeSession& other = open();
  other.say(packet);
  EXPECT_EQ(other.heard().back(), "0" + boost::json::serialize(me)) << "another connection may";
}

// An adapter that takes its time.
class SlowAdapter final : public SilentAdapter {
 public:
  using Done = std::function<void(std::optional<adapter::Restored>)>;
  explicit SlowAdapter(std::vector<Done>& asked) : asked_(asked) {}
  void restore(std::string_view, std::string_view, Done done) override { asked_.push_back(std::move(done)); }

 private:
  std::vector<Done>& asked_;
};

TEST_F(World, ManyWhoSayThatTheyAreBackAskTheAdapterOnce) {
  std::vector<SlowAdapter::Done> asked;
  start([&](Options& options) {
    options.recovery.enabled = true;
    options.adapter = [&](adapter::Host&) { return std::make_unique<SlowAdapter>(asked); };
  });
  for (int i = 0; i < 5; ++i) io->of("/" + std::to_string(i));
  FakeSession& client = open();
  for (int i = 0; i < 5; ++i) client.say("0/" + std::to_string(i) + R"(,{"pid":"p","offset":"o"})");
  EXPECT_EQ(asked.size(), 5u) << "one for each namespace";
  for (int i = 0; i < 50; ++i) client.say(R"(0/1,{"pid":"p","offset":"o"})");
  EXPECT_EQ(asked.size(), 5u);
  for (const auto& done : asked) done(std::nullopt);
}

TEST_F(World, WhoIsRefusedHearsNothingOfWhatWasMissed) {
  start([](Options& options) {
    options.recovery.enabled = true;
    options.recovery.skip_middlewares = false;
  });
  bool refuse = false;
  io->use([&](Socket&) { return refuse ? std::optional(Refusal{"no", nullptr}) : std::nullopt; });
  FakeSession& client = open();
  client.say("0");
  const auto me = boost::json::parse(client.heard()[0].substr(1)).as_object();
  io->emit("x");
  const auto seen = boost::json::parse(client.heard()[0].substr(1)).as_array();
  client.end(engine::Reason::transport_close);
  io->emit("secret");
  const std::string back =
      "0" + boost::json::serialize(boost::json::object{{"pid", me.at("pid")}, {"offset", seen.back()}});
  refuse = true;
  FakeSession& stranger = open();
  stranger.say(back);
  EXPECT_THAT(stranger.heard(), ElementsAre("4{\"message\":\"no\"}"));
  EXPECT_EQ(io->totals().recovered, 0U);
  refuse = false;
  FakeSession& again = open();
  again.say(back);
  EXPECT_THAT(again.heard(), ElementsAre(StartsWith("2[\"secret\","), "0" + boost::json::serialize(me)));
  EXPECT_EQ(io->totals().recovered, 1U);
}

// As with Redis streams: what is asked for is taken out.
class OnceAdapter final : public SilentAdapter {
 public:
  explicit OnceAdapter(std::optional<adapter::Session>& kept) : kept_(kept) {}
  void persist(adapter::Session session) override { kept_ = std::move(session); }
  void restore(std::string_view, std::string_view,
               std::function<void(std::optional<adapter::Restored>)> done) override {
    auto session = std::exchange(kept_, std::nullopt);
    done(session ? std::optional(adapter::Restored{std::move(*session), {}}) : std::nullopt);
  }

 private:
  std::optional<adapter::Session>& kept_;
};

TEST_F(World, WhoGoesWhileAMiddlewareThinksMayComeBackOnceMore) {
  std::optional<adapter::Session> kept;
  start([&](Options& options) {
    options.recovery.enabled = true;
    options.recovery.skip_middlewares = false;
    options.adapter = [&](adapter::Host&) { return std::make_unique<OnceAdapter>(kept); };
  });
  std::optional<Next> later;
  io->use([&](Socket&, const Next& next) { later = next; });
  for (const auto& verdict : {std::optional<Refusal>(), std::optional(Refusal{"gone", nullptr})}) {
    kept = adapter::Session{"sid-of-20-characters", "p", {"sid-of-20-characters", "room"}, "mine"};
    FakeSession& client = open();
    client.say(R"(0{"pid":"p","offset":"o"})");
    EXPECT_FALSE(kept);
    client.end(engine::Reason::transport_close);
    verdict ? (*later)(*verdict) : (*later)();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->sid, "sid-of-20-characters");
    EXPECT_EQ(kept->pid, "p");
    EXPECT_THAT(kept->rooms, ElementsAre("sid-of-20-characters", "room"));
    EXPECT_EQ(kept->data, "mine");
    EXPECT_FALSE(kept->live);
  }
  FakeSession& back = open();
  back.say(R"(0{"pid":"p","offset":"o"})");
  (*later)();
  EXPECT_EQ(io->totals().recovered, 1U);
  back.end(engine::Reason::transport_close);
}

// The older of two sockets with one id is in no room, but its client may go on talking.
TEST_F(World, ANamespaceStaysWhileASupersededSocketIsInIt) {
  start([](Options& options) {
    options.recovery.enabled = true;
    options.cleanup_empty_child_namespaces = true;
  });
  io->of_pattern("^/d$").on("ask", [](Socket& socket) { socket.emit("told"); });
  FakeSession &other = open(), &lost = open();
  other.say("0/d,");
  lost.say("0/d,");
  const auto me = boost::json::parse(lost.heard()[0].substr(4)).as_object();
  io->of("/d").emit("x");
  const auto seen = boost::json::parse(lost.heard()[0].substr(4)).as_array();
  lost.end(engine::Reason::transport_close);
  const boost::json::object auth{{"pid", me.at("pid")}, {"offset", seen.back()}};
  FakeSession &older = open(), &newer = open();
  for (FakeSession* session : {&older, &newer}) session->say("0/d," + boost::json::serialize(auth));
  other.say("1/d,");
  newer.say("1/d,");
  turn();
  EXPECT_NE(io->find("/d"), nullptr);
  older.say("2/d,[\"ask\"]");
  older.end(engine::Reason::transport_close);
  turn();
  EXPECT_EQ(io->find("/d"), nullptr);
}

}  // namespace
}  // namespace limpet::socketio
