// What stands in an event's way to its handlers, who hears what is sent, and how handlers come and go.
#include "tests/unit/socketio/silent_adapter.h"
#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Passing : public World {
 protected:
  // A client whose socket, and no other, is prepared.
  FakeSession& start_with(const std::function<void(Socket&)>& prepare,
                          const std::function<void(Options&)>& change = {}) {
    start(change);
    io->on_connection([this, prepare](Socket& socket) {
      if (kept) return;
      kept = &socket;
      prepare(socket);
    });
    FakeSession& client = join();
    return client;
  }
  // The newest namespace is played to as its adapter does.
  void start_silent() {
    start([this](Options& options) {
      options.cleanup_empty_child_namespaces = true;
      options.adapter = [this](adapter::Host& host) {
        newest = &host;
        return std::make_unique<SilentAdapter>();
      };
    });
  }
  void note(std::string text) { notes.push_back(std::move(text)); }

  SocketPtr kept;
  adapter::Host* newest = nullptr;
  std::vector<std::string> notes;
};

TEST_F(Passing, AMiddlewareMayChangeAnswerAndRefuseAnEvent) {
  FakeSession& client = start_with([](Socket& socket) {
    socket.use([](Incoming& event, Next next) {
      if (event.name == "no") return next({"refused", {{"code", 7}}});
      if (event.name == "answered") return event.ack("early");
      if (event.name == "old") event.name = "new";
      event.args.add("seen");
      next();
    });
    socket.on("new", [](Socket& s, const Args& args) { s.emit("back", args); });
    socket.on("no", [](Socket& s) { s.emit("never"); });
    socket.on_error([](Socket& s, const Refusal& why) { s.emit("failed", why.message, why.data); });
  });
  client.say(R"(2["old",1])");
  client.say(R"(20["answered"])");
  client.say(R"(2["no"])");
  EXPECT_THAT(client.heard(),
              ElementsAre(R"(2["back",1,"seen"])", R"(30["early"])", R"(2["failed","refused",{"code":7}])"));
}

TEST_F(Passing, EveryShapeOfAMiddlewareIsTaken) {
  std::vector<Next> thinking;
  FakeSession& client = start_with([&](Socket& socket) {
    socket.use([this](Socket&, Incoming&, const Next& next) { note("socket, event, next"), next(); });
    socket.use([this](Incoming&, const Next& next) { note("event, next"), next(); });
    socket.use([this](Incoming&) -> std::optional<Refusal> { return note("event"), std::nullopt; });
    socket.use([this](Socket&, Incoming&) -> std::optional<Refusal> { return note("both"), std::nullopt; });
    socket.use([&](Incoming& event) -> Task<std::optional<Refusal>> {
      const bool in = co_await Pending<bool>([&](Pending<bool>::Done done) {
        thinking.emplace_back([done](const std::optional<Refusal>& refusal) { done(!refusal); });
      });
      event.args.add(in);
      co_return in ? std::nullopt : std::optional(Refusal{"no", nullptr});
    });
    socket.on("e", [this](const Args& args) { note("handler " + std::to_string(args.size())); });
    socket.on_error([this](Socket&, std::string_view what) { note(std::string(what)); });
  });
  client.say(R"(2["e",1])");
  EXPECT_THAT(notes, ElementsAre("socket, event, next", "event, next", "event", "both"));
  thinking[0]();
  EXPECT_EQ(notes.back(), "handler 2");
  client.say(R"(2["e"])");
  thinking[1](Refusal{"whatever", nullptr});
  EXPECT_EQ(notes.back(), "no");
}

TEST_F(Passing, ANextThatIsDroppedDropsTheEventAndAnExceptionIsReported) {
  FakeSession& client = start_with([this](Socket& socket) {
    socket.use([](Incoming& event, const Next& next) {
      if (event.name == "throws") throw std::runtime_error("x");
      if (event.name == "through") next();
    });
    socket.on_any([this](Socket&, std::string_view event, const Args&) { note(std::string(event)); });
    socket.on("through", [this](const Args&) { note("came"); });
    for (const char* name : {"throws", "dropped"}) socket.on(name, [this](const Args&) { note("never"); });
    socket.on_error([this](Socket&, std::string_view) { note("never"); });
  });
  for (const char* name : {"throws", "dropped", "through"}) client.say("2[\"" + std::string(name) + "\"]");
  EXPECT_THAT(notes, ElementsAre("throws", "dropped", "through", "came"));
  EXPECT_THAT(exceptions, ElementsAre("middleware"));
}

