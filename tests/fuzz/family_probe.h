// Nodes whose Redis is never there, and which are handed what a publisher could say: one of the family, and
// what any has.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include "backend/cluster/family.h"
#include "tests/unit/cluster/fake_host.h"

namespace limpet::cluster {

inline void check(bool so) {
  if (!so) std::abort();
}

class Probe final : public Family {
 public:
  Probe(adapter::Host& host, redis::Redis& redis)
      : Family(host, redis, {.prefix = "socket.io"}, std::make_shared<Totals>()) {}
  void broadcast(const adapter::Event&, const adapter::Target&) override {}
  void join(const adapter::Target&, const std::vector<std::string>&) override {}
  void leave(const adapter::Target&, const std::vector<std::string>&) override {}
  void disconnect(const adapter::Target&, bool) override {}
  bool appends_offsets() const override { return true; }
  using Family::draw_id;
  using Family::on_message;
  using Family::on_said;
  using Family::tally_;
};

// Two sockets and a handler, without Redis.
struct LonelyWorld {
  LonelyWorld() {
    host.handlers["ping"] = [](const codec::Args& args, const FakeHost::Reply& reply) {
      if (reply) reply(args);
    };
    host.add("sid1", {"room",
                      "\xff"
                      "42"});
    host.add("sid2", {"room"});
  }
  static redis::Settings nowhere() {
    redis::Settings settings;
    settings.endpoints = {{"/nowhere", 0}};
    return settings;
  }
  net::Loop loop;
  redis::Redis redis{loop, nowhere()};  // never started: what is published fails
  FakeHost host{loop};
};

// And the node that serves them.
struct ProbeWorld : LonelyWorld {
  std::unique_ptr<Probe> probe = std::make_unique<Probe>(host, redis);
};

// What has been read of a broadcast is written, and read again as the same.
inline void broadcast_stays(family::Incoming said) {
  family::Broadcast read;
  if (said.type != family::Type::broadcast || !family::take_broadcast(said, read)) return;
  const adapter::Event event = read.event.event();
  const family::Outgoing what{
      .type = family::Type::broadcast, .target = &read.target, .request = read.request, .event = &event};
  TextWriter text;
  codec::msgpack::Writer binary;
  if (what.has_bytes())
    family::write(binary, what, "uid", "/");
  else
    family::write(text, what, "uid", "/");
  auto again = family::read(what.has_bytes() ? binary.bytes() : text.bytes());
  family::Broadcast same;
  check(again && family::take_broadcast(*again, same));
  check(same.event.name == read.event.name && same.event.name_is_number == read.event.name_is_number);
  check(FakeHost::json(same.event.args) == FakeHost::json(read.event.args) && same.request == read.request);
  check(same.target.rooms.size() == read.target.rooms.size() &&
        same.target.except.size() == read.target.except.size());
  check(same.target.flags.volatile_ == read.target.flags.volatile_ &&
        same.target.flags.timeout_ms == read.target.flags.timeout_ms);
}

}  // namespace limpet::cluster
