// Roster: the nodes that serve a namespace and their sessions, for its clients: nodes(ack) -> ack([{ id,
// sessions }, ...]).
//
// Nodes are asked, all at once, at most once a second and only while clients ask; an ack has what is known
// by then. Owned by the Node, on the loop's thread; the namespace ends first.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "backend/socketio/namespace.h"

namespace limpet::app {

using NodeSessions = std::map<std::string, std::uint64_t>;  // by node
// What nodes but `own` answered. Whoever serves the same namespace may be anybody's program, and may say
// anything. Pure.
NodeSessions read_answers(const socketio::Args& answers, std::string_view own);

class Roster {
 public:
  Roster(socketio::Namespace& nsp, std::string id, std::function<std::size_t()> sessions);
  Roster(const Roster&) = delete;

 private:
  boost::json::array nodes() const;
  void look();

  socketio::Namespace& nsp_;
  const std::string id_;
  const std::function<std::size_t()> sessions_;
  NodeSessions others_;  // as they last answered
  std::uint64_t asked_ms_ = 0;
  bool asking_ = false;
  std::shared_ptr<Roster*> self_ = std::make_shared<Roster*>(this);  // answers may come later
};

}  // namespace limpet::app
