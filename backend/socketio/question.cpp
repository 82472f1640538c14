#include "backend/socketio/question.h"

#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {
Question::Question(Namespace::Impl& the_namespace, std::uint64_t the_id, OnReplies then,
                   std::uint64_t timeout_ms)
    : nsp(the_namespace),
      id(the_id),
      done(std::move(then)),
      timer(the_namespace.loop(), net::delegate<&Question::on_timeout>(this)) {
  timer.after(timeout_ms);
}

void Question::on_clients(std::size_t count) {
  asked += count;
  ++nodes;
  check();
}

// Of each answer the first argument.
void Question::on_answer(const Args& args) {
  replies.answers.add(replies.answers.adopt(args, args[0]));
  check();
}

void Question::on_nodes(std::size_t count) {
  expected_nodes = count;
  check();
}

void Question::check() {
  if (expected_nodes != 0 && nodes == expected_nodes && replies.answers.size() == asked) finish(true);
}

void Question::on_timeout() {
  finish(false);
}

void Question::finish(bool complete) {
  const auto node = nsp.questions.extract(id);  // `this` lives until the end of this function
  timer.cancel();
  replies.complete = complete;
  const OnReplies call = std::exchange(done, {});
  if (!call) return;
  if (nsp.server != nullptr) nsp.server->guarded("acknowledgement", [&] { call(replies); });
}

void Namespace::Impl::ask(std::string_view event, const Args& args, adapter::Target target, OnReplies done) {
  check_event(event);
  if (target.flags.timeout_ms == 0) target.flags.timeout_ms = kAnswersWithinMs;
  const std::uint64_t id = next_question++;
  questions[id] = std::make_unique<Question>(*this, id, std::move(done), target.flags.timeout_ms);
  const auto with = [this, id](auto&& call) {
    if (const auto at = questions.find(id); at != questions.end()) call(*at->second);
  };
  const NamespacePtr keep(self);
  try {
    adapter->broadcast_with_ack(
        {event, args}, target, [with](std::size_t count) { with([&](Question& q) { q.on_clients(count); }); },
        [with](const Args& answer) { with([&](Question& q) { q.on_answer(answer); }); });
  } catch (...) {
    questions.erase(id);
    throw;
  }
  // Socket.IO waits for the answers of nodes that were not asked.
  const auto on_nodes = [with](std::size_t count) { with([&](Question& q) { q.on_nodes(count); }); };
  if (target.flags.local)
    on_nodes(1);
  else if (adapter)
    adapter->server_count(on_nodes);
}

Round::Round(Namespace::Impl& the_namespace, std::uint64_t the_id, std::function<void(const Args&)> each)
    : nsp(the_namespace),
      id(the_id),
      on_ack(std::move(each)),
      timer(the_namespace.loop(), net::delegate<&Round::on_timeout>(this)) {}

void Round::on_reply(const Reply& reply) {
  const bool last = --awaited == 0;
  const auto node = last ? nsp.rounds.extract(id) : decltype(nsp.rounds.extract(id)){};
  if (reply.ok()) on_ack(reply.args);
}

void Round::on_timeout() {
  const auto node = nsp.rounds.extract(id);
  for (const SocketPtr& socket : sockets) {
    if (socket->extras_) socket->extras_->pending.erase(id);
  }
}

// One id for all; each is asked once, and may answer once.
std::size_t Namespace::Impl::deliver_with_ack(const adapter::Event& event, const adapter::Target& target,
                                              std::function<void(const Args&)> on_ack) {
  check_event(event);
  tell_outgoing(event.name, event.args, target);
  if (server == nullptr) return 0;  // nobody is left
  const std::uint64_t id = next_ack++;
  server->writer.event(name_, id, event.name, event.name_is_number, event.args);
  const adapter::Encoded packet = encoded(server->writer);
  auto sockets = chosen(target);
  std::erase_if(sockets, [&](const SocketPtr& socket) {
    return socket->client_ == nullptr || !socket->client_->open() ||
           (target.flags.volatile_ && !socket->client_->session()->writable());
  });
  const std::size_t count = sockets.size();
  if (count == 0) return 0;
  auto& round = rounds[id] = std::make_unique<Round>(*this, id, std::move(on_ack));
  round->awaited = count;
  round->sockets = std::move(sockets);
  round->timer.after(target.flags.timeout_ms != 0 ? target.flags.timeout_ms : kAnswersWithinMs);
  const Server::Impl::Sending sending(*server);
  for (const SocketPtr& socket : round->sockets) {
    Socket::Extras::Pending& pending = socket->extras().pending[id];
    pending.socket = socket.get();
    pending.id = id;
    pending.done = [this, id](const Reply& reply) {
      if (const auto at = rounds.find(id); at != rounds.end()) at->second->on_reply(reply);
    };
    ++server->totals.events_out;
    socket->client_->send(packet);
  }
  return count;
}

}  // namespace limpet::socketio
