// An event's way to handlers: those who hear all, middlewares, its own; and who hears what is sent.
#include <limits>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {

// An event that middlewares look at. Kept by the Next of the one that has it.
struct Socket::Passage {
  SocketPtr socket;
  Incoming event;
  std::vector<std::shared_ptr<EventMiddleware>> middlewares;  // as they were when it came
  std::size_t at = 0;

  static void go_on(const std::shared_ptr<Passage>& it);
};

void Socket::dispatch(std::string_view event, const Args& args, std::optional<AckId> id) {
  Server::Impl& server = client_->server();
  ++server.totals.events_in;
  Ack ack = id ? Ack(*this, *id) : Ack();
  std::vector<std::shared_ptr<EventMiddleware>> middlewares;
  each_table([&](EventTable& table) {
    table.any.each([&](AnyHandler& handler) { server.guarded(event, [&] { handler(*this, event, args); }); });
  });
  if (state_ != State::connected) return;  // one of them has disconnected it
  each_table([&](EventTable& table) {
    middlewares.insert(middlewares.end(), table.middlewares.begin(), table.middlewares.end());
  });
  if (middlewares.empty()) return deliver(event, args, ack);
  Passage::go_on(std::make_shared<Passage>(
      Passage{this, Incoming{std::string(event), args, std::move(ack)}, std::move(middlewares)}));
}

void Socket::Passage::go_on(const std::shared_ptr<Passage>& it) {
  Socket& socket = *it->socket;
  if (socket.state_ != State::connected) return;
  if (it->at == it->middlewares.size()) return socket.deliver(it->event.name, it->event.args, it->event.ack);
  const std::shared_ptr<EventMiddleware> asked = it->middlewares[it->at++];
  Next next(
      [it](const std::optional<Refusal>& refusal) { refusal ? it->socket->tell_error(*refusal) : go_on(it); },
      Next::Dropped::says_nothing);
  socket.client_->server().guarded("middleware", [&] { (*asked)(socket, it->event, std::move(next)); });
}

void Socket::deliver(std::string_view event, const Args& args, const Ack& ack) {
  Server::Impl& server = client_->server();
  each_table([&](EventTable& table) {
    table.each(event,
               [&](EventHandler& handler) { server.guarded(event, [&] { handler(*this, args, ack); }); });
  });
}

void Socket::tell_error(const Refusal& refusal) {
  if (state_ != State::connected) return;
  Server::Impl& server = client_->server();
  each_table([&](EventTable& table) {
    table.error.each(
        [&](ErrorHandler& handler) { server.guarded("error", [&] { handler(*this, refusal); }); });
  });
}

// Its namespace reads back what it sends to many only while somebody wants to hear it.
void Socket::watch_outgoing() {
  if (!extras_) return;
  const bool now = state_ != State::gone && extras_->events && !extras_->events->any_outgoing.empty();
  if (std::exchange(extras_->watched, now) == now) return;
  now ? ++nsp_->impl().watched : --nsp_->impl().watched;
}

void Socket::tell_outgoing(std::string_view event, const Args& args) {
  if (client_ == nullptr || !nsp_->impl().is_watched()) return;
  const SocketPtr keep(this);
  Server::Impl& server = client_->server();
  each_table([&](EventTable& table) {
    table.any_outgoing.each(
        [&](AnyHandler& handler) { server.guarded(event, [&] { handler(*this, event, args); }); });
  });
}

bool Namespace::Impl::is_watched() {
  bool watches = watched != 0;
  each_table([&](Handlers::Table& table) { watches = watches || !table.events.any_outgoing.empty(); });
  return watches;
}

void Namespace::Impl::tell_outgoing(std::string_view event, const Args& args, const adapter::Target& target) {
  if (!is_watched()) return;
  for (const SocketPtr& socket : chosen(target)) socket->tell_outgoing(event, args);
}

// What is on its way to many has been encoded already, here or by another node: it is read back.
void Namespace::Impl::tell_outgoing(const adapter::Encoded& sent, const adapter::Target& target) {
  if (!is_watched()) return;
  constexpr Bounds kOurOwn{std::numeric_limits<std::size_t>::max(),
                           std::numeric_limits<std::uint32_t>::max()};
  EventData event;
  std::string room;
  const auto header = read_header(sent.head->body().substr(1), kOurOwn);  // without Engine.IO's type
  if (!header || !read_event(*header, kOurOwn, room, event)) return;
  for (const auto& attachment : sent.attachments) event.args.attach(std::string(attachment->body()));
  tell_outgoing(event.name, event.args, target);
}

}  // namespace limpet::socketio
