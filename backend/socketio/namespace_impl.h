// What a Namespace is made of: its rooms, its adapter, and what it has asked. Seen by this folder alone.
//
// Counted by the server and by each of its sockets, so that a socket that a program keeps never looks into
// nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/adapter/rooms.h"
#include "backend/socketio/early_saves.h"
#include "backend/socketio/namespace.h"
#include "backend/socketio/server_impl.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

struct Question;
struct Round;

struct Namespace::Impl final : adapter::Host {
  Impl(Server::Impl& server, std::string_view name, DynamicNamespace* parent);
  ~Impl();
  static std::unique_ptr<Namespace> make(std::unique_ptr<Impl> impl);
  void stop();  // it is no more, or the server is not: whoever still has it finds nothing

  // adapter::Host
  std::string_view name() const override { return name_; }
  bool stopped() const override { return server == nullptr; }
  net::Loop& loop() override { return server->loop; }
  adapter::Rooms& rooms() override { return rooms_; }
  adapter::Encoded encode(const adapter::Event& event, std::optional<std::string_view> offset) override;
  void check(const adapter::Event& event) const override;
  void deliver(const adapter::Encoded& event, const adapter::Target& target) override;
  std::size_t deliver_with_ack(const adapter::Event& event, const adapter::Target& target,
                               std::function<void(const Args&)> on_ack) override;
  void fetch(const adapter::Target& target, std::vector<adapter::RemoteSocket>& found) override;
  void join(const adapter::Target& target, const std::vector<std::string>& rooms) override;
  void leave(const adapter::Target& target, const std::vector<std::string>& rooms) override;
  void disconnect(const adapter::Target& target, bool close) override;
  bool on_server_side_event(std::string_view name, const Args& args,
                            std::function<void(const Args&)> reply) override;
  void supersede(std::string_view id) override;
  void save(std::string_view id) override;

  // Of many clients, on all nodes (question.cpp)
  void ask(std::string_view event, const Args& args, adapter::Target target, OnReplies done);

  // Its own table, and its parent's: that one's handlers come first.
  template <class Call>
  void each_table(Call&& call) {
    if (parent != nullptr) call(parent->table());
    call(self->table());
  }
  std::shared_ptr<Middleware> middleware(std::size_t index);  // of both; null behind the last
  std::vector<SocketPtr> chosen(const adapter::Target& target);
  // Those of the target that want to hear what is sent (dispatch.cpp).
  bool is_watched();
  void tell_outgoing(std::string_view event, const Args& args, const adapter::Target& target);
  void tell_outgoing(const adapter::Encoded& sent, const adapter::Target& target);
  adapter::Encoded encoded(const PacketWriter& packet) const;

  Server::Impl* server;  // null, as its adapter, once stopped
  DynamicNamespace* parent;
  Namespace* self = nullptr;
  std::string name_;
  adapter::Rooms rooms_;
  std::unique_ptr<adapter::Adapter> adapter;
  std::unique_ptr<EarlySaves> early;  // null: sessions are saved when their sockets go
  std::unordered_map<std::string, HandlerList<ServerHandler>> server_handlers;
  std::uint64_t next_ack = 0;
  std::uint64_t next_question = 0;
  std::map<std::uint64_t, std::unique_ptr<Round>> rounds;  // by ack id
  std::map<std::uint64_t, std::unique_ptr<Question>> questions;
  std::uint32_t count = 0;      // who holds it
  std::uint32_t joining = 0;    // sockets that are not in yet
  std::uint32_t watched = 0;    // sockets with an on_any_outgoing() of their own
  std::uint32_t connected = 0;  // those that are: one whose id a newer one has taken is in no room
};

// Throws std::invalid_argument for what no client would take.
void check_event(std::string_view event);
void check_event(const adapter::Event& event);
void check_attachments(std::size_t count, const Bounds& bounds);

}  // namespace limpet::socketio
