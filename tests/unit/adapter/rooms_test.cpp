#include "backend/adapter/rooms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "backend/adapter/adapter.h"

namespace limpet::adapter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Someone : Member {
  explicit Someone(std::string_view id) { name(id); }
};

class RoomsTest : public testing::Test {
 protected:
  Someone& add(std::string_view id) {
    everyone.push_back(std::make_unique<Someone>(id));
    rooms.add(*everyone.back());
    return *everyone.back();
  }
  std::vector<std::string> reached(std::vector<std::string> in, std::vector<std::string> except = {}) {
    std::vector<std::string> ids;
    rooms.visit(Target{std::move(in), std::move(except), {}},
                [&](Member& member) { ids.emplace_back(member.id()); });
    return ids;
  }
  Rooms rooms;
  std::vector<std::unique_ptr<Someone>> everyone;
};

TEST_F(RoomsTest, AUnionComesToEachOnce) {
  Someone &a = add("a"), &b = add("b"), &c = add("c");
  add("d");
  rooms.join(a, "x");
  rooms.join(b, "x");
  rooms.join(b, "y");
  rooms.join(c, "y");
  EXPECT_THAT(reached({"x", "y"}), UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(reached({"x", "y", "x"}, {"y"}), ElementsAre("a"));
  EXPECT_THAT(reached({}, {"x"}), UnorderedElementsAre("c", "d"));
  EXPECT_THAT(reached({}), UnorderedElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(reached({"nowhere"}), IsEmpty());
}

TEST_F(RoomsTest, EveryoneIsInARoomOfTheirOwn) {
  Someone& a = add("a");
  Someone& b = add("b");
  EXPECT_THAT(reached({"a"}), ElementsAre("a"));
  EXPECT_THAT(reached({"a", "b"}, {"b"}), ElementsAre("a"));
  rooms.join(b, "a");
  EXPECT_THAT(reached({"a"}), UnorderedElementsAre("a", "b"));
  EXPECT_TRUE(rooms.leave(a, "a"));
  EXPECT_THAT(reached({"a"}), ElementsAre("b"));
  EXPECT_THAT(rooms.names_of(a), IsEmpty());
  rooms.join(a, "a");
  EXPECT_THAT(rooms.names_of(a), ElementsAre("a"));
  EXPECT_EQ(rooms.rooms(), 1U);
}

TEST_F(RoomsTest, RoomsComeAndGoAndAreToldOf) {
  std::vector<std::string> told;
  rooms.on_room = [&](std::string_view room, bool exists) {
    told.push_back((exists ? "+" : "-") + std::string(room));
  };
  Someone &a = add("a"), &b = add("b");
  rooms.join(a, "x");
  rooms.join(a, "x");
  rooms.join(b, "x");
  EXPECT_TRUE(rooms.leave(a, "x"));
  EXPECT_FALSE(rooms.leave(a, "x"));
  EXPECT_TRUE(rooms.exists("x"));
  rooms.remove(b);
  EXPECT_FALSE(rooms.exists("x"));
  EXPECT_FALSE(rooms.exists("b"));
  EXPECT_THAT(told, ElementsAre("+x", "-x"));
  EXPECT_EQ(rooms.rooms(), 0U);
}

TEST_F(RoomsTest, NamesStayInTheOrderOfJoining) {
  Someone& a = add("a");
  for (const char* room : {"1", "2", "3", "4"}) rooms.join(a, room);
  rooms.leave(a, "2");
  EXPECT_THAT(rooms.names_of(a), ElementsAre("a", "1", "3", "4"));
}

TEST_F(RoomsTest, AnIdMayBeTakenOver) {
  Someone &old = add("a"), &young = add("a");
  EXPECT_EQ(rooms.find("a"), &young);
  rooms.remove(old);
  EXPECT_EQ(rooms.find("a"), &young);
  rooms.remove(young);
  EXPECT_EQ(rooms.find("a"), nullptr);
}

TEST_F(RoomsTest, WhoIsNotInYetIsNotVisited) {
  everyone.push_back(std::make_unique<Someone>("a"));
  Someone& a = *everyone.back();
  rooms.join(a, "x");
  EXPECT_THAT(reached({"x"}), IsEmpty());
  rooms.add(a);
  EXPECT_THAT(reached({"x"}), ElementsAre("a"));
  rooms.remove(a);
  EXPECT_EQ(rooms.rooms(), 0U);
}

// Against sets, at random.
TEST_F(RoomsTest, MembershipHoldsThroughEverything) {
  std::mt19937 random(7);
  std::map<std::string, std::set<std::string>> model;  // room to ids
  for (int i = 0; i < 30; ++i) add("id" + std::to_string(i));
  std::vector<bool> in(30, true);
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t who = random() % 30;
    Someone& one = *everyone[who];
    const std::string id(one.id()), room = "r" + std::to_string(random() % 90);
    const unsigned what = random() % 20;
    if (!in[who]) {
      rooms.add(one);
      in[who] = true;
    } else if (what < 12) {
      rooms.join(one, room);
      model[room].insert(id);
    } else if (what < 19) {
      rooms.leave(one, room);
      model[room].erase(id);
    } else {
      rooms.remove(one);
      in[who] = false;
      for (auto& [name, ids] : model) ids.erase(id);
    }
    if (step % 100 != 0) continue;
    for (const auto& [name, ids] : model) {
      const auto found = reached({name});
      ASSERT_EQ(std::set<std::string>(found.begin(), found.end()), ids) << name;
      ASSERT_EQ(rooms.exists(name), !ids.empty());
    }
  }
}

}  // namespace
}  // namespace limpet::adapter
