// Ask: one request to the proxy's admin socket, its answer whole. On the loop's thread, under one deadline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/config/config.h"
#include "proxy/net/connect.h"
#include "proxy/net/loop.h"

namespace limpet::bundle {

class Ask {
 public:
  struct Answer {
    int status = 0;  // 0: there was none
    std::string type, body;
  };
  using Done = std::function<void(const Answer&)>;  // may destroy the Ask

  Ask(net::Loop& loop, const config::Endpoint& where, std::string_view method, std::string_view path,
      Done done);
  void start();

 private:
  void on_connect_ended();
  void write();
  void on_readable();
  void on_deadline() { finish({}); }
  void finish(Answer answer);

  std::shared_ptr<const net::Target::Addresses> addresses_;
  Done done_;
  net::Timer deadline_;
  net::Connect connect_;
  net::Stream stream_;
  std::string out_, in_;
};

// What a server wrote until it closed: nothing if that is no whole answer. Pure.
Ask::Answer read_answer(std::string_view bytes);

}  // namespace limpet::bundle
