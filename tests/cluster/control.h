// Control: the connection by which a test tells a node what to do: a Socket.IO server of its own, on a port
// of its own, without Redis. control.mjs answers the same on Node.js.
//
// Each event is (choice, ...arguments, ack). The choice says who is meant: {nsp, from, to, except, flags,
// timeout}; `from` is the id of a socket that tells others. One loop's thread.
#pragma once

#include "backend/cluster/cluster.h"
#include "backend/http/server.h"
#include "backend/redis/redis.h"
#include "backend/socketio/server.h"
#include "proxy/net/loop.h"
#include "tests/cluster/application.h"

namespace limpet::cluster_test {

class Control {
 public:
  // What it is told about; all of it outlives it.
  struct Node {
    socketio::Server& io;
    Application& application;
    redis::Redis& redis;
    cluster::Tally tally;
  };
  Control(net::Loop& loop, http::Server& http, Node node);
  Control(const Control&) = delete;

 private:
  void add_emits();
  void add_questions();
  void add_sweeps();
  void add_sockets();
  void add_state();

  Node node_;
  socketio::Server server_;
};

}  // namespace limpet::cluster_test
