#include "proxy/session/room.h"

#include <gtest/gtest.h>

#include <vector>

namespace limpet::session {
namespace {

TEST(Rooms, RoomComesBackEmptyWithItsCapacity) {
  Rooms rooms;
  auto room = rooms.take();
  room->in.assign(1000, 'x');
  room->up_head.assign(2000, 'x');
  const Room* const first = room.get();
  rooms.give_back(std::move(room));
  room = rooms.take();
  EXPECT_EQ(room.get(), first);
  EXPECT_EQ(room->in, "");
  EXPECT_EQ(room->up_head, "");
  EXPECT_GE(room->in.capacity(), 1000u);
  EXPECT_GE(room->up_head.capacity(), 2000u);
  EXPECT_EQ(rooms.kept(), 0u);
}

TEST(Rooms, WhatIsKeptIsBounded) {
  Rooms rooms;
  std::vector<std::unique_ptr<Room>> taken;
  for (int i = 0; i < 2000; ++i) {
    taken.push_back(rooms.take());
    taken.back()->in.assign(10'000, 'x');
  }
  for (auto& each : taken) rooms.give_back(std::move(each));
  EXPECT_LE(rooms.kept(), Rooms::kMostKept);
  EXPECT_GT(rooms.kept(), Rooms::kMostKept / 2);
}

TEST(Rooms, OneLargeBufferIsNotKept) {
  Rooms rooms;
  auto room = rooms.take();
  room->down_pending.assign(10'000'000, 'x');
  rooms.give_back(std::move(room));
  EXPECT_LE(rooms.kept(), 10'000u);
  EXPECT_LE(rooms.take()->down_pending.capacity(), Rooms::kMostBuffer);
}

}  // namespace
}  // namespace limpet::session
