// Client: one Engine.IO session with the sockets that it has in namespaces: what it says is taken apart here.
//
// Counted: by its session until that has closed, and by whoever waits for something on its behalf.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/budget/share.h"
#include "backend/engine/server.h"
#include "backend/socketio/bucket.h"
#include "backend/socketio/packet.h"
#include "backend/socketio/server_impl.h"
#include "backend/socketio/socket.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

class Client final : public engine::Receiver {
 public:
  Client(Server::Impl& server, engine::Session& session);

  void start();  // what a new session is due at once

  // engine::Receiver
  void on_message(engine::Kind kind, std::string_view data) override;
  void on_close(engine::Reason reason) override;
  std::size_t holds() const override { return partial_ ? partial_->share.bytes() : 0; }

  bool open() const { return session_ != nullptr && !closing_; }
  engine::Session* session() { return session_; }
  int revision() const { return revision_; }
  Server::Impl& server() { return server_; }

  void send(const PacketWriter& packet);
  void send(const adapter::Encoded& event);
  void remove(Socket& socket);
  void disconnect();                    // every namespace in turn, then the connection
  void close();                         // the connection, after what is queued
  void ended(std::string_view reason);  // its sockets leave
  void abandon();                       // the server is being destroyed

 private:
  friend struct Server::Impl;
  friend void intrusive_ptr_add_ref(Client* client) { ++client->count_; }
  friend void intrusive_ptr_release(Client* client) {
    if (--client->count_ == 0) delete client;
  }
  ~Client();
  void forget();  // the server does

  // A packet whose attachments are on their way.
  struct Partial {
    Partial(Client& client, const Header& header, EventData data);
    void expect();  // the next one

    Type type;
    std::string nsp;
    std::optional<AckId> id;
    std::uint32_t awaited;
    std::string name;  // an event's
    Args args;
    std::uint64_t patience_ms;
    net::Timer deadline;  // of the next one
    budget::Share share;
  };

  void text(std::string_view data);
  void attachment(std::string_view data);
  void event(Socket& socket, const Header& header);
  void ack(Socket& socket, const Header& header);
  void invalid();
  void over_limit();
  void count_event();
  void go_on();
  Socket* joined(std::string_view nsp) const;

  // Joining (joining.cpp)
  void connect(const Header& header, const boost::json::object& query);
  void join(Namespace& nsp, boost::json::value auth);
  void begin(const NamespacePtr& nsp, boost::json::value auth, std::optional<adapter::Restored> restored);
  void ask(const SocketPtr& socket, std::size_t middleware);
  void let_in(Socket& socket);
  void refuse(Socket& socket, const Refusal& refusal);
  void turn_back(Socket& socket);
  void settled(Namespace& nsp);
  bool may_restore(const Namespace& nsp);
  void on_connect_timeout();

  Server::Impl& server_;
  engine::Session* session_;
  boost::container::small_vector<SocketPtr, 1> sockets_;  // in the order of joining
  std::unique_ptr<Partial> partial_;
  std::unique_ptr<net::Timer> connect_timer_;  // until the first namespace is joined
  std::unique_ptr<net::Timer> held_up_;        // until it is read again, if it ever sent too much
  std::unique_ptr<std::vector<const Namespace*>> restored_;  // where it has asked for an earlier session
  Bucket bucket_;                                            // of events that it may still send
  std::uint32_t index_;                                      // among the server's clients
  std::uint32_t count_ = 0;
  std::uint32_t joining_ = 0;
  std::uint8_t revision_;
  bool closing_ = false;    // nothing is heard or said any more
  bool gone_ = false;       // its sockets have left
  bool abandoned_ = false;  // there is no server
};

}  // namespace limpet::socketio
