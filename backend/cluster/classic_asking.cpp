// What this node asks of the others, and what they answer.
#include <utility>

#include "backend/cluster/classic.h"

namespace limpet::cluster {
namespace {

constexpr std::string_view kNoLink = "the other nodes cannot be reached";

// What an answer begins with, whoever it is for.
bool may_be_answer(std::string_view body) {
  if (body.empty()) return false;
  const auto first = static_cast<unsigned char>(body.front());
  return first == '{' ? body.back() == '}' : (first & 0xf0U) == 0x80 || first == 0xde || first == 0xdf;
}

}  // namespace

void Classic::count(OnCount then) {
  const std::uint64_t number = next_number_++;
  counting_.emplace(number, std::move(then));
  redis_.count_subscribers(redis::Subscribed::channel, channels_.request,
                           [self = self_, number](std::optional<std::size_t> nodes) {
                             if (*self == nullptr) return;
                             Classic& it = **self;
                             const auto node = it.counting_.extract(number);
                             if (node.empty()) return;
                             // Whom Redis does not count, at the start or while a link is made again, is
                             // there.
                             if (nodes && !it.requests_.open()) ++*nodes;
                             if (nodes) it.tally_->nodes = *(nodes = std::max<std::size_t>(*nodes, 1));
                             node.mapped()(nodes);
                           });
}

void Classic::server_count(std::function<void(std::size_t)> done) {
  count([done = std::move(done)](std::optional<std::size_t> nodes) { done(nodes.value_or(1)); });
}

// Asks once it is known how many are to answer.
void Classic::when_counted(const std::string& id, std::string request) {
  count([this, id, request = std::move(request)](std::optional<std::size_t> nodes) {
    if (!nodes) return asked_.fail(id, kNoLink);
    asked_.expect(id, *nodes - 1);
    if (*nodes == 1) return;
    redis_.publish(channels_.request, request, [self = self_, id](const redis::Result& result) {
      if (*self != nullptr && !result.ok()) (*self)->asked_.fail(id, kNoLink);
    });
  });
}

void Classic::fetch_sockets(const Target& target, Requests::Fetched done) {
  std::vector<adapter::RemoteSocket> sockets;
  host_.fetch(target, sockets);
  if (target.flags.local) return done({}, std::move(sockets));
  const std::string id = asked_.fetch(settings_.requests_timeout_ms, std::move(done), std::move(sockets));
  when_counted(id, classic_wire::fetch_request(uid_, id, target));
}

void Classic::server_side_emit(std::string_view name, const Args& args, Requests::Answered done) {
  std::string id;
  if (done) id = asked_.emit(settings_.requests_timeout_ms, std::move(done));
  std::string request = classic_wire::emit_request(uid_, id, {name, args});
  if (id.empty())
    redis_.publish(channels_.request, request);
  else
    when_counted(id, std::move(request));
}

// Here first, for it throws what must not be published; its clients' answers come later in any case.
void Classic::broadcast_with_ack(const adapter::Event& event, const Target& target,
                                 std::function<void(std::size_t)> on_clients,
                                 std::function<void(const Args&)> on_ack) {
  const std::size_t clients = host_.deliver_with_ack(event, target, on_ack);
  if (!target.flags.local) {
    const std::uint64_t timeout = target.flags.timeout_ms;
    const std::string id = asked_.broadcast(timeout != 0 ? timeout : settings_.requests_timeout_ms,
                                            {on_clients, std::move(on_ack)});
    writer_.clear();
    classic_wire::write_broadcast_request(writer_, uid_, id, host_.name(), event, target);
    redis_.publish(channels_.request, writer_.bytes());
  }
  on_clients(clients);
}

// Most are for other nodes.
void Classic::on_answer(std::string_view, std::string_view body) {
  if (asked_.size() == 0) {
    if (!may_be_answer(body)) drop();
    return;
  }
  auto answer = classic_wire::read_answer(body);
  if (!answer) return drop();
  if (!asked_.has(answer->id)) return;
  if (hear(*answer))
    ++tally_->received;
  else
    drop();
}

bool Classic::hear(classic_wire::Answer& answer) {
  if (answer.type == Type::client_count)
    return answer.clients && asked_.on_clients(answer.id, *answer.clients);
  if (answer.type == Type::ack) return asked_.on_ack(answer.id, answer.first);
  if (answer.sockets) return asked_.on_sockets(answer.id, std::move(*answer.sockets));
  return asked_.on_answer(answer.id, answer.first);
}

}  // namespace limpet::cluster