TEST_F(Passing, WhoHasGoneIsNotPassedOn) {
  std::vector<Next> thinking;
  FakeSession& client = start_with([&](Socket& socket) {
    socket.use([&](Incoming&, Next next) { thinking.push_back(std::move(next)); });
    socket.on("e", [this](const Args&) { note("handler"); });
    socket.on_error([this](Socket&, std::string_view) { note("error"); });
  });
  for (int i = 0; i < 3; ++i) client.say(R"(2["e"])");
  thinking[0]();
  client.say("1");
  thinking[1]();
  thinking[2](Refusal{"late", nullptr});
  EXPECT_THAT(notes, ElementsAre("handler"));
}

TEST_F(Passing, AnEventThatIsThoughtAboutOutlivesTheServer) {
  std::vector<Next> thinking;
  FakeSession& client = start_with([&](Socket& socket) {
    socket.use([&](Incoming&, Next next) { thinking.push_back(std::move(next)); });
    socket.on("e", [this](const Args&) { note("handler"); });
  });
  client.say(R"(20["e",1])");
  kept.reset();
  client.receiver = nullptr;
  io.reset();
  thinking[0]();
  thinking.clear();
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(Passing, ANamespacesMiddlewaresOfEventsComeFirst) {
  start();
  io->sockets().use_events([this](Incoming& event) -> std::optional<Refusal> {
    note("namespace");
    return event.name == "no" ? std::optional(Refusal{"no", nullptr}) : std::nullopt;
  });
  io->on_connection([this](Socket& socket) {
    socket.use([this](Incoming&, const Next& next) { note("socket"), next(); });
  });
  io->sockets().on_error([this](Socket&, std::string_view what) { note(std::string(what)); });
  FakeSession& client = join();
  client.say(R"(2["yes"])");
  client.say(R"(2["no"])");
  EXPECT_THAT(notes, ElementsAre("namespace", "socket", "namespace", "no"));
}

TEST_F(Passing, HandlersComeAndGo) {
  FakeSession& client = start_with([this](Socket& socket) {
    socket.once("e", [this](const Args&) { note("once"); });
    const HandlerId first = socket.on("e", [this](const Args&) { note("first"); });
    socket.on("e", [this, first](Socket& s, const Args&) {
      note("second");
      s.off(first);
      s.on("e", [this](const Args&) { note("third"); });
    });
    socket.on_any([this](Socket& s, std::string_view, const Args&) {
      note("any");
      s.off_any();
    });
  });
  client.say(R"(2["e"])");
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("any", "once", "first", "second"));
  client.say(R"(2["e"])");
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("second", "third"));
  kept->off("e");
  client.say(R"(2["e"])");
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(Passing, AHandlerThatTakesItselfAndThoseBehindItOutIsTheLast) {
  FakeSession& client = start_with([this](Socket& socket) {
    socket.on("e", [this](Socket& s) { note("first"), s.off("e"); });
    socket.on("e", [this](Socket&) { note("never"); });
  });
  client.say(R"(2["e"])");
  client.say(R"(2["e"])");
  EXPECT_THAT(notes, ElementsAre("first"));
}

TEST_F(Passing, ANamespacesHandlersGoByTheirIds) {
  start();
  Namespace& nsp = io->sockets();
  const HandlerId left = nsp.on_disconnect([this](Socket&, std::string_view) { note("left"); });
  const HandlerId heard = nsp.on("e", [this](const Args&) { note("e"); });
  nsp.once("e", [this](const Args&) { note("once"); });
  FakeSession &one = join(), &two = join();
  one.say(R"(2["e"])");
  two.say(R"(2["e"])");
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("e", "once", "e"));
  nsp.off(heard);
  nsp.off(left);
  nsp.off(HandlerId::none);
  one.say(R"(2["e"])");
  one.say("1");
  EXPECT_THAT(notes, IsEmpty());
}

// --- what is sent ---

TEST_F(Passing, WhatIsSentIsToldBefore) {
  FakeSession& client = start_with([this](Socket& socket) {
    socket.join("room");
    socket.on_any_outgoing([this](Socket& s, std::string_view event, const Args& args) {
      note(std::string(event) + ' ' + std::to_string(args.size()) + ' ' +
           std::to_string(args.binaries().size()));
      EXPECT_EQ(&s, kept.get());
    });
  });
  FakeSession& other = join();
  kept->emit("single", 1, 2);
  kept->emit("bytes", Binary{"xy"});
  kept->emit_volatile("volatile");
  kept->emit_with_ack("asked", Args{1}, 0, [](const Reply&) {});
  io->emit("all", "x");
  io->to("room").emit("room", Binary{"z"}, "text");
  io->except("room").emit("others");
  io->to("room").emit_with_ack("vote", Args{1}, [](const Replies&) {});
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("single 2 0", "bytes 1 1", "volatile 0 0", "asked 1 0",
                                                    "all 1 0", "room 2 1", "vote 1 0"));
  kept->off_any_outgoing();
  io->emit("all");
  kept->emit("single");
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_THAT(other.heard(), ElementsAre(R"(2["all","x"])", R"(2["others"])", R"(2["all"])"));
  client.heard();
}

