#include <initializer_list>

#include "backend/cluster/classic_wire.h"
#include "backend/cluster/room_name.h"
#include "backend/cluster/text_writer.h"

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

void write_packet(Writer& out, std::string_view nsp, const Event& event) {
  out.map(3);
  out.text("type");
  out.integer(kEvent);
  out.text("data");
  write_event(out, event);
  out.text("nsp");
  out.text(nsp);
}

template <class AnyWriter>
void write_type(AnyWriter& out, Type type) {
  out.text("type");
  out.integer(static_cast<std::int64_t>(type));
}

template <class AnyWriter>
void write_text(AnyWriter& out, std::string_view key, std::string_view text) {
  out.text(key);
  out.text(text);
}

// In requests of JSON: without flags.
void write_opts(TextWriter& out, const Target& target) {
  out.text("opts");
  out.map(2);
  out.text("rooms");
  write_rooms(out, target.rooms);
  out.text("except");
  write_rooms(out, target.except);
}

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
  TextWriter out;
  out.map(4);
  write_text(out, "uid", uid);
  write_text(out, "requestId", id);
  write_type(out, Type::fetch);
  write_opts(out, target);
  return std::string(out.bytes());
}

std::string rooms_request(Type type, std::string_view uid, const Target& target,
                          const std::vector<std::string>& rooms) {
  TextWriter out;
  out.map(4);
  write_text(out, "uid", uid);
  write_type(out, type);
  write_opts(out, target);
  out.text("rooms");
  write_rooms(out, rooms);
  return std::string(out.bytes());
}

std::string disconnect_request(std::string_view uid, const Target& target, bool close) {
  TextWriter out;
  out.map(4);
  write_text(out, "uid", uid);
  write_type(out, Type::disconnect);
  write_opts(out, target);
  out.text("close");
  out.boolean(close);
  return std::string(out.bytes());
}

std::string emit_request(std::string_view uid, std::string_view id, const Event& event) {
  TextWriter out;
  out.map(id.empty() ? 3 : 4);
  write_text(out, "uid", uid);
  if (!id.empty()) write_text(out, "requestId", id);
  write_type(out, Type::server_side_emit);
  out.text("data");
  write_event(out, event);
  return std::string(out.bytes());
}

void write_broadcast_request(Writer& out, std::string_view uid, std::string_view id, std::string_view nsp,
                             const Event& event, const Target& target) {
  out.map(5);
  write_text(out, "uid", uid);
  write_text(out, "requestId", id);
  write_type(out, Type::broadcast);
  out.text("packet");
  write_packet(out, nsp, event);
  out.text("opts");
  write_target(out, target);
}

std::string done_answer(std::string_view id) {
  TextWriter out;
  out.map(1);
  write_text(out, "requestId", id);
  return std::string(out.bytes());
}

std::string sockets_answer(std::string_view id, const std::vector<std::string_view>& sids) {
  TextWriter out;
  out.map(2);
  write_text(out, "requestId", id);
  out.text("sockets");
  out.array(sids.size());
  for (const std::string_view sid : sids) out.text(sid);
  return std::string(out.bytes());
}

std::string rooms_answer(std::string_view id, const std::vector<std::string>& rooms) {
  TextWriter out;
  out.map(2);
  write_text(out, "requestId", id);
  out.text("rooms");
  write_rooms(out, rooms);
  return std::string(out.bytes());
}

std::string fetch_answer(std::string_view id, const std::vector<RemoteSocket>& sockets) {
  TextWriter out;
  out.map(2);
  write_text(out, "requestId", id);
  out.text("sockets");
  write_sockets(out, sockets);
  return std::string(out.bytes());
}

std::string emit_answer(std::string_view id, const Args& args) {
  TextWriter out;
  out.map(args.empty() ? 2 : 3);
  write_type(out, Type::server_side_emit);
  write_text(out, "requestId", id);
  if (!args.empty()) {
    out.text("data");
    out.value(args[0], args);
  }
  return std::string(out.bytes());
}

std::string clients_answer(std::string_view id, std::size_t clients) {
  TextWriter out;
  out.map(3);
  write_type(out, Type::client_count);
  write_text(out, "requestId", id);
  out.text("clientCount");
  out.integer(static_cast<std::int64_t>(clients));
  return std::string(out.bytes());
}

void write_ack_answer(Writer& out, std::string_view id, const Args& args) {
  out.map(args.empty() ? 2 : 3);
  write_type(out, Type::ack);
  write_text(out, "requestId", id);
  if (args.empty()) return;
  out.text("packet");
  out.value(args[0], args);
}

}  // namespace limpet::cluster::classic_wire
