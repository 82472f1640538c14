// Application: what a node does in each namespace: greets clients, so that they have an offset, and hears
// what other nodes emit to servers. application.mjs does the same on Node.js. One loop's thread.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "backend/socketio/server.h"

namespace limpet::cluster_test {

class Application {
 public:
  Application(socketio::Server& io, std::string id, bool greets);
  Application(const Application&) = delete;

  boost::json::array take_heard();  // [namespace, event, ...arguments], and forgets them

 private:
  void serve(socketio::Namespace& nsp);
  void hear(std::string_view nsp, std::string_view event, const codec::Args& args);

  std::string id_;
  bool greets_;
  boost::json::array heard_;
};

}  // namespace limpet::cluster_test
