// What a Server is made of. One loop's thread; seen by this folder alone.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "backend/socketio/event_table.h"
#include "backend/socketio/ids.h"
#include "backend/socketio/packet.h"
#include "backend/socketio/server.h"

namespace limpet::socketio {

class Client;
class ClientFiles;
using ClientPtr = boost::intrusive_ptr<Client>;
using NamespacePtr = boost::intrusive_ptr<Namespace>;

struct Handlers::Table {
  std::vector<std::shared_ptr<Middleware>> middlewares;
  HandlerList<ConnectHandler> connection;
  EventTable events;
};

struct DynamicNamespace::Impl {
  std::function<void(std::string_view, const boost::json::value&, Server::Verdict)> accepts;
  std::function<bool(std::string_view)> fits;  // of a pattern alone: also what the program asks for
  Server::Impl* server = nullptr;
};

struct Server::Impl final : engine::Application {
  Impl(Server& self, net::Loop& loop, Options options);
  ~Impl();

  engine::Receiver* on_open(engine::Session& session) override;
  std::optional<std::string> forbid(const wire::RequestHead& head, const net::Address& peer) override;

  // Namespaces (namespaces.cpp)
  Namespace* find(std::string_view name) const;
  Namespace& make(std::string_view name, DynamicNamespace* parent);
  class Asked;
  void ask_parent(std::size_t index, const ClientPtr& client, const std::string& name,
                  const boost::json::value& auth, const std::function<void(Namespace*)>& done);
  Namespace* accept_dynamic(const std::string& name, DynamicNamespace& parent);
  Namespace& make_asked_for(const std::string& name);  // by the program
  void left(Namespace& nsp);                           // a dynamic one may have lost its last socket

  // Runs what a program gave us; an exception ends here.
  template <class F>
  void guarded(std::string_view where, F&& call) {
    try {
      call();
    } catch (...) {
      report(where, std::current_exception());
    }
  }
  void report(std::string_view where, const std::exception_ptr& exception);

  // While something is being sent, connections that end have to wait: their handlers would walk into the
  // middle of it.
  struct Sending {
    explicit Sending(Impl& server) : server_(server) { ++server_.sending; }
    ~Sending() { --server_.sending; }
    Sending(const Sending&) = delete;

   private:
    Impl& server_;
  };
  void close_later(Client& client, engine::Reason reason);
  void retire(std::unique_ptr<EventTable> table);
  void retire(NamespacePtr nsp, std::unique_ptr<adapter::Adapter> adapter);
  void end_turn();

  Server& self;
  net::Loop& loop;
  Options options;
  Bounds bounds;
  Totals totals;
  PacketWriter writer;
  Ids ids;
  std::map<std::string, NamespacePtr, std::less<>> namespaces;
  std::uint32_t dynamic_count = 0;
  std::deque<DynamicNamespace> parents;
  std::vector<std::function<void(Namespace&)>> new_namespace;
  std::vector<Client*> clients;
  int sending = 0;
  std::vector<std::pair<ClientPtr, engine::Reason>> waiting;
  std::vector<std::unique_ptr<EventTable>> retired;
  std::vector<std::pair<NamespacePtr, std::unique_ptr<adapter::Adapter>>> retired_namespaces;
  net::Deferred turn{net::delegate<&Impl::end_turn>(this)};
  std::unique_ptr<ClientFiles> client_files;
  std::unique_ptr<engine::Server> engine;
};

}  // namespace limpet::socketio
