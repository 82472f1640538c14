// The other half of parts.h.
#include <charconv>

#include "backend/cluster/parts.h"
#include "backend/cluster/room_name.h"
#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster {
namespace {

// Peers look at nothing else than these.
template <class Writer>
void write_flags(Writer& to, const adapter::Flags& flags) {
  to.map(static_cast<std::size_t>(flags.volatile_) + static_cast<std::size_t>(!flags.compress) +
         static_cast<std::size_t>(flags.timeout_ms != 0));
  if (flags.volatile_) {
    to.text("volatile");
    to.boolean(true);
  }
  if (!flags.compress) {
    to.text("compress");
    to.boolean(false);
  }
  if (flags.timeout_ms != 0) {
    to.text("timeout");
    to.integer(static_cast<std::int64_t>(flags.timeout_ms));
  }
}

}  // namespace

template <class Writer>
void write_rooms(Writer& to, const std::vector<std::string>& rooms) {
  to.array(rooms.size());
  for (const std::string& room : rooms) write_room(to, room);
}

template <class Writer>
void write_target(Writer& to, const adapter::Target& target) {
  to.map(3);
  to.text("rooms");
  write_rooms(to, target.rooms);
  to.text("except");
  write_rooms(to, target.except);
  to.text("flags");
  write_flags(to, target.flags);
}

template <class Writer>
void write_event(Writer& to, const adapter::Event& event) {
  to.array(1 + event.args.size());
  double number = 0;
  const char* const end = event.name.data() + event.name.size();
  if (event.name_is_number && std::from_chars(event.name.data(), end, number).ptr == end)
    to.number(number);
  else
    to.text(event.name);
  for (const boost::json::value& arg : event.args.values()) to.value(arg, event.args);
}

template <class Writer>
void write_sockets(Writer& to, const std::vector<adapter::RemoteSocket>& sockets) {
  const codec::Args no_bytes;
  to.array(sockets.size());
  for (const adapter::RemoteSocket& socket : sockets) {
    to.map(4);
    to.text("id");
    to.text(socket.id);
    to.text("handshake");
    to.value(socket.handshake, no_bytes);
    to.text("rooms");
    write_rooms(to, socket.rooms);
    to.text("data");
    to.value(socket.data, no_bytes);
  }
}

using Bytes = codec::msgpack::Writer;
template void write_rooms(Bytes&, const std::vector<std::string>&);
template void write_rooms(TextWriter&, const std::vector<std::string>&);
template void write_target(Bytes&, const adapter::Target&);
template void write_target(TextWriter&, const adapter::Target&);
template void write_event(Bytes&, const adapter::Event&);
template void write_event(TextWriter&, const adapter::Event&);
template void write_sockets(Bytes&, const std::vector<adapter::RemoteSocket>&);
template void write_sockets(TextWriter&, const std::vector<adapter::RemoteSocket>&);

}  // namespace limpet::cluster
