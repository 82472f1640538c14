#include "backend/cluster/saved_session.h"

#include <algorithm>
#include <utility>

#include "backend/cluster/parts.h"
#include "backend/cluster/room_name.h"
#include "backend/codec/base64.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster {
namespace {

constexpr std::size_t kLongest = 64;  // bytes of ids
constexpr std::size_t kLongestRoom = 1024;

bool read_id(const boost::json::value* value, std::string& id) {
  if (value == nullptr || !value->is_string() || value->get_string().empty() ||
      value->get_string().size() > kLongest)
    return false;
  id = value->get_string();
  return true;
}

}  // namespace

bool is_pid(std::string_view pid) {
  return !pid.empty() && pid.size() <= kLongest && std::all_of(pid.begin(), pid.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

std::string write_session(const adapter::Session& session, std::string_view node) {
  codec::msgpack::Writer writer;
  writer.map(node.empty() ? 4 : 5);
  writer.text("sid");
  writer.text(session.sid);
  writer.text("pid");
  writer.text(session.pid);
  writer.text("rooms");
  writer.array(session.rooms.size());
  for (const std::string& room : session.rooms) write_room(writer, room);
  writer.text("data");
  writer.value(session.data, {});
  if (!node.empty()) {
    writer.text("node");
    writer.text(node);
  }
  std::string text;
  codec::append_base64(text, writer.bytes());
  return text;
}

std::optional<SavedSession> read_session(std::string_view text) {
  std::string bytes;
  codec::decode_base64(text, bytes);
  const auto read = codec::msgpack::read(bytes);
  const boost::json::object* map = read ? (*read)[0].if_object() : nullptr;
  if (map == nullptr) return std::nullopt;
  SavedSession saved;
  auto rooms = room_names(map->if_contains("rooms"));
  if (!read_id(map->if_contains("sid"), saved.session.sid) ||
      !read_id(map->if_contains("pid"), saved.session.pid) || !rooms)
    return std::nullopt;
  const bool fit = std::all_of(rooms->begin(), rooms->end(),
                               [](const std::string& room) { return room.size() <= kLongestRoom; });
  if (!fit) return std::nullopt;
  std::erase_if(*rooms, is_nobodys);
  saved.session.rooms = std::move(*rooms);
  if (const boost::json::value* data = map->if_contains("data"))
    saved.session.data = without_bytes(*data, *read);
  if (!read_id(map->if_contains("node"), saved.node)) saved.node.clear();
  return saved;
}

}  // namespace limpet::cluster
