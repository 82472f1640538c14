#include <charconv>
#include <initializer_list>

#include "backend/cluster/classic_wire.h"
#include "backend/cluster/room_name.h"
#include "backend/codec/json_writer.h"

namespace limpet::cluster::classic_wire {
namespace {

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// The pattern's own characters in a namespace's name stand for themselves.
std::string literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("*?[]\\^").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

void write_name(Writer& out, std::string_view name, bool is_number) {
  double number = 0;
  const char* const end = name.data() + name.size();
  if (is_number && std::from_chars(name.data(), end, number).ptr == end)
    out.number(number);
  else
    out.text(name);
}

void write_packet(Writer& out, std::string_view nsp, const Event& event) {
  out.map(3);
  out.text("type");
  out.integer(2);
  out.text("data");
  out.array(1 + event.args.size());
  write_name(out, event.name, event.name_is_number);
  for (const auto& value : event.args.values()) out.value(value, event.args);
  out.text("nsp");
  out.text(nsp);
}

void write_list(Writer& out, std::string_view key, const std::vector<std::string>& rooms) {
  out.text(key);
  out.array(rooms.size());
  for (const std::string& room : rooms) write_room(out, room);
}

void write_target(Writer& out, const Target& target) {
  const adapter::Flags& flags = target.flags;
  out.map(3);
  write_list(out, "rooms", target.rooms);
  write_list(out, "except", target.except);
  out.text("flags");
  out.map((flags.volatile_ ? 1U : 0U) + (flags.compress ? 0U : 1U) + (flags.timeout_ms != 0 ? 1U : 0U));
  if (flags.volatile_) {
    out.text("volatile");
    out.boolean(true);
  }
  if (!flags.compress) {
    out.text("compress");
    out.boolean(false);
  }
  if (flags.timeout_ms != 0) {
    out.text("timeout");
    out.integer(static_cast<std::int64_t>(flags.timeout_ms));
  }
}

// One JSON object, member by member.
class Json {
 public:
  Json& text(std::string_view key, std::string_view value) {
    codec::write_string(begin(key), value);
    return *this;
  }
  Json& raw(std::string_view key, std::string_view value) {
    begin(key) += value;
    return *this;
  }
  Json& number(std::string_view key, std::size_t value) { return raw(key, std::to_string(value)); }
  Json& type(Type value) { return number("type", static_cast<std::size_t>(value)); }
  Json& rooms(std::string_view key, const std::vector<std::string>& rooms) {
    std::string& out = begin(key);
    out += '[';
    for (const std::string& room : rooms) {
      if (&room != &rooms.front()) out += ',';
      write_room(out, room);
    }
    out += ']';
    return *this;
  }
  Json& target(const Target& target) {
    return raw("opts", Json().rooms("rooms", target.rooms).rooms("except", target.except).end());
  }
  std::string& begin(std::string_view key) {  // its value follows
    out_ += out_.empty() ? '{' : ',';
    codec::write_string(out_, key);
    return out_ += ':';
  }
  std::string end() { return std::move(out_ += out_.empty() ? "{}" : "}"); }

