#include "backend/cluster/parts.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <utility>

#include "backend/cluster/room_name.h"
#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster {
namespace {

constexpr std::size_t kName = 256;    // bytes of ids and namespaces that others give
constexpr double kLongest = 600'000;  // ms that clients may take to answer, whatever is said

using boost::json::object;
using boost::json::value;

bool read_flags(const value* it, adapter::Flags& flags) {
  if (is_missing(it)) return true;
  const object* each = it->if_object();
  if (each == nullptr) return false;
  flags.volatile_ = is_true(each->if_contains("volatile"));
  const value* compress = each->if_contains("compress");
  flags.compress = compress == nullptr || !compress->is_bool() || compress->get_bool();
  const double timeout = number_in(each->if_contains("timeout")).value_or(0);
  if (timeout > 0) flags.timeout_ms = static_cast<std::uint64_t>(std::min(timeout, kLongest));
  return true;
}

}  // namespace

std::optional<codec::Args> read_body(std::string_view body) {
  if (!body.starts_with('{')) return codec::msgpack::read(body, {.depth = kBodyDepth});
  auto read = codec::JsonReader(body, kBodyDepth).read();
  if (!read) return std::nullopt;
  codec::Args args;
  args.add(std::move(*read));
  return args;
}

bool is_missing(const value* it) {
  return it == nullptr || it->is_null();
}

bool is_true(const value* it) {
  return it != nullptr && it->is_bool() && it->get_bool();
}

std::optional<double> number_in(const value* it) {
  if (it == nullptr || !it->is_number()) return std::nullopt;
  return it->to_number<double>();
}

std::optional<std::size_t> count_in(const value* it) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const std::int64_t* number = it != nullptr ? it->if_int64() : nullptr;
  if (number == nullptr || *number < 0 || *number > kMost) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

bool read_name(const value* it, std::string& name) {
  if (is_missing(it)) return true;
  const auto* text = it->if_string();
  if (text == nullptr || text->size() > kName) return false;
  name = *text;
  return true;
}

bool read_target(const value* opts, adapter::Target& target) {
  const object* map = opts != nullptr ? opts->if_object() : nullptr;
  if (map == nullptr) return false;
  auto rooms = room_names(map->if_contains("rooms"));
  auto except = room_names(map->if_contains("except"));
  if (!rooms || !except) return false;
  target.rooms = std::move(*rooms);
  target.except = std::move(*except);
  return read_flags(map->if_contains("flags"), target.flags);
}

bool take_socket(value& it, const codec::Args& whole, adapter::RemoteSocket& socket) {
  object* map = it.if_object();
  if (map == nullptr) return false;
  const value* id = map->if_contains("id");
  auto rooms = room_names(map->if_contains("rooms"));
  if (id == nullptr || !id->is_string() || !rooms) return false;
  socket.id = id->get_string();
  socket.rooms = std::move(*rooms);
  const auto take = [&](std::string_view key, value& to) {
    value* from = map->if_contains(key);
    if (from != nullptr) to = whole.binaries().empty() ? std::move(*from) : without_bytes(*from, whole);
  };
  take("handshake", socket.handshake);
  take("data", socket.data);
  return true;
}

std::optional<std::vector<adapter::RemoteSocket>> take_sockets(value* list, const codec::Args& whole) {
  auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr) return std::nullopt;
  std::vector<adapter::RemoteSocket> sockets;
  sockets.reserve(array->size());
  for (value& one : *array) {
    if (!take_socket(one, whole, sockets.emplace_back())) return std::nullopt;
  }
  return sockets;
}

bool take_event(value* event, codec::Args& whole, Said& said) {
  boost::json::array* array = event != nullptr ? event->if_array() : nullptr;
  if (array == nullptr || array->empty()) return false;
  const value& name = array->front();
  if (const auto* text = name.if_string()) {
    said.name = *text;
  } else {
    const auto number = number_in(&name);
    if (!number || !std::isfinite(*number)) return false;
    said.name_is_number = true;
    codec::write_number(said.name, *number);
  }
  array->erase(array->begin());
  said.args = codec::Args(std::move(*array), whole.take_binaries());
  return true;
}

value without_bytes(const value& read, const codec::Args& args) {
  if (args.binaries().empty()) return read;
  if (const std::string* bytes = args.binary(read)) {
    boost::json::array numbers;
    numbers.reserve(bytes->size());
    for (const char byte : *bytes) numbers.emplace_back(static_cast<unsigned char>(byte));
    return object{{"type", "Buffer"}, {"data", std::move(numbers)}};
  }
  if (const auto* array = read.if_array()) {
    boost::json::array copy;
    copy.reserve(array->size());
    for (const value& element : *array) copy.push_back(without_bytes(element, args));
    return copy;
  }
  if (const auto* map = read.if_object()) {
    object copy;
    copy.reserve(map->size());
    for (const auto& member : *map) copy.emplace(member.key(), without_bytes(member.value(), args));
    return copy;
  }
  return read;
}

}  // namespace limpet::cluster
