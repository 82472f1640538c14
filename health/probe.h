// Probe: asks one server once, over a connection of its own, everything under one deadline.
//
// Owned by the Monitor, on the control thread. Reads the head, and the body only as far as a body is
// expected: whatever a server sends, memory and time are bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "health/settings.h"
#include "health/state_machine.h"
#include "proxy/net/connect.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"
#include "proxy/net/target.h"
#include "proxy/wire/chunked.h"
#include "proxy/wire/head.h"

namespace limpet::health {

class Probe {
 public:
  struct Report {
    bool said_nothing = false;  // our own shortage: nothing is known of the server
    Result result = Result::silent;
    int status = 0;    // of the answer; 0: there was none
    std::string text;  // "GET /health: 200", "connect to 10.0.1.2:3000: Connection refused"
  };
  using Done = std::function<void(const Report&)>;  // may destroy the Probe

  Probe(net::Loop& loop, const Settings& settings, std::shared_ptr<const net::Target::Addresses> addresses,
        std::string_view host, Done done);
  void start();

  static constexpr std::size_t kMostBody = 16 * 1024;

 private:
  void on_connect_ended();
  void on_connected();
  void write();
  void on_readable();
  void on_bytes(std::string_view bytes);
  void on_head(std::string_view rest);
  void on_body(std::string_view bytes);
  void on_body_end();
  bool body_found() const;
  void on_deadline();
  void finish(Result result, std::string text);
  void end(const Report& report);
  std::string connecting() const { return "connect to " + connect_.address().text(); }
  std::string asked() const { return settings_.method + " " + settings_.path; }

  const Settings& settings_;
  std::shared_ptr<const net::Target::Addresses> addresses_;
  Done done_;
  net::Timer deadline_;
  net::Connect connect_;
  net::Stream stream_;
  std::string out_;
  std::string in_;
  std::string body_;
  wire::HeadScanner scanner_;
  wire::ChunkReader chunks_;
  wire::FieldList fields_;
  wire::Body framing_;
  std::uint64_t length_left_ = 0;
  int status_ = 0;
  bool connected_ = false;
  bool head_done_ = false;
};

}  // namespace limpet::health
