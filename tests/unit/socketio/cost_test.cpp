// What a client costs, and what a message does, counted by the whole program's operator new.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/unit/socketio/world.h"

namespace {

std::size_t bytes_held = 0;
std::size_t allocations = 0;

void* counted(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  bytes_held += malloc_usable_size(block) + sizeof(std::size_t);  // and the allocator's own word
  ++allocations;
  return block;
}
void release(void* block) {
  if (block != nullptr) bytes_held -= malloc_usable_size(block) + sizeof(std::size_t);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void operator delete(void* block) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  release(block);
}

namespace limpet::socketio {
namespace {

// A session that keeps nothing.
class SilentSession final : public engine::Session {
 public:
  std::string_view sid() const override { return "00000000000000000000"; }
  int revision() const override { return 4; }
  bool over_websocket() const override { return true; }
  const engine::Handshake& handshake() const override { return *handshake_; }
  void send(const engine::MessageRef&) override {}
  bool writable() const override { return true; }
  void close(engine::Reason) override {}
  void discard(engine::Reason) override {}
  bool closing() const override { return false; }
  void pause() override {}
  void resume() override {}
  engine::Receiver* receiver = nullptr;

 private:
  engine::Handshake::Owner handshake_ = engine::Handshake::make({}, 0, false);
};

class Cost : public World {
 protected:
  static constexpr std::size_t kClients = 10'000;
  void SetUp() override {
    start();
    io->on("join", [](Socket& socket, const Args& args) { socket.join(args[0].as_string()); });
    io->on("echo", [](const Args& args, const Ack& ack) { ack(args); });
    silent.resize(kClients);
  }
  void join(SilentSession& session) {
    session.receiver = io->application().on_open(session);
    session.receiver->on_message(engine::Kind::text, "0");
    session.receiver->on_message(engine::Kind::text, R"(2["join","room"])");
  }
  void TearDown() override {
    for (auto& session : silent) {
      if (session.receiver != nullptr) session.receiver->on_close(engine::Reason::transport_close);
    }
    World::TearDown();
  }
  std::vector<SilentSession> silent;
};

TEST_F(Cost, AClientInARoomIsSmall) {
  const std::size_t before = bytes_held;
  for (auto& session : silent) join(session);
  const double each = static_cast<double>(bytes_held - before) / kClients;
  RecordProperty("bytes", std::to_string(each));
  EXPECT_LE(each, 400);
  EXPECT_EQ(io->of("/").size(), kClients);
}

TEST_F(Cost, AnEventAllocatesNoMoreThanItsValuesAndItsAnswer) {
  join(silent[0]);
  const auto echo = [&] {
    silent[0].receiver->on_message(engine::Kind::text, R"(27["echo","0123456789abcdef0123456789abcdef"])");
  };
  echo();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) echo();
  // The array of arguments, the text in it; messages are the ws layer's own, by malloc or by new.
  EXPECT_LE((allocations - before) / 100.0, 4);
}

TEST_F(Cost, ABroadcastAllocatesTheSameForManyAsForOne) {
  join(silent[0]);
  const auto cost = [&] {
    io->to("room").emit("x", 1);
    const std::size_t before = allocations;
    io->to("room").to("other").except("third").emit("x", 1);
    return allocations - before;
  };
  const std::size_t one = cost();
  for (std::size_t i = 1; i < kClients; ++i) join(silent[i]);
  EXPECT_EQ(cost(), one);
}

}  // namespace
}  // namespace limpet::socketio
