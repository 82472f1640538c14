#include "backend/http/room.h"

namespace limpet::http {
namespace {

constexpr std::size_t kKeptRooms = 64;
constexpr std::size_t kKeptBuffer = 16 * 1024;

}  // namespace

void Room::drop_output() {
  sent = 0;
  if (out.capacity() > kKeptBuffer) {
    out = std::string();
  } else {
    out.clear();
  }
  count();
}

void Room::end_request() {
  for (std::string* each : {&head, &body}) {
    if (each->capacity() > kKeptBuffer) {
      *each = std::string();
    } else {
      each->clear();
    }
  }
  request = {};
  chunks.reset();
  drop_output();
}

void Room::clear() {
  end_request();
  if (in.capacity() > kKeptBuffer) in = std::string();
  drop_input();
}

std::unique_ptr<Room> Rooms::take() {
  if (spare_.empty()) return std::make_unique<Room>();
  std::unique_ptr<Room> room = std::move(spare_.back());
  spare_.pop_back();
  return room;
}

void Rooms::give_back(std::unique_ptr<Room> room) {
  if (spare_.size() == kKeptRooms) return;
  room->clear();
  spare_.push_back(std::move(room));
}

}  // namespace limpet::http
