#include "backend/adapter/memory.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>

#include "backend/adapter/rooms.h"
#include "backend/budget/budget.h"

namespace limpet::adapter {
namespace {

// A namespace without sockets: what it encodes is the event's name.
class Nobody final : public Host {
 public:
  std::string_view name() const override { return "/"; }
  bool stopped() const override { return false; }
  net::Loop& loop() override { return loop_; }
  Rooms& rooms() override { return rooms_; }
  Encoded encode(const Event& event, std::optional<std::string_view> offset) override {
    last_offset = offset.value_or("");
    return {ws::Message::make(ws::Kind::text, {event.name}), {}};
  }
  void check(const Event&) const override {}
  void deliver(const Encoded&, const Target&) override {}
  std::size_t deliver_with_ack(const Event&, const Target&, std::function<void(const Args&)>) override {
    return 0;
  }
  void fetch(const Target&, std::vector<RemoteSocket>&) override {}
  void join(const Target&, const std::vector<std::string>&) override {}
  void leave(const Target&, const std::vector<std::string>&) override {}
  void disconnect(const Target&, bool) override {}
  bool on_server_side_event(std::string_view, const Args&, std::function<void(const Args&)>) override {
    return false;
  }

  std::string last_offset;

 private:
  net::Loop loop_;
  Rooms rooms_;
};

class MemoryTest : public testing::Test {
 protected:
  void start(std::size_t max_bytes, std::size_t max_session_bytes) {
    Memory::Settings settings;
    settings.recovery = true;
    settings.max_bytes = max_bytes;
    settings.max_session_bytes = max_session_bytes;
    memory = std::make_unique<Memory>(host, settings);
  }
  std::string tell(std::vector<std::string> rooms) {
    memory->broadcast({"x", {}}, {std::move(rooms), {}, {}});
    return host.last_offset;
  }
  bool restores(std::string_view pid, std::string_view offset) {
    bool found = false;
    memory->restore(pid, offset,
                    [&](const std::optional<Restored>& restored) { found = restored.has_value(); });
    return found;
  }
  Nobody host;
  std::unique_ptr<Memory> memory;
};

std::vector<std::string> many_rooms() {
  std::vector<std::string> rooms;
  for (int i = 0; i < 1000; ++i) rooms.push_back("a name of more than sixteen " + std::to_string(i));
  return rooms;
}

TEST_F(MemoryTest, RoomsOfSessionsAreBoundedInBytes) {
  start(1 << 20, 200'000);
  const std::string seen = tell({});
  for (const char* pid : {"1", "2", "3", "4"}) memory->persist({"sid", pid, many_rooms(), nullptr});
  EXPECT_FALSE(restores("1", seen));
  EXPECT_TRUE(restores("4", seen));
}

TEST_F(MemoryTest, DataOfSessionsIsBoundedInBytes) {
  start(1 << 20, 200'000);
  const std::string seen = tell({});
  boost::json::array data;
  for (int i = 0; i < 5000; ++i) data.emplace_back(boost::json::array());
  for (const char* pid : {"1", "2", "3", "4"}) memory->persist({"sid", pid, {}, data});
  EXPECT_FALSE(restores("1", seen));
  EXPECT_TRUE(restores("4", seen));
}

TEST_F(MemoryTest, WhoIsLostAgainCountsOnce) {
  start(1 << 20, 200'000);
  const std::string seen = tell({});
  memory->persist({"sid", "other", {}, nullptr});
  for (int i = 0; i < 20; ++i) memory->persist({"sid", "1", many_rooms(), nullptr});
  EXPECT_TRUE(restores("other", seen));
  EXPECT_TRUE(restores("1", seen));
}

TEST_F(MemoryTest, ASessionThatIsTooLargeIsNotKept) {
  start(1 << 20, 1000);
  const std::string seen = tell({});
  memory->persist({"sid", "1", many_rooms(), nullptr});
  EXPECT_FALSE(restores("1", seen));
  memory->persist({"sid", "1", {}, nullptr});
  EXPECT_TRUE(restores("1", seen));
}

TEST_F(MemoryTest, RoomsOfPacketsCountToo) {
  start(200'000, 1 << 20);
  memory->persist({"sid", "1", {}, nullptr});
  const std::string first = tell(many_rooms());
  EXPECT_TRUE(restores("1", first));
  for (int i = 0; i < 3; ++i) tell(many_rooms());
  EXPECT_FALSE(restores("1", first));
}

TEST_F(MemoryTest, TheOldestPacketsGoWhereAllHoldTooMuch) {
  budget::Budget budget(host.loop(), 100'000);
  start(1 << 20, 1 << 20);
  memory->persist({"sid", "1", {}, nullptr});
  std::vector<std::string> seen;
  const std::string name(1000, 'x');
  while (budget::total <= 100'000) {
    memory->broadcast({name, {}}, {});
    seen.push_back(host.last_offset);
  }
  EXPECT_TRUE(restores("1", seen.front()));
  net::Timer stop(host.loop(), net::delegate<&net::Loop::stop>(&host.loop()));
  stop.after(0);
  host.loop().run();
  EXPECT_FALSE(restores("1", seen.front()));
  EXPECT_TRUE(restores("1", seen[seen.size() / 2]));
  EXPECT_GT(budget.forgotten(), seen.size() / 5);
  EXPECT_FALSE(budget.tight());
}

// A few thousand rooms and as many packets: found by name, not by comparing each with each.
TEST_F(MemoryTest, WhatWasMissedIsThatOfTheSessionsRooms) {
  start(64 << 20, 64 << 20);
  memory->persist({"sid", "pid", many_rooms(), {}});
  const std::string offset = tell({});
  for (const std::string& room : many_rooms()) {
    memory->broadcast({room, {}}, {{"elsewhere", room}, {}, {}});
    memory->broadcast({"elsewhere", {}}, {{"elsewhere"}, {}, {}});
    memory->broadcast({"but them", {}}, {{}, {"elsewhere", room}, {}});
  }
  tell({});
  std::vector<std::string> missed;
  memory->restore("pid", offset, [&](const std::optional<Restored>& restored) {
    ASSERT_TRUE(restored);
    for (const Encoded& packet : restored->missed) missed.emplace_back(packet.head->body());
  });
  std::vector<std::string> expected = many_rooms();
  expected.emplace_back("x");
  EXPECT_EQ(missed, expected);
}

}  // namespace
}  // namespace limpet::adapter
