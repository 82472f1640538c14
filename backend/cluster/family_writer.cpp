// The other half of family_wire.h: maps in the order of members that Node.js's adapters write.
#include "backend/cluster/family_wire.h"
#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster::family {
namespace {

template <class Writer>
void write_request(Writer& to, std::string_view request) {
  to.text("requestId");
  to.text(request);
}

template <class Writer>
void write_opts(Writer& to, const adapter::Target& target) {
  to.text("opts");
  write_target(to, target);
}

template <class Writer>
void write_broadcast(Writer& to, const Outgoing& what) {
  to.map(what.request.empty() ? 2 : 3);
  to.text("packet");
  to.map(2);
  to.text("type");
  to.integer(kEvent);
  to.text("data");
  write_event(to, *what.event);
  if (!what.request.empty()) write_request(to, what.request);
  write_opts(to, *what.target);
}

template <class Writer>
void write_answer(Writer& to, const Outgoing& what) {
  to.map(2);
  write_request(to, what.request);
  to.text("packet");
  to.value((*what.answer)[0], *what.answer);
}

}  // namespace

bool Outgoing::has_bytes() const {
  return (event != nullptr && !event->args.binaries().empty()) ||
         (answer != nullptr && !answer->binaries().empty());
}

template <class Writer>
void write_data(Writer& to, const Outgoing& what) {
  switch (what.type) {
    case Type::broadcast: return write_broadcast(to, what);
    case Type::join:
    case Type::leave:
      to.map(2);
      write_opts(to, *what.target);
      to.text("rooms");
      return write_rooms(to, *what.rooms);
    case Type::disconnect:
      to.map(2);
      write_opts(to, *what.target);
      to.text("close");
      return to.boolean(what.close);
    case Type::fetch:
      to.map(2);
      write_opts(to, *what.target);
      return write_request(to, what.request);
    case Type::fetch_answer:
      to.map(2);
      write_request(to, what.request);
      to.text("sockets");
      return write_sockets(to, *what.sockets);
    case Type::server_event:
      to.map(what.request.empty() ? 1 : 2);
      if (!what.request.empty()) write_request(to, what.request);
      to.text("packet");
      return write_event(to, *what.event);
    case Type::server_answer:
    case Type::client_answer: return write_answer(to, what);
    case Type::clients_asked:
      to.map(2);
      write_request(to, what.request);
      to.text("clientCount");
      return to.integer(static_cast<std::int64_t>(what.clients));
    case Type::superseded:
      to.map(2);
      to.text("sid");
      to.text(what.sid);
      to.text("pid");
      return to.text(what.pid);
    case Type::initial_heartbeat:
    case Type::heartbeat:
    case Type::close: break;
  }
  to.map(0);  // never said by us
}

template <class Writer>
void write(Writer& to, const Outgoing& what, std::string_view uid, std::string_view nsp) {
  to.map(4);
  to.text("type");
  to.integer(static_cast<std::int64_t>(what.type));
  to.text("data");
  write_data(to, what);
  to.text("uid");
  to.text(uid);
  to.text("nsp");
  to.text(nsp);
}

template void write(TextWriter&, const Outgoing&, std::string_view, std::string_view);
template void write(codec::msgpack::Writer&, const Outgoing&, std::string_view, std::string_view);
template void write_data(TextWriter&, const Outgoing&);
template void write_data(codec::msgpack::Writer&, const Outgoing&);

}  // namespace limpet::cluster::family
