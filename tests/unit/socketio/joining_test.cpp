#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

TEST_F(World, TheAnswerComesBeforeWhatTheHandlerEmits) {
  start();
  io->on_connection([](Socket& socket) { socket.emit("auth", socket.auth()); });
  FakeSession& client = open();
  client.say(R"(0{"token":"123"})");
  EXPECT_THAT(client.heard(), ElementsAre(MatchesRegex("0\\{\"sid\":\"[A-Za-z0-9_-]{20}\"\\}"),
                                          R"(2["auth",{"token":"123"}])"));
}

TEST_F(World, AnUnknownNamespaceIsRefused) {
  start();
  FakeSession& client = open();
  client.say("0/random");
  EXPECT_THAT(client.heard(), ElementsAre(R"(4/random,{"message":"Invalid namespace"})"));
  EXPECT_FALSE(client.closed);
}

TEST_F(World, AMiddlewareRefusesWithDataAtOnceOrLater) {
  start();
  std::optional<Next> later;
  io->of("/now").use([](Socket&) { return std::optional(Refusal{"no", {{"why", 1}}}); });
  io->of("/later").use([&](Socket&, const Next& next) { later = next; });
  io->of("/dropped").use([](Socket&, const Next&) {});
  io->of("/thrown").use([](Socket&, const Next&) { throw std::runtime_error("x"); });
  io->of("/task").use([](Socket&) -> Task<std::optional<Refusal>> { co_return Refusal{"task", nullptr}; });
  FakeSession& client = open();
  for (const char* packet : {"0/now,", "0/later,", "0/dropped,", "0/thrown,", "0/task,"}) client.say(packet);
  EXPECT_THAT(client.heard(),
              ElementsAre(R"(4/now,{"message":"no","data":{"why":1}})",
                          R"(4/dropped,{"message":"Internal server error"})",
                          R"(4/thrown,{"message":"Internal server error"})", R"(4/task,{"message":"task"})"));
  (*later)();
  (*later)(Refusal{"again", nullptr});
  EXPECT_THAT(client.heard(), ElementsAre(MatchesRegex("0/later,.*")));
  EXPECT_FALSE(client.closed);
}

TEST_F(World, ASettledDuplicateEndsTheConnectionAnOpenOneDoesNot) {
  start();
  std::vector<Next> waiting;
  io->use([&](Socket&, const Next& next) { waiting.push_back(next); });
  FakeSession& client = open();
  client.say("0");
  client.say("0");
  for (const Next& next : waiting) next();
  EXPECT_THAT(client.heard(), SizeIs(2));
  EXPECT_EQ(io->totals().sockets, 2U);
  client.say("0");
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(io->totals().sockets, 0U);
}

TEST_F(World, WhoGoesWhileAMiddlewareThinksIsForgotten) {
  start();
  std::optional<Next> later;
  io->use([&](Socket&, const Next& next) { later = next; });
  FakeSession& client = open();
  client.say("0");
  client.end(engine::Reason::transport_close);
  (*later)();
  EXPECT_EQ(io->totals().connected, 0U);
}

TEST_F(World, AMiddlewareMayOutliveTheServer) {
  start();
  std::optional<Next> later;
  io->use([&](Socket&, const Next& next) { later = next; });
  open().say("0");
  sessions.clear();
  io.reset();
  (*later)();
}

TEST_F(World, WhoNeverJoinsIsClosed) {
  start([](Options& options) { options.connect_timeout_ms = 1; });
  FakeSession& idle = open();
  FakeSession& joined = join();
  joined.say("1");
  turn(40);
  EXPECT_TRUE(idle.closed);
  EXPECT_FALSE(joined.closed);
}

TEST_F(World, NamespacesAreMadeByPattern) {
  start([](Options& options) { options.cleanup_empty_child_namespaces = true; });
  std::vector<std::string> made;
  io->on_new_namespace([&](Namespace& nsp) { made.emplace_back(nsp.name()); });
  io->of_pattern("^/room-\\d+$").on("who", [](Socket& socket, const Args&, const Ack& ack) {
    ack(socket.nsp().name());
  });
  FakeSession& client = open();
  client.say("0/room-1,");
  client.say("0/room-x,");
  client.heard();
  client.say("2/room-1,5[\"who\"]");
  EXPECT_THAT(client.heard(), ElementsAre(R"(3/room-1,5["/room-1"])"));
  EXPECT_THAT(made, ElementsAre("/room-1"));
  SocketPtr kept;
  io->find("/room-1")->for_each([&](Socket& socket) { kept = &socket; });
  int answered = 0;
  kept->nsp().timeout(10'000).emit_with_ack("q", {}, [&](const Replies& replies) {
    ++answered;
    EXPECT_FALSE(replies.complete);
  });
  kept->nsp().disconnect_sockets();
  EXPECT_EQ(io->find("/room-1"), nullptr);
  EXPECT_EQ(answered, 1);
  // What is kept of it does nothing.
  kept->emit("x");
  kept->broadcast().emit("x");
  kept->nsp().sockets_join({"a"});
  kept->nsp().fetch_sockets([&](const Found& found) { answered += found.error.empty() ? 0 : 1; });
  EXPECT_EQ(answered, 2);
  EXPECT_FALSE(kept->join("a"));
}