 private:
  std::string out_;
};

}  // namespace

Channels::Channels(std::string_view key, std::string_view nsp, std::string_view uid)
    : broadcast(joined({key, "#", nsp, "#"})),
      pattern(literal(broadcast) + "*"),
      request(joined({key, "-request#", nsp, "#"})),
      response(joined({key, "-response#", nsp, "#"})),
      own_response(answers_to(uid)) {}

std::string Channels::of(const Target& target) const {
  for (const std::string& room : target.rooms) {
    if (room != target.rooms.front()) return broadcast;
  }
  return target.rooms.empty() ? broadcast : joined({broadcast, room_in_channel(target.rooms.front()), "#"});
}

std::string Channels::answers_to(std::string_view uid) const {
  return joined({response, uid, "#"});
}

std::string beginning_of_own(std::string_view uid) {
  Writer out;
  out.array(3);
  out.text(uid);
  return std::string(out.bytes());
}

void write_broadcast(Writer& out, std::string_view uid, std::string_view nsp, const Event& event,
                     const Target& target) {
  out.array(3);
  out.text(uid);
  write_packet(out, nsp, event);
  write_target(out, target);
}

std::string fetch_request(std::string_view uid, std::string_view id, const Target& target) {
  return Json().text("uid", uid).text("requestId", id).type(Type::fetch).target(target).end();
}

std::string rooms_request(Type type, std::string_view uid, const Target& target,
                          const std::vector<std::string>& rooms) {
  return Json().text("uid", uid).type(type).target(target).rooms("rooms", rooms).end();
}

std::string disconnect_request(std::string_view uid, const Target& target, bool close) {
  Json json;
  json.text("uid", uid).type(Type::disconnect).target(target);
  return json.raw("close", close ? "true" : "false").end();
}

std::string emit_request(std::string_view uid, std::optional<std::string_view> id, std::string_view name,
                         const Args& args) {
  Json json;
  json.text("uid", uid);
  if (id) json.text("requestId", *id);
  std::string& out = json.type(Type::server_side_emit).begin("data");
  out += '[';
  codec::write_string(out, name);
  for (const auto& value : args.values()) {
    out += ',';
    codec::write_json_with_buffers(out, value, args);
  }
  out += ']';
  return json.end();
}

void write_broadcast_request(Writer& out, std::string_view uid, std::string_view id, std::string_view nsp,
                             const Event& event, const Target& target) {
  out.map(5);
  out.text("uid");
  out.text(uid);
  out.text("requestId");
  out.text(id);
  out.text("type");
  out.integer(static_cast<std::int64_t>(Type::broadcast));
  out.text("packet");
  write_packet(out, nsp, event);
  out.text("opts");
  write_target(out, target);
}

std::string done_answer(std::string_view id) {
  return Json().text("requestId", id).end();
}

std::string sockets_answer(std::string_view id, const std::vector<std::string_view>& sids) {
  Json json;
  std::string& out = json.text("requestId", id).begin("sockets");
  out += '[';
  for (std::size_t i = 0; i < sids.size(); ++i) {
    if (i != 0) out += ',';
    codec::write_string(out, sids[i]);
  }
  out += ']';
  return json.end();
}

std::string rooms_answer(std::string_view id, const std::vector<std::string>& rooms) {
  return Json().text("requestId", id).rooms("rooms", rooms).end();
}

std::string fetch_answer(std::string_view id, const std::vector<RemoteSocket>& sockets) {
  Json json;
  std::string& out = json.text("requestId", id).begin("sockets");
  out += '[';
  for (const RemoteSocket& socket : sockets) {
    if (&socket != &sockets.front()) out += ',';
    Json one;
    one.text("id", socket.id);
    codec::write_json(one.begin("handshake"), socket.handshake);
    one.rooms("rooms", socket.rooms);
    codec::write_json(one.begin("data"), socket.data);
    out += one.end();
  }
  out += ']';
  return json.end();
}

std::string emit_answer(std::string_view id, const Args& args) {
  Json json;
  json.type(Type::server_side_emit).text("requestId", id);
  if (!args.empty()) codec::write_json_with_buffers(json.begin("data"), args[0], args);
  return json.end();
}

std::string clients_answer(std::string_view id, std::size_t clients) {
  return Json().type(Type::client_count).text("requestId", id).number("clientCount", clients).end();
}

void write_ack_answer(Writer& out, std::string_view id, const Args& args) {
  out.map(args.empty() ? 2 : 3);
  out.text("type");
  out.integer(static_cast<std::int64_t>(Type::ack));
  out.text("requestId");
  out.text(id);
  if (args.empty()) return;
  out.text("packet");
  out.value(args[0], args);
}

}  // namespace limpet::cluster::classic_wire
