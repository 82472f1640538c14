#include "backend/engine/candidate.h"

#include <utility>

#include "backend/engine/live_session.h"
#include "backend/engine/server_impl.h"

namespace limpet::engine {
namespace {

constexpr std::uint64_t kTickMs = 100;  // engine.io's

}  // namespace

Candidate::Candidate(LiveSession& session, http::Exchange::Upgraded from, const ws::Options& options,
                     bool base64)
    : session_(session),
      socket_(session.server().hub, std::move(from.stream), options, *this, from.early, from.unsent),
      tick_(session.server().loop, net::delegate<&Candidate::on_tick>(this)),
      deadline_(session.server().loop, net::delegate<&Candidate::on_deadline>(this)),
      base64_(base64) {
  deadline_.after(session.server().options.upgrade_timeout_ms);
}

Candidate::~Candidate() {
  if (socket_) socket_.close(session_.close_code());
}

ws::Socket Candidate::take_socket() {
  return std::exchange(socket_, {});
}

// Nothing may follow a call that ends us.
void Candidate::on_message(ws::Kind kind, std::string_view body) {
  Server::Impl& server = session_.server();
  const int revision = session_.revision();
  const auto packet =
      kind == ws::Kind::text ? packet_of_text(revision, body, server.room) : packet_of_bytes(revision, body);
  if (packet && packet->type == Type::ping && packet->kind == ws::Kind::text && packet->data == "probe") {
    socket_.send(server.control.probe_answer);
    return tick_.after(kTickMs);
  }
  if (packet && packet->type == Type::upgrade) return session_.upgrade();
  session_.drop_candidate();
}

void Candidate::on_end(const ws::Ending&) {
  socket_ = {};
  session_.drop_candidate();
}

// Again and again: a poll may come after a noop was sent, even one that was under way before the probe.
void Candidate::on_tick() {
  session_.release_poll();
  tick_.after(kTickMs);
}

void Candidate::on_deadline() {
  session_.drop_candidate();
}

}  // namespace limpet::engine