TEST_F(World, AVerdictMayComeLateOrNever) {
  start();
  std::vector<Server::Verdict> verdicts;
  io->of([&](std::string_view name, const boost::json::value&, Server::Verdict verdict) {
    if (name != "/dropped") verdicts.push_back(std::move(verdict));
  });
  FakeSession &client = open(), &gone = open();
  client.say("0/dropped,");
  EXPECT_THAT(client.heard(), ElementsAre(R"(4/dropped,{"message":"Invalid namespace"})"));
  client.say("0/late,");
  gone.say("0/left,");
  gone.end(engine::Reason::transport_close);
  for (const auto& verdict : verdicts) verdict(true);
  for (const auto& verdict : verdicts) verdict(false);
  EXPECT_THAT(client.heard(), ElementsAre(MatchesRegex("0/late,.*")));
  EXPECT_EQ(io->find("/left"), nullptr);  // its last socket would never leave
}

TEST_F(World, AVerdictMayOutliveTheServer) {
  start();
  std::vector<Server::Verdict> verdicts;
  io->of([&](std::string_view, const boost::json::value&, Server::Verdict verdict) {
    verdicts.push_back(std::move(verdict));
  });
  FakeSession& client = open();
  client.say("0/called,");
  client.say("0/dropped,");
  sessions.clear();
  io.reset();
  verdicts[0](true);
  verdicts.clear();
}

TEST_F(World, ANamespaceWhoseFirstClientIsSentAwayIsCleanedUp) {
  start([](Options& options) { options.cleanup_empty_child_namespaces = true; });
  io->of_pattern("^/new$");
  io->on_new_namespace([this](Namespace&) { io->of("/").disconnect_sockets(true); });
  join().say("0/new,");
  turn();
  EXPECT_EQ(io->find("/new"), nullptr);
}

TEST_F(World, DynamicNamespacesAreBounded) {
  start([](Options& options) { options.limits.dynamic_namespaces = 1; });
  io->of_pattern("");
  FakeSession& client = open();
  client.say("0/a,");
  client.say("0/b,");
  client.say("0/" + std::string(300, 'x') + ",");
  EXPECT_THAT(client.heard(), ElementsAre(MatchesRegex("0/a,.*"), R"(4/b,{"message":"Invalid namespace"})"));
  EXPECT_TRUE(client.closed);  // a name that nothing could have
}

TEST_F(World, NamespacesOfOneClientAreBounded) {
  start([](Options& options) { options.limits.namespaces_per_client = 1; });
  io->of("/a");
  FakeSession& client = join();
  client.say("0/a,");
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(io->totals().over_limit, 1U);
}

TEST_F(World, AuthIsBounded) {
  start([](Options& options) { options.limits.auth_bytes = 100; });
  io->of("/a");
  const std::string fits(80, 'x'), long_text(100, 'x');
  FakeSession &small = open(), &large = open(), &older = open(3);
  small.say("0{\"token\":\"" + fits + "\"}");
  large.say("0{\"token\":\"" + long_text + "\"}");
  older.say("0/a?token=" + long_text);
  EXPECT_FALSE(small.closed);
  EXPECT_TRUE(large.closed && older.closed);
  EXPECT_EQ(io->totals().over_limit, 2U);
}

TEST_F(World, AnOlderClientIsInTheMainNamespaceUnasked) {
  start();
  io->of("/admin").on_connection([](Socket& socket) { socket.emit("hello", socket.id(), socket.auth()); });
  io->of("/no").use([](Socket&) { return std::optional(Refusal{"plain", nullptr}); });
  io->of("/data").use([](Socket&) { return std::optional(Refusal{"plain", {{"a", 1}}}); });
  FakeSession& client = open(3);
  EXPECT_THAT(client.heard(), ElementsAre("0"));
  EXPECT_NE(io->of("/").find(client.sid()), nullptr);
  client.say("0/admin?tok=a%20b&x=1&x=2,");
  EXPECT_THAT(client.heard(),
              ElementsAre("0/admin,", "2/admin,[\"hello\",\"/admin#" + std::string(client.sid()) +
                                          R"(",{"tok":"a b","x":["1","2"]}])"));
  client.say("0/no");
  client.say("0/data");
  client.say("0/foo");
  EXPECT_THAT(client.heard(), ElementsAre(R"(4/no,"plain")", R"(4/data,{"a":1})",
                                          R"(4/foo,{"message":"Invalid namespace"})"));
  EXPECT_FALSE(client.closed);
}

TEST_F(World, AConnectionIsClosedAtItsTimeWithoutADisconnectPacket) {
  start();
  std::vector<std::string> told;
  io->use([](Socket& socket) -> std::optional<Refusal> {
    socket.close_after(60'000);
    socket.close_after(1);
    return std::nullopt;
  });
  io->on_disconnect([&](Socket&, std::string_view reason) { told.emplace_back(reason); });
  FakeSession& client = join();
  EXPECT_FALSE(client.closed);
  turn(50);
  EXPECT_TRUE(client.closed);
  EXPECT_THAT(client.heard(), IsEmpty());
  EXPECT_THAT(told, ElementsAre("forced close"));
}

TEST_F(World, ASocketThatHasGoneClosesNothing) {
  start();
  SocketPtr kept;
  io->on_connection([&](Socket& socket) {
    kept = &socket;
    socket.close_after(1);
  });
  FakeSession& client = join();
  client.say("1");
  kept->close_after(1);
  turn(50);
  EXPECT_FALSE(client.closed);
}

}  // namespace
}  // namespace limpet::socketio
