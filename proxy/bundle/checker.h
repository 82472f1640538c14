// Checker: asks one child once whether it lives: GET of a path, or Redis' PING. On the loop's thread, all of
// it under one deadline.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "health/probe.h"
#include "proxy/bundle/blueprint.h"
#include "proxy/net/connect.h"
#include "proxy/net/loop.h"

namespace limpet::bundle {

class Checker {
 public:
  struct Report {
    bool known = false;     // false: a shortage of our own; it says nothing of the child
    bool answered = false;  // its process lives
    bool good = false;      // it may be used
    bool busy = false;      // it says that it cannot for now: a 503, Redis' -LOADING
    std::string text;
  };
  using Done = std::function<void(const Report&)>;

  Checker(net::Loop& loop, const Check& check, Done done);
  ~Checker();
  void start();   // one at a time
  void cancel();  // `done` is not called

 private:
  void start_http();
  void start_redis();
  void on_connect_ended();
  void on_readable();
  void on_deadline() { finish({true, false, false, false, "PING: no answer"}); }
  void finish(const Report& report);

  net::Loop& loop_;
  const Check check_;
  Done done_;
  std::shared_ptr<const net::Target::Addresses> addresses_;
  std::unique_ptr<health::Probe> probe_;
  std::unique_ptr<health::Probe> last_probe_;  // it may be what called us
  net::Timer deadline_;
  net::Connect connect_;
  net::Stream stream_;
  std::string in_;
};

}  // namespace limpet::bundle
