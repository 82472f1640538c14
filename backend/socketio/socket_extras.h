// What only some sockets have: handlers of their own, data, questions that their clients have not answered.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/socketio/ack.h"
#include "backend/socketio/event_table.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

struct Socket::Extras {
  // One question.
  struct Pending {
    OnReply done;
    std::unique_ptr<net::Timer> timer;
    Socket* socket;
    std::uint64_t id;
    void on_timeout() { socket->extras_->settle(id, {NoAnswer::timed_out, {}}); }
  };

  boost::json::object auth;
  boost::json::value data = boost::json::object();
  std::vector<adapter::Encoded> missed;  // while it was away; until it is let in
  std::string pid;                       // what a client names its session by, if it may be restored
  std::unique_ptr<EventTable> events;    // until it is gone
  std::unordered_map<std::uint64_t, Pending> pending;
  bool watched = false;                     // has an on_any_outgoing() of its own: its namespace counts those
  std::unique_ptr<net::Timer> close_timer;  // until it is gone

  // Takes the question out before its callback runs. False: there is none.
  bool settle(std::uint64_t id, const Reply& reply);
  void settle_all(NoAnswer why);
};

template <class Call>
void Socket::each_table(Call&& call) {
  nsp_->impl().each_table([&](Handlers::Table& table) { call(table.events); });
  if (extras_ && extras_->events) call(*extras_->events);
}

}  // namespace limpet::socketio
