#include "proxy/session/room.h"

namespace limpet::session {
namespace {

constexpr std::size_t kExchange = 2048;  // about; counted for every room

std::size_t size_of(const Room& room) {
  std::size_t size = sizeof(Room) + kExchange;
  for (const std::string* each :
       {&room.in, &room.ahead, &room.up_head, &room.up_pending, &room.answer_in, &room.down_pending}) {
    size += each->capacity();
  }
  return size + (room.fields.capacity() + room.answer_fields.capacity()) * sizeof(wire::Field);
}

}  // namespace

std::unique_ptr<Room> Rooms::take() {
  if (spare_.empty()) return std::make_unique<Room>();
  std::unique_ptr<Room> room = std::move(spare_.back());
  spare_.pop_back();
  kept_ -= size_of(*room);
  return room;
}

void Rooms::give_back(std::unique_ptr<Room> room) {
  room->clear_exchange();
  room->in.clear();
  room->ahead.clear();
  for (std::string* each :
       {&room->in, &room->ahead, &room->up_head, &room->up_pending, &room->answer_in, &room->down_pending}) {
    if (each->capacity() > kMostBuffer) *each = std::string();
  }
  const std::size_t size = size_of(*room);
  if (kept_ + size > kMostKept) return;
  kept_ += size;
  spare_.push_back(std::move(room));
}

}  // namespace limpet::session
