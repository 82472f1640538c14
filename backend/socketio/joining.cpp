// How a client gets into a namespace: found or made, session restored, middlewares asked, answered.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/codec/json_writer.h"
#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/query.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {
namespace {

constexpr std::size_t kMostRestored = 100;  // namespaces of one connection

constexpr std::string_view kUnknown = R"({"message":"Invalid namespace"})";

const boost::json::string* text_in(const boost::json::value& auth, std::string_view key) {
  const boost::json::value* value = auth.get_object().if_contains(key);
  return value != nullptr ? value->if_string() : nullptr;
}

}  // namespace

void Client::connect(const Header& header, const boost::json::object& query) {
  const std::uint32_t longest = server_.options.limits.auth_bytes;
  if (longest != 0 && header.nsp.size() + header.payload.size() > longest) return over_limit();
  boost::json::value auth = query;
  if (revision_ != 3 && !read_payload(header, server_.bounds, auth)) return invalid();
  const std::uint32_t most = server_.options.limits.namespaces_per_client;
  if (most != 0 && sockets_.size() + joining_ >= most) return over_limit();
  const std::string name(revision_ == 3 ? split_namespace(header.nsp).path : header.nsp);
  if (Namespace* known = server_.find(name)) return join(*known, std::move(auth));
  if (!is_namespace_name(name)) return invalid();
  ++joining_;
  const ClientPtr self(this);
  server_.ask_parent(0, self, name, auth, [this, self, name, auth](Namespace* nsp) {
    --joining_;
    if (nsp != nullptr) return open() ? join(*nsp, auth) : server_.left(*nsp);
    if (!open()) return;
    ++server_.totals.refused;
    server_.writer.plain(Type::connect_error, name, kUnknown);
    send(server_.writer);
  });
}

void Client::join(Namespace& nsp, boost::json::value auth) {
  ++joining_;
  ++nsp.impl().joining;
  const NamespacePtr kept(&nsp);
  const auto* pid = server_.options.recovery.enabled ? text_in(auth, "pid") : nullptr;
  const auto* offset = text_in(auth, "offset");
  if (pid == nullptr || offset == nullptr || !may_restore(nsp))
    return begin(kept, std::move(auth), std::nullopt);
  nsp.impl().adapter->restore(*pid, *offset, [this, keep = ClientPtr(this), kept, auth](auto restored) {
    begin(kept, auth, std::move(restored));
  });
}

// Once a namespace, in the whole life of a connection: who is back has lost the one before. Each time the
// adapter looks through what it keeps, or asks Redis, and a client could ask as fast as it can write. (The
// in-memory adapter of Node.js gives a session back as often as it is asked for, the one for Redis streams
// once.)
bool Client::may_restore(const Namespace& nsp) {
  if (!restored_) restored_ = std::make_unique<std::vector<const Namespace*>>();
  if (restored_->size() == kMostRestored || std::ranges::find(*restored_, &nsp) != restored_->end())
    return false;
  restored_->push_back(&nsp);
  return true;
}

void Client::begin(const NamespacePtr& nsp, boost::json::value auth,
                   std::optional<adapter::Restored> restored) {
  if (!open()) {
    if (restored && nsp->impl().adapter)  // it may come back once more
      nsp->impl().adapter->persist(std::move(restored->session));
    return settled(*nsp);
  }
  const SocketPtr socket(new Socket(*nsp, *this));
  if (!auth.get_object().empty()) socket->extras().auth = std::move(auth.get_object());
  if (restored) {
    socket->recovered_ = true;
    socket->name(restored->session.sid);
    socket->extras().pid = restored->session.pid;
    socket->extras().data = std::move(restored->session.data);
    for (const std::string& room : restored->session.rooms) nsp->impl().rooms_.join(*socket, room);
    socket->extras().missed = std::move(restored->missed);
  } else {
    if (revision_ != 3)
      socket->name(server_.ids.next());
    else if (nsp->name() == "/")
      socket->name(session_->sid());
    else
      socket->name(std::string(nsp->name()) + '#' + std::string(session_->sid()));
    if (server_.options.recovery.enabled) socket->extras().pid = server_.ids.next();
  }
  if (restored && server_.options.recovery.skip_middlewares)
    let_in(*socket);
  else
    ask(socket, 0);
}

void Client::ask(const SocketPtr& socket, std::size_t middleware) {
  if (!open()) return turn_back(*socket);
  const std::shared_ptr<Middleware> next = socket->nsp_->impl().middleware(middleware);
  if (!next) return let_in(*socket);
  const Next then([this, keep = ClientPtr(this), socket, middleware](std::optional<Refusal> refusal) {
    if (!refusal) return ask(socket, middleware + 1);
    if (!open()) return turn_back(*socket);
    refuse(*socket, *refusal);
    settled(*socket->nsp_);
  });
  try {
    (*next)(*socket, then);
  } catch (...) {
    server_.report("middleware", std::current_exception());
    then(Refusal{"Internal server error", nullptr});
  }
}

// Its client has gone meanwhile, and may come back for its session once more.
void Client::turn_back(Socket& socket) {
  auto& adapter = socket.nsp_->impl().adapter;
  if (socket.recovered_ && adapter) {
    adapter::Session session = socket.session();
    session.rooms.insert(session.rooms.begin(), session.sid);  // which it enters once it is let in
    adapter->persist(std::move(session));
  }
  socket.detach();
  settled(*socket.nsp_);
}

// What it has missed goes out before the answer: official clients keep it until they are connected. Not
// earlier: a middleware may still refuse who says that it is back.
void Client::let_in(Socket& socket) {
  const SocketPtr keep(&socket);
  const NamespacePtr nsp(socket.nsp_);
  Namespace::Impl& impl = nsp->impl();
  connect_timer_.reset();
  socket.enter();
  sockets_.push_back(&socket);
  ++server_.totals.connected;
  if (socket.recovered_) {
    ++server_.totals.recovered;
    for (const adapter::Encoded& missed : std::exchange(socket.extras().missed, {})) send(missed);
  }
  std::string answer;
  if (revision_ != 3) {
    answer = R"({"sid":)";
    codec::write_string(answer, socket.id());
    if (server_.options.recovery.enabled) {
      answer += R"(,"pid":)";
      codec::write_string(answer, socket.extras().pid);
    }
    answer += '}';
  }
  server_.writer.plain(Type::connect, impl.name_, answer);
  send(server_.writer);
  impl.each_table([&](Handlers::Table& table) {
    table.connection.each(
        [&](ConnectHandler& handler) { server_.guarded("connection", [&] { handler(socket); }); });
  });
  if (impl.early) impl.early->save(socket);
  settled(*nsp);
}

// A 2.x client is told of the data, or of the message alone.
void Client::refuse(Socket& socket, const Refusal& refusal) {
  ++server_.totals.refused;
  std::string error;
  if (revision_ == 3) {
    if (refusal.data.is_null())
      codec::write_string(error, refusal.message);
    else
      codec::write_json(error, refusal.data);
  } else {
    error = R"({"message":)";
    codec::write_string(error, refusal.message);
    if (!refusal.data.is_null()) {
      error += R"(,"data":)";
      codec::write_json(error, refusal.data);
    }
    error += '}';
  }
  socket.detach();
  server_.writer.plain(Type::connect_error, socket.nsp_->impl().name_, error);
  send(server_.writer);
}

void Client::settled(Namespace& nsp) {
  if (abandoned_) return;
  --joining_;
  --nsp.impl().joining;
  server_.left(nsp);
}

}  // namespace limpet::socketio
