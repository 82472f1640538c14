// What other nodes ask of this one. A question is always answered, if only with nothing: whoever asks waits
// for as many answers as there are nodes.
#include <stdexcept>
#include <utility>

#include "backend/adapter/rooms.h"
#include "backend/cluster/classic.h"

namespace limpet::cluster {

using classic_wire::Request;

void Classic::on_request(std::string_view, std::string_view body) {
  if (is_own_echo(body)) return;
  const auto request = classic_wire::read_request(body);
  if (!request) return drop();
  // Its own: done when it came back the first time, or not meant for itself.
  if (request->uid == uid_ || asked_.has(request->id)) return;
  ++tally_->received;
  switch (request->type) {
    case Type::sockets: return answer_sockets(*request);
    case Type::all_rooms: return answer_rooms(*request);
    case Type::join:
    case Type::leave:
    case Type::disconnect: return obey(*request);
    case Type::fetch: return answer_fetch(*request);
    case Type::server_side_emit: return answer_emit(*request);
    case Type::broadcast: return answer_broadcast(*request);
    case Type::client_count:
    case Type::ack: return;  // read_request() gives none of these
  }
}

// The older form names one socket, and wants to hear from the node that has it.
void Classic::obey(const Request& request) {
  if (request.target) return carry_out(request);
  if (host_.rooms().find(request.sid) == nullptr) return;
  Request one = request;
  one.target.emplace().rooms = {request.sid};
  carry_out(one);
  if (!request.id.empty()) answer(request.uid, classic_wire::done_answer(request.id));
}

void Classic::answer_sockets(const Request& request) {
  Target target;
  target.rooms = request.rooms;
  std::vector<std::string_view> sids;
  host_.rooms().visit(target, [&](adapter::Member& member) { sids.push_back(member.id()); });
  answer(request.uid, classic_wire::sockets_answer(request.id, sids));
}

// Each socket's own room is one.
void Classic::answer_rooms(const Request& request) {
  const adapter::Rooms& rooms = host_.rooms();
  std::vector<std::string> names = rooms.names();
  for (const adapter::Member* member : rooms.everyone()) {
    if (rooms.in_room(*member, member->id())) names.emplace_back(member->id());
  }
  answer(request.uid, classic_wire::rooms_answer(request.id, names));
}

void Classic::answer_fetch(const Request& request) {
  std::vector<adapter::RemoteSocket> sockets;
  host_.fetch(*request.target, sockets);
  answer(request.uid, classic_wire::fetch_answer(request.id, sockets));
}

// Always on the channel that all hear.
void Classic::answer_emit(const Request& request) {
  std::function<void(const Args&)> reply;
  if (!request.id.empty()) {
    reply = [self = self_, id = request.id](const Args& args) {
      if (*self == nullptr) return;
      (*self)->redis_.publish((*self)->channels_.response, classic_wire::emit_answer(id, args));
    };
  }
  if (!host_.on_server_side_event(request.event.name, request.event.args, reply) && reply) reply({});
}

// Of its flags only the time to wait counts, as with Node.js. What no client would take has no clients.
void Classic::answer_broadcast(const Request& request) {
  Target target = *request.target;
  target.flags = {.timeout_ms = target.flags.timeout_ms};
  const auto on_ack = [self = self_, id = request.id, uid = request.uid](const Args& args) {
    if (*self == nullptr) return;
    Classic& it = **self;
    it.writer_.clear();
    classic_wire::write_ack_answer(it.writer_, id, args);
    it.answer(uid, it.writer_.bytes());
  };
  std::size_t clients = 0;
  try {
    clients = host_.deliver_with_ack(request.event.event(), target, on_ack);
  } catch (const std::invalid_argument&) {
    drop();
  }
  answer(request.uid, classic_wire::clients_answer(request.id, clients));
}

void Classic::answer(std::string_view uid, std::string_view body) {
  const bool to_one = settings_.publish_on_specific_response_channel && !uid.empty();
  redis_.publish(to_one ? channels_.answers_to(uid) : channels_.response, body);
}

}  // namespace limpet::cluster
