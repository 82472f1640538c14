// Overview: the bundle's children as plain values, for whoever shows them; and Observer, who is told.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/bundle/state.h"

namespace limpet::bundle {

enum class Kind : std::uint8_t { redis, node, proxy };

struct ChildView {
  std::string id;  // "redis", "n1", "proxy": also the prefix of its lines
  Kind kind = Kind::node;
  State state = State::waiting;
  pid_t pid = 0;               // of the program itself, not of its guard; 0: none
  std::uint32_t restarts = 0;  // since the bundle's start
  std::uint64_t since_ms = 0;  // of net::now_ms(): in this state
  std::string health;          // what its last probe said: "GET /health: 200"; empty: none yet
  std::string address;         // where it serves: "unix:/run/...", "127.0.0.1:3001"
  std::string admin;           // where its metrics are; empty: nowhere
};

// What an operator asked for and takes its time: "restart", "scale".
struct OperationView {
  std::uint32_t number = 0;  // from 1, in the order in which they were asked for; 0: none
  std::string name;
  std::uint32_t done = 0, of = 0;  // nodes that are through
  std::string error;               // of one that has ended; empty: it went well
};

struct Overview {
  enum class Stage : std::uint8_t { starting, serving, stopping } stage = Stage::starting;
  std::vector<ChildView> children;  // Redis, the nodes in order, the proxy
  OperationView operation;          // under way
  OperationView last_operation;     // has ended
};

// Called on the loop's thread. None may destroy the Supervisor.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_change() {}                                            // of overview()
  virtual void on_line(std::string_view id, std::string_view line) = 0;  // without its end; safe to print
  virtual void on_scaled() {}                                            // whoever asked for it
  virtual void on_all_ready() = 0;                                       // once
  virtual void on_end(bool clean) = 0;                                   // once: nothing runs any more
};

}  // namespace limpet::bundle
