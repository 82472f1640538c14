// Rooms: which sockets of one namespace, on this node, are in which rooms.
//
// A room is a dense vector of members; a member knows its place in each, so that joining and leaving cost the
// same however full the room is. A room named after a member's id is that member, without a table of its own.
// A visit to many rooms comes to each member once, by marks, without allocation. Owns the rooms, not the
// members. One loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/adapter/id.h"
#include "backend/adapter/id_table.h"
#include "backend/names/hash.h"

namespace limpet::adapter {

class Member;
struct Target;

// A room's list, and where each member keeps its seat.
struct Room {
  struct Place {
    Member* member;
    std::uint32_t seat;  // which of the member's seats
  };
  std::string_view name;  // the table's
  std::vector<Place> places;
};

// What is in rooms: the base of a socket.
class Member {
 public:
  std::string_view id() const { return id_.view(); }

 protected:
  Member() = default;
  ~Member() = default;  // has been removed from its Rooms
  Member(const Member&) = delete;
  void name(std::string_view id) { id_.assign(id); }  // before it is added

 private:
  friend class Rooms;
  struct Seat {
    Room* room;
    std::uint32_t place;  // which of the room's places
  };
  Id id_;
  std::vector<Seat> seats_;
  std::uint64_t mark_ = 0;          // of the last visit that came to it, or left it out
  std::uint32_t place_ = kNowhere;  // among all
  bool in_own_room_ = true;
  static constexpr std::uint32_t kNowhere = 0xffffffff;
};

class Rooms {
 public:
  Rooms() = default;
  Rooms(const Rooms&) = delete;

  // Told when a room has its first member or has lost its last; may be unset.
  std::function<void(std::string_view room, bool exists)> on_room;
  // Told when a member has been added, or is about to be removed; may be unset.
  std::function<void(std::string_view id, bool here)> on_member;

  void add(
      Member& member);  // it is in the namespace, and in its own room; takes over the id if another has it
  void remove(Member& member);  // from everywhere
  bool has(const Member& member) const { return member.place_ != Member::kNowhere; }
  std::size_t size() const { return everyone_.size(); }
  std::size_t rooms() const { return rooms_.size(); }
  const std::vector<Member*>& everyone() const { return everyone_; }
  Member* find(std::string_view id) const { return ids_.find(id); }

  void join(Member& member, std::string_view room);   // before add() too; visits come once it is added
  bool leave(Member& member, std::string_view room);  // false: it was not there
  void leave_all(Member& member);
  bool in_room(const Member& member, std::string_view room) const;
  std::size_t rooms_of(const Member& member) const { return member.seats_.size(); }  // without its own
  std::vector<std::string> names_of(const Member& member) const;                     // its own first
  std::vector<std::string> names() const;                                            // of rooms; none of ids
  bool exists(std::string_view room) const;

  // Calls visit(Member&) once for each that the target names. The visit must not add, remove, join or leave.
  template <class Target, class Visit>
  void visit(const Target& target, Visit&& visit);

 private:
  using Table = std::unordered_map<std::string, Room, names::Hash, std::equal_to<>>;

  Room* find_room(std::string_view name);
  const Member::Seat* seat_in(const Member& member, std::string_view room) const;
  void stand_up(Member& member, std::size_t seat);
  template <class Visit>
  void in_each(std::string_view room, Visit&& visit);

  static constexpr std::size_t kAhead = 4;  // members that are on their way from memory during a visit

  Table rooms_;
  std::vector<Member*> everyone_;
  IdTable<Member> ids_;
  std::uint64_t epoch_ = 0;
};

template <class Visit>
void Rooms::in_each(std::string_view name, Visit&& visit) {
  if (Room* room = find_room(name)) {
    const std::vector<Room::Place>& places = room->places;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (i + kAhead < places.size()) __builtin_prefetch(places[i + kAhead].member);
      if (has(*places[i].member)) visit(*places[i].member);
    }
  }
  if (Member* own = ids_.find(name); own != nullptr && own->in_own_room_) visit(*own);
}

template <class Target, class Visit>
void Rooms::visit(const Target& target, Visit&& visit) {
  if (target.rooms.empty() && target.except.empty()) {
    for (Member* member : everyone_) visit(*member);
    return;
  }
  const std::uint64_t now = ++epoch_;
  for (const std::string& room : target.except) {
    in_each(room, [&](Member& member) { member.mark_ = now; });
  }
  const auto once = [&](Member& member) {
    if (std::exchange(member.mark_, now) != now) visit(member);
  };
  for (const std::string& room : target.rooms) in_each(room, once);
  if (target.rooms.empty()) {
    for (Member* member : everyone_) once(*member);
  }
}

}  // namespace limpet::adapter
