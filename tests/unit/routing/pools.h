// The words of routing's tests: servers, pools, clients.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "routing/chooser.h"

namespace limpet::routing {

inline Member member(std::string id, std::uint32_t weight = 1) {
  Member made;
  made.server = std::make_shared<Server>("ws", std::move(id));
  made.weight = weight;
  return made;
}

inline Member backup(std::string id) {
  Member made = member(std::move(id));
  made.backup = true;
  return made;
}

inline std::vector<Member> members(int count, const std::string& prefix = "ws") {
  std::vector<Member> made;
  for (int i = 1; i <= count; ++i) made.push_back(member(prefix + std::to_string(i)));
  return made;
}

inline PoolSettings settings() {
  PoolSettings made;
  made.name = "ws";
  made.seed = seed_of("ws");
  return made;
}

inline PoolSettings balanced(Balance balance) {
  PoolSettings made = settings();
  made.affinity = {Affinity::sid, Affinity::cookie};
  made.balance = balance;
  return made;
}

// 10.0.0.0 and on.
inline ClientKey client(std::uint32_t number) {
  const std::array<std::uint8_t, 4> bytes{
      static_cast<std::uint8_t>(10 + (number >> 24)), static_cast<std::uint8_t>(number >> 16),
      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return ClientKey::of(bytes);
}

inline void set_load(const Member& member, std::uint32_t load) {
  for (std::uint32_t i = member.server->in_use(); i < load; ++i) member.server->load.in_use.begin_request();
  for (std::uint32_t i = member.server->in_use(); i > load; --i) member.server->load.in_use.end_request();
}
inline void set_state(const Member& member, State state) {
  member.server->view.state = state;
}
inline void set_wanted(const Member& member, Wanted wanted) {
  member.server->view.wanted = wanted;
}

inline std::string self_named(const std::string& id) {
  return "abcdefghijkl" + server_tag(id);
}

// What a chooser needs, and the order that it goes by.
class Choosing : public testing::Test {
 protected:
  SidTable sids{1000};
  Chooser chooser{sids, 1};
  std::uint64_t now = 1'000'000;

  static std::vector<const Member*> order_of(const Pool& pool, std::uint32_t from = 1) {
    std::vector<const Member*> order;
    rendezvous_order(pool, client(from), order);
    return order;
  }
};

// What one request asks, and its cookies.
class Affine : public Choosing {
 protected:
  std::vector<std::string_view> cookies;
  std::vector<const Server*> tried;

  Choice ask(const Pool& pool, Kind kind, ClientKey from, std::string_view sid = {}) {
    Ask asked;
    asked.kind = kind;
    asked.client = from;
    asked.sid = sid;
    asked.cookies = cookies;
    asked.not_these = tried;
    asked.now_ms = now;
    return chooser.choose(pool, asked);
  }
  Choice begins(const Pool& pool, std::uint32_t from = 1) { return ask(pool, Kind::begins, client(from)); }
  Choice belongs(const Pool& pool, std::string_view sid, std::uint32_t from = 1) {
    return ask(pool, Kind::belongs, client(from), sid);
  }
  static const Member& first_of(const Pool& pool, std::uint32_t from = 1) { return *order_of(pool, from)[0]; }
  static std::string id(const Choice& choice) { return choice.member ? choice.member->server->id : "-"; }
};

}  // namespace limpet::routing