TEST_F(Passing, ANamespaceHearsWhatEachOfItsSocketsIsSent) {
  start();
  const HandlerId id = io->sockets().on_any_outgoing([this](Socket& s, std::string_view event, const Args&) {
    note(std::string(event) + (s.in_room("a") ? " a" : ""));
  });
  io->on("join", [](Socket& socket) { socket.join("a"); });
  FakeSession& one = join();
  join();
  one.say(R"(2["join"])");
  io->emit("all");
  io->to("a").emit("room");
  EXPECT_THAT(std::exchange(notes, {}), testing::UnorderedElementsAre("all a", "all", "room a"));
  io->sockets().off(id);
  io->emit("all");
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(Passing, WithRecoveryTheOffsetIsAmongWhatIsSent) {
  start_with(
      [this](Socket& socket) {
        socket.on_any_outgoing([this](Socket&, std::string_view event, const Args& args) {
          note(std::string(event) + ' ' + std::to_string(args.size()));
        });
      },
      [](Options& options) { options.recovery.enabled = true; });
  kept->emit("single");
  io->emit("all", 1);
  io->volatile_().emit("volatile");
  EXPECT_THAT(notes, ElementsAre("single 1", "all 2", "volatile 0"));
}

TEST_F(Passing, WhoIsEndedByWhatHearsItIsSentNothingMore) {
  FakeSession& client = start_with([](Socket& socket) {
    socket.on_any_outgoing([](Socket& s, std::string_view, const Args&) { s.disconnect(); });
  });
  const SocketPtr socket = kept;
  io->emit("all");
  socket->emit("single");
  EXPECT_THAT(client.heard(), ElementsAre("1"));
  bool failed = false;
  socket->emit_with_ack("asked", {}, 0, [&](const Reply& reply) { failed = !reply.ok(); });
  EXPECT_TRUE(failed);
}

// The last socket of a dynamic namespace takes that with it.
TEST_F(Passing, ANamespaceMayEndWhileItIsTold) {
  start([](Options& options) { options.cleanup_empty_child_namespaces = true; });
  auto& parent = io->of_pattern("^/d");
  parent.on_any_outgoing([](Socket& s, std::string_view, const Args&) { s.disconnect(); });
  for (int way = 0; way < 2; ++way) {
    FakeSession& client = open();
    client.say("0/d1,");
    ASSERT_NE(io->find("/d1"), nullptr);
    if (way == 0) {
      io->find("/d1")->emit("all");
    } else {
      io->find("/d1")->emit_with_ack("ask", {}, [](const Replies&) {});
    }
    EXPECT_EQ(io->find("/d1"), nullptr);
    EXPECT_EQ(client.heard().back(), "1/d1,");
    turn();
  }
}

TEST_F(Passing, ANamespaceMayEndWhileItHearsAnotherServer) {
  start_silent();
  io->of_pattern("^/d");
  open().say("0/d1,");
  Namespace* nsp = io->find("/d1");
  ASSERT_NE(nsp, nullptr);
  nsp->on_server_event("end", [&](const Args&, const auto&) {
    note("first");
    nsp->for_each([](Socket& socket) { socket.disconnect(); });
  });
  nsp->on_server_event("end", [&](const Args&, const auto&) { note("second"); });
  EXPECT_TRUE(newest->on_server_side_event("end", {}, {}));
  EXPECT_EQ(io->find("/d1"), nullptr);
  EXPECT_THAT(notes, ElementsAre("first"));
}

TEST_F(Passing, AnotherServerIsAnsweredOnce) {
  start_silent();
  const auto twice = [](const Args&, const auto& reply) {
    reply({1});
    reply({2});
  };
  io->on_server_event("ask", twice);
  EXPECT_TRUE(newest->on_server_side_event("ask", {}, {}));  // it wants no answer
  io->on_server_event("ask", twice);
  EXPECT_TRUE(newest->on_server_side_event(
      "ask", {}, [this](const Args& answer) { note(std::to_string(answer[0].as_int64())); }));
  EXPECT_THAT(notes, ElementsAre("1"));
  EXPECT_FALSE(newest->on_server_side_event("unheard", {}, {}));
}

TEST_F(Passing, WhatNoClientWouldTakeIsKnownUnencoded) {
  start_silent();
  Args args;
  const boost::json::value bytes = args.attach("A");
  for (int i = 0; i < 10; ++i) args.add(bytes);
  newest->check({"x", args});
  newest->check({"connect", args, true});  // the number of that name, if there were one
  EXPECT_THROW(newest->check({"connect", {}}), std::invalid_argument);
  args.add(bytes);
  EXPECT_THROW(newest->check({"x", args}), std::invalid_argument);
  EXPECT_THROW((void)newest->encode({"x", args}, std::nullopt), std::invalid_argument);
}

// --- the rest of what Socket.IO has ---

TEST_F(Passing, RoomsAreNamedOneByOneOrTogether) {
  start();
  io->on("join", [](Socket& socket, const Args& args) {
    for (const auto& room : args.values()) socket.join(room.as_string());
  });
  FakeSession &one = join(), &two = join(), &three = join();
  one.say(R"(2["join","a"])");
  two.say(R"(2["join","b"])");
  three.say(R"(2["join","a","c"])");
  const std::vector<std::string> list{"a", "b"};
  io->to({"a", "b"}).except(std::string("c")).emit("x", 1);
  io->in(list).except({"b", "c"}).emit("x", 2);
  io->to("a").to("b").emit("x", 3);
  EXPECT_THAT(one.heard(), ElementsAre(R"(2["x",1])", R"(2["x",2])", R"(2["x",3])"));
  EXPECT_THAT(two.heard(), ElementsAre(R"(2["x",1])", R"(2["x",3])"));
  EXPECT_THAT(three.heard(), ElementsAre(R"(2["x",3])"));
}

TEST_F(Passing, AServerSpeaksForItsMainNamespace) {
  start();
  FakeSession &one = join(), &two = join();
  io->sockets_join("a");
  io->sockets_join({"b", "c"});
  io->sockets_leave(std::vector<std::string>{"b"});
  std::size_t found = 0;
  io->fetch_sockets([&](const Found& all) { found = all.sockets.size(); });
  EXPECT_EQ(found, 2U);
  EXPECT_THAT(io->sockets().room_names(), testing::UnorderedElementsAre("a", "c"));
  io->local().emit("l");
  io->volatile_().emit("v");
  io->compress(false).emit("c");
  Replies replies;
  io->emit_with_ack("q", Args{1}, [&](const Replies& all) { replies = all; });
  EXPECT_THAT(one.heard(), ElementsAre(R"(2["l"])", R"(2["v"])", R"(2["c"])", R"(20["q",1])"));
  one.say("30[1]");
  two.say("30[2]");
  EXPECT_TRUE(replies.complete);
  EXPECT_EQ(replies.answers.size(), 2U);
  bool answered = false;
  io->server_side_emit("hello", {}, [&](std::string_view error, const Args& answers) {
    answered = error.empty() && answers.empty();
  });
  EXPECT_TRUE(answered);
  io->disconnect_sockets();
  EXPECT_THAT(one.heard(), ElementsAre("1"));
}

TEST_F(Passing, AProgramMayForbidASession) {
  std::optional<std::string> why;
  start([&](Options& options) {
    options.forbid = [&](const wire::RequestHead& head, const net::Address&) {
      if (head.target.empty()) throw std::runtime_error("x");
      return why;
    };
  });
  wire::RequestHead head;
  head.target = "/socket.io/";
  EXPECT_EQ(io->application().forbid(head, {}), std::nullopt);
  why = "not today";
  EXPECT_EQ(io->application().forbid(head, {}), why);
  head.target = "";
  EXPECT_EQ(io->application().forbid(head, {}), "");
  EXPECT_THAT(exceptions, ElementsAre("forbid"));
}

TEST_F(Passing, ASocketKnowsWhatCarriesIt) {
  FakeSession& client = start_with([](Socket&) {});
  EXPECT_EQ(kept->transport(), "websocket");
  client.websocket = false;
  EXPECT_EQ(kept->transport(), "polling");
  client.say("1");
  EXPECT_EQ(kept->transport(), "");
}

TEST_F(Passing, ANamespaceThatFitsAPatternIsItsChild) {
  start();
  auto& parent = io->of_pattern("^/d-\\d+$");
  parent.on("e", [this](const Args&) { note("parent's"); });
  io->of("/d-1").on("e", [this](const Args&) { note("child's"); });
  EXPECT_EQ(&io->of("d-1"), &io->of("/d-1"));
  io->of("/d-x").on("e", [this](const Args&) { note("another's"); });
  FakeSession& client = open();
  for (const char* nsp : {"/d-1", "/d-x"}) {
    client.say("0" + std::string(nsp) + ",");
    client.say("2" + std::string(nsp) + ",[\"e\"]");
  }
  EXPECT_THAT(notes, ElementsAre("parent's", "child's", "another's"));
}

}  // namespace
}  // namespace limpet::socketio
