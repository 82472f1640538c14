// Question: a broadcast that wants answers, from its emit to its callback. Round: this node's part of one.
//
// Owned by their namespace, on the loop's thread. A question is complete once every node has said how many
// clients it asked and so many have answered; a round is forgotten once all have answered or its time is up.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {

// How long clients have to answer where no timeout() was set: whoever never does is not waited for for ever.
inline constexpr std::uint64_t kAnswersWithinMs = 10'000;

struct Question {
  Question(Namespace::Impl& the_namespace, std::uint64_t the_id, OnReplies then, std::uint64_t timeout_ms);

  void on_clients(std::size_t count);  // a node has asked so many
  void on_answer(const Args& args);
  void on_nodes(std::size_t count);  // that there are
  void check();
  void on_timeout();
  void finish(bool complete);

  Namespace::Impl& nsp;
  std::uint64_t id;
  OnReplies done;
  Replies replies;
  std::size_t asked = 0, nodes = 0;
  std::size_t expected_nodes = 0;  // 0: not known yet
  net::Timer timer;
};

struct Round {
  Round(Namespace::Impl& the_namespace, std::uint64_t the_id, std::function<void(const Args&)> each);

  void on_reply(const Reply& reply);
  void on_timeout();

  Namespace::Impl& nsp;
  std::uint64_t id;
  std::function<void(const Args&)> on_ack;
  std::vector<SocketPtr> sockets;
  std::size_t awaited = 0;
  net::Timer timer;
};

}  // namespace limpet::socketio
