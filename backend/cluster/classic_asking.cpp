// What this node asks of the others, and what they answer.
#include <utility>

#include "backend/cluster/classic_asked.h"

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

template <class Kind>
Classic::Asked& Classic::ask(Kind kind) {
  std::string id = draw_id();
  auto asked = std::make_unique<Asked>(*this, id, std::move(kind));
  return *(asked_[std::move(id)] = std::move(asked));
}

Classic::Asked* Classic::find(std::string_view id) {
  const auto at = asked_.find(id);
  return at == asked_.end() ? nullptr : at->second.get();
}

void Classic::count(OnCount then) {
  const std::uint64_t number = next_number_++;
  counting_.emplace(number, std::move(then));
  redis_.count_subscribers(redis::Subscribed::channel, channels_.request,
                           [self = self_, number](std::optional<std::size_t> nodes) {
                             if (*self == nullptr) return;
                             Classic& it = **self;
                             const auto node = it.counting_.extract(number);
                             if (node.empty()) return;
                             // Just after the start it may be none: this one is there.
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
    Asked* asked = find(id);
    if (asked == nullptr) return;
    if (!nodes) return finish(id, kNoLink);
    asked->expected = *nodes - 1;
    if (asked->expected == 0) return finish(id, {});
    asked->timer.after(settings_.requests_timeout_ms);
    redis_.publish(channels_.request, request, [self = self_, id](const redis::Result& result) {
      if (*self != nullptr && !result.ok()) (*self)->finish(id, kNoLink);
    });
  });
}

void Classic::fetch_sockets(const Target& target, OnFound done) {
  std::vector<adapter::RemoteSocket> sockets;
  host_.fetch(target, sockets);
  if (target.flags.local) return done({}, std::move(sockets));
  const std::string id = ask(Fetch{std::move(sockets), std::move(done)}).id;
  when_counted(id, classic_wire::fetch_request(uid_, id, target));
}

void Classic::server_side_emit(std::string_view name, const Args& args, OnAnswers done) {
  if (!done) {
    redis_.publish(channels_.request, classic_wire::emit_request(uid_, std::nullopt, name, args));
    return;
  }
  const std::string id = ask(Emit{{}, std::move(done)}).id;
  when_counted(id, classic_wire::emit_request(uid_, id, name, args));
}

// Here first, for it throws what must not be published; its clients' answers come later in any case.
void Classic::broadcast_with_ack(const adapter::Event& event, const Target& target,
                                 std::function<void(std::size_t)> on_clients,
                                 std::function<void(const Args&)> on_ack) {
  const std::size_t clients = host_.deliver_with_ack(event, target, on_ack);
  if (!target.flags.local) {
    Asked& asked = ask(Acks{on_clients, std::move(on_ack)});
    asked.timer.after(target.flags.timeout_ms != 0 ? target.flags.timeout_ms : settings_.requests_timeout_ms);
    writer_.clear();
    classic_wire::write_broadcast_request(writer_, uid_, asked.id, host_.name(), event, target);
    redis_.publish(channels_.request, writer_.bytes());
  }
  on_clients(clients);
}

// Most are for other nodes.
void Classic::on_answer(std::string_view, std::string_view body) {
  if (asked_.empty()) {
    if (!may_be_answer(body)) drop();
    return;
  }
  auto answer = classic_wire::read_answer(body);
  if (!answer) return drop();
  if (Asked* asked = find(answer->id)) hear(*asked, *answer);
}

void Classic::hear(Asked& asked, classic_wire::Answer& answer) {
  if (auto* acks = std::get_if<Acks>(&asked.kind)) {
    if (answer.type == Type::client_count && answer.clients) {
      ++tally_->received;
      acks->clients += *answer.clients;
      return acks->on_clients(*answer.clients);
    }
    // No more than there are clients: whoever sends more is none of them.
    if (answer.type != Type::ack || acks->answered == acks->clients) return drop();
    ++tally_->received;
    ++acks->answered;
    return acks->on_ack(answer.first);
  }
  if (auto* fetch = std::get_if<Fetch>(&asked.kind)) {
    if (!answer.sockets) return drop();
    for (auto& socket : *answer.sockets) fetch->sockets.push_back(std::move(socket));
  }
  if (auto* emit = std::get_if<Emit>(&asked.kind))
    emit->answers.add(emit->answers.adopt(answer.first, answer.first[0]));
  ++tally_->received;
  if (++asked.heard == asked.expected) finish(asked.id, {});
}

void Classic::on_timeout(Asked& asked) {
  if (std::holds_alternative<Acks>(asked.kind)) return finish(asked.id, {});
  ++tally_->unanswered;
  if (std::holds_alternative<Fetch>(asked.kind))
    return finish(asked.id, "timeout reached while waiting for fetchSockets response");
  finish(asked.id, "timeout reached: only " + std::to_string(asked.heard) + " responses received out of " +
                       std::to_string(asked.expected));
}

// With an error, too, the caller has what has come so far.
void Classic::finish(std::string_view id, std::string_view error) {
  const auto at = asked_.find(id);
  if (at == asked_.end()) return;
  const auto node = asked_.extract(at);
  Asked& asked = *node.mapped();
  asked.timer.cancel();
  if (auto* fetch = std::get_if<Fetch>(&asked.kind)) fetch->done(error, std::move(fetch->sockets));
  if (auto* emit = std::get_if<Emit>(&asked.kind)) emit->done(error, emit->answers);
}

}  // namespace limpet::cluster
