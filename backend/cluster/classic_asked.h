// What Classic has asked of the other nodes: whom it waits for, and what has come so far. Seen by Classic
// alone.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backend/cluster/classic.h"
#include "proxy/net/loop.h"

namespace limpet::cluster {

struct Classic::Fetch {
  std::vector<adapter::RemoteSocket> sockets;
  OnFound done;
};

struct Classic::Emit {
  Args answers;
  OnAnswers done;
};

// Ends by its timer alone: nobody knows how many nodes and clients there are to answer.
struct Classic::Acks {
  std::function<void(std::size_t)> on_clients;
  std::function<void(const Args&)> on_ack;
  std::size_t clients = 0, answered = 0;
};

struct Classic::Asked {
  Asked(Classic& the_owner, std::string the_id, std::variant<Fetch, Emit, Acks> the_kind)
      : owner(the_owner),
        id(std::move(the_id)),
        kind(std::move(the_kind)),
        timer(the_owner.host_.loop(), net::delegate<&Asked::on_timeout>(this)) {}
  void on_timeout() { owner.on_timeout(*this); }

  Classic& owner;
  std::string id;
  std::variant<Fetch, Emit, Acks> kind;
  std::size_t expected = 0, heard = 0;  // nodes, this one aside
  net::Timer timer;
};

}  // namespace limpet::cluster
