#include "backend/cluster/room_name.h"

#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"

namespace limpet::cluster {
namespace {

constexpr char kMark = '\xff';
constexpr std::string_view kNobody = "\xff{}";

bool is_marked(std::string_view name) {
  return !name.empty() && name.front() == kMark;
}

}  // namespace

std::string room_name(const boost::json::value& room) {
  if (const auto* text = room.if_string()) return std::string(*text);
  if (room.is_structured()) return std::string(kNobody);
  std::string name(1, kMark);
  codec::write_json(name, room);
  return name;
}

bool is_nobodys(std::string_view name) {
  return name == kNobody;
}

std::optional<std::vector<std::string>> room_names(const boost::json::value* list) {
  std::vector<std::string> names;
  if (list == nullptr || list->is_null()) return names;
  if (!list->is_array()) return std::nullopt;
  names.reserve(list->get_array().size());
  for (const auto& room : list->get_array()) names.push_back(room_name(room));
  return names;
}

boost::json::value room_value(std::string_view name) {
  if (!is_marked(name)) return boost::json::value(name);
  const auto value = codec::JsonReader(name.substr(1), 1).read();
  return value && !value->is_structured() ? *value : boost::json::value();
}

template <class Writer>
void write_room(Writer& out, std::string_view name) {
  if (is_marked(name))
    out.value(room_value(name), {});
  else
    out.text(name);
}

template void write_room(codec::msgpack::Writer&, std::string_view);
template void write_room(TextWriter&, std::string_view);

std::string_view room_in_channel(std::string_view name) {
  return is_marked(name) ? name.substr(1) : name;
}

}  // namespace limpet::cluster
