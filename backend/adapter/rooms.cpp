#include "backend/adapter/rooms.h"

#include <utility>

namespace limpet::adapter {
namespace {

constexpr std::size_t kFew = 64;  // seats that are kept in the order of joining, as a JavaScript Set is

}  // namespace

void Rooms::add(Member& member) {
  member.place_ = static_cast<std::uint32_t>(everyone_.size());
  everyone_.push_back(&member);
  ids_.insert(&member);
  if (on_member) on_member(member.id(), true);
}

void Rooms::remove(Member& member) {
  leave_all(member);
  if (!has(member)) return;
  if (on_member) on_member(member.id(), false);
  Member* last = everyone_.back();
  last->place_ = member.place_;
  everyone_[member.place_] = last;
  everyone_.pop_back();
  member.place_ = Member::kNowhere;
  ids_.erase(&member);
}

void Rooms::join(Member& member, std::string_view name) {
  if (name == member.id()) {
    member.in_own_room_ = true;
    return;
  }
  if (seat_in(member, name) != nullptr) return;
  auto at = rooms_.find(name);
  const bool fresh = at == rooms_.end();
  if (fresh) {
    at = rooms_.try_emplace(std::string(name)).first;
    at->second.name = at->first;
  }
  Room& room = at->second;
  room.places.push_back({&member, static_cast<std::uint32_t>(member.seats_.size())});
  member.seats_.push_back({&room, static_cast<std::uint32_t>(room.places.size() - 1)});
  if (fresh && on_room) on_room(name, true);
}

bool Rooms::leave(Member& member, std::string_view name) {
  const bool was_its_own = name == member.id() && std::exchange(member.in_own_room_, false);
  const Member::Seat* seat = seat_in(member, name);
  if (seat != nullptr) stand_up(member, static_cast<std::size_t>(seat - member.seats_.data()));
  return was_its_own || seat != nullptr;
}

void Rooms::leave_all(Member& member) {
  member.in_own_room_ = false;
  while (!member.seats_.empty()) stand_up(member, member.seats_.size() - 1);
}

// The last of the room takes the place that is left. Seats close up: one by one while they are few, so that
// they stay in order, else the last takes the gap.
void Rooms::stand_up(Member& member, std::size_t index) {
  const auto [room, place] = member.seats_[index];
  const Room::Place last = room->places.back();
  room->places[place] = last;
  last.member->seats_[last.seat].place = place;
  room->places.pop_back();

  std::vector<Member::Seat>& seats = member.seats_;
  const std::size_t end = seats.size() - 1;
  if (seats.size() > kFew) seats[index] = seats[end];
  for (std::size_t i = index; i < end; ++i) {
    if (seats.size() <= kFew) seats[i] = seats[i + 1];
    seats[i].room->places[seats[i].place].seat = static_cast<std::uint32_t>(i);
    if (seats.size() > kFew) break;
  }
  seats.pop_back();
  if (seats.empty()) seats.shrink_to_fit();

  if (!room->places.empty()) return;
  const auto node = rooms_.extract(rooms_.find(room->name));
  if (on_room) on_room(node.key(), false);
}

bool Rooms::in_room(const Member& member, std::string_view room) const {
  return (room == member.id() && member.in_own_room_ && has(member)) || seat_in(member, room) != nullptr;
}

// The shorter of the two lists is searched: a member of few rooms, a room of few members.
const Member::Seat* Rooms::seat_in(const Member& member, std::string_view name) const {
  if (member.seats_.size() <= 8) {
    for (const Member::Seat& seat : member.seats_) {
      if (seat.room->name == name) return &seat;
    }
    return nullptr;
  }
  const auto at = rooms_.find(name);
  if (at == rooms_.end()) return nullptr;
  const Room& room = at->second;
  if (room.places.size() < member.seats_.size()) {
    for (const Room::Place& place : room.places) {
      if (place.member == &member) return &member.seats_[place.seat];
    }
    return nullptr;
  }
  for (const Member::Seat& seat : member.seats_) {
    if (seat.room == &room) return &seat;
  }
  return nullptr;
}

Room* Rooms::find_room(std::string_view name) {
  const auto at = rooms_.find(name);
  return at == rooms_.end() ? nullptr : &at->second;
}

std::vector<std::string> Rooms::names_of(const Member& member) const {
  std::vector<std::string> names;
  names.reserve(member.seats_.size() + 1);
  if (has(member) && member.in_own_room_) names.emplace_back(member.id());
  for (const Member::Seat& seat : member.seats_) names.emplace_back(seat.room->name);
  return names;
}

std::vector<std::string> Rooms::names() const {
  std::vector<std::string> names;
  names.reserve(rooms_.size());
  for (const auto& [name, room] : rooms_) names.push_back(name);
  return names;
}

bool Rooms::exists(std::string_view room) const {
  const Member* own = ids_.find(room);
  return rooms_.find(room) != rooms_.end() || (own != nullptr && own->in_own_room_);
}

}  // namespace limpet::adapter
