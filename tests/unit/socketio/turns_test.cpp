// What is said to one socket is heard in that order, although the adapter keeps what is broadcast for a
// while.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/socketio/silent_adapter.h"
#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Deeds = std::vector<std::function<void()>>;

// Says nothing before it is told to.
class PatientAdapter final : public SilentAdapter {
 public:
  PatientAdapter(adapter::Host& host, Deeds& waiting) : host_(host), waiting_(waiting) {}
  void broadcast(const adapter::Event& event, const adapter::Target& target) override {
    waiting_.push_back([this, target, name = std::string(event.name), args = event.args] {
      host_.deliver(host_.encode({name, args}, std::nullopt), target);
    });
  }
  void in_turn(std::function<void()> deed) override { waiting_.push_back(std::move(deed)); }
  bool appends_offsets() const override { return true; }
  bool waits() const override { return !waiting_.empty(); }

 private:
  adapter::Host& host_;
  Deeds& waiting_;
};

class Turns : public World {
 protected:
  void SetUp() override {
    start([this](Options& options) {
      options.recovery.enabled = true;
      options.adapter = [this](adapter::Host& host) {
        return std::make_unique<PatientAdapter>(host, waiting);
      };
    });
    io->on_connection([this](Socket& socket) { me = SocketPtr(&socket); });
  }
  void do_what_waits() {
    for (const auto& deed : std::exchange(waiting, {})) deed();
  }
  Deeds waiting;
  SocketPtr me;
};

TEST_F(Turns, NothingOvertakesWhatWaits) {
  FakeSession& client = open();
  client.say("0");
  (void)client.heard();
  int answers = 0;
  me->emit("first");
  me->emit_with_ack("asked", {}, 0, [&](const Reply& reply) { answers += reply.ok() ? 1 : 0; });
  me->emit_volatile("volatile");
  me->emit("last");
  EXPECT_THAT(client.heard(), IsEmpty());
  do_what_waits();
  EXPECT_THAT(client.heard(),
              ElementsAre(R"(2["first"])", R"(20["asked"])", R"(2["volatile"])", R"(2["last"])"));
  client.say("30[]");
  EXPECT_EQ(answers, 1);
  me = nullptr;
}

TEST_F(Turns, WhereNothingWaitsItIsSaidAtOnce) {
  FakeSession& client = open();
  client.say("0");
  (void)client.heard();
  me->emit_with_ack("asked", {}, 0, [](const Reply&) {});
  me->emit_volatile("volatile");
  EXPECT_THAT(client.heard(), ElementsAre(R"(20["asked"])", R"(2["volatile"])"));
  EXPECT_THAT(waiting, IsEmpty());
  me = nullptr;
}

TEST_F(Turns, WhoHasGoneIsToldNothing) {
  FakeSession& client = open();
  client.say("0");
  bool answered = false;
  me->emit("first");
  me->emit_with_ack("asked", {}, 0, [&](const Reply& reply) { answered = !reply.ok(); });
  client.end(engine::Reason::transport_close);
  EXPECT_TRUE(answered);
  do_what_waits();
  me = nullptr;
}

}  // namespace
}  // namespace limpet::socketio
