// What a publisher on Redis may send to a node of the classic adapter: it is used or counted, and nothing
// else happens. What this node writes is read again as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "backend/cluster/classic.h"
#include "tests/fuzz/family_probe.h"

using namespace limpet;
using cluster::check;
namespace classic_wire = limpet::cluster::classic_wire;

namespace {

std::string text(const codec::Args& args) {
  return cluster::FakeHost::json(args);
}

void broadcast_stays(std::string_view body) {
  const auto read = classic_wire::read_broadcast(body);
  if (!read) return;
  codec::msgpack::Writer out;
  classic_wire::write_broadcast(out, read->uid, read->nsp, read->event.event(), read->target);
  const auto again = classic_wire::read_broadcast(out.bytes());
  check(again && again->nsp == read->nsp && again->event.name == read->event.name &&
        again->event.name_is_number == read->event.name_is_number &&
        text(again->event.args) == text(read->event.args) &&
        again->target.rooms.size() == read->target.rooms.size());
}

void request_stays(std::string_view body) {
  const auto read = classic_wire::read_request(body);
  if (!read) return;
  std::optional<classic_wire::Request> again;
  switch (read->type) {
    case classic_wire::Type::join:
    case classic_wire::Type::leave:
      if (!read->target) return;
      again = classic_wire::read_request(
          classic_wire::rooms_request(read->type, "u", *read->target, read->rooms));
      return check(again && again->rooms.size() == read->rooms.size());
    case classic_wire::Type::disconnect:
      if (!read->target) return;
      again = classic_wire::read_request(classic_wire::disconnect_request("u", *read->target, read->close));
      return check(again && again->close == read->close);
    case classic_wire::Type::fetch:
      again = classic_wire::read_request(classic_wire::fetch_request("u", read->id, *read->target));
      return check(again && again->id == read->id);
    case classic_wire::Type::server_side_emit:
      again = classic_wire::read_request(classic_wire::emit_request("u", read->id, read->event.event()));
      return check(again && again->event.name == read->event.name);
    case classic_wire::Type::broadcast: {
      codec::msgpack::Writer out;
      classic_wire::write_broadcast_request(out, "u", read->id, "/", read->event.event(), *read->target);
      again = classic_wire::read_request(out.bytes());
      return check(again && again->event.args.size() == read->event.args.size());
    }
    default: return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  broadcast_stays(body);
  request_stays(body);

  cluster::LonelyWorld world;
  cluster::Classic classic(world.host, world.redis, {}, std::make_shared<cluster::Totals>());
  classic.broadcast_with_ack(
      {"x", {}}, {}, [](std::size_t) {}, [](const codec::Args&) {});
  classic.on_broadcast("socket.io#/#", body);
  classic.on_broadcast("socket.io#/#room#", body);
  classic.on_request("socket.io-request#/#", body);
  world.host.answer(codec::Args{1});
  classic.on_answer("socket.io-response#/#", body);
  return 0;
}
