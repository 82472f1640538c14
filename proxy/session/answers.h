// Answers: what a client is told for each thing that can go wrong, on one screen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::session {

enum class Cause : std::uint8_t {
  done,         // the server's answer was passed on
  bad_request,  // with a wire::Fault, which gives status and reason
  head_timeout,
  client_gone,
  client_stalled,  // its body came too slowly, or it did not read
  body_too_large,
  no_route,
  all_down,
  full,
  lost,            // on_lost = "strict" and its server takes no new sessions
  sid_gone,        // its server is down or gone
  no_connections,  // the proxy's max_connections
  connect_failed,
  connect_timeout,
  unreachable,     // the server of a session, which no other can stand in for
  local_shortage,  // ports, descriptors, memory: ours, not the server's
  server_closed,   // without a byte of answer
  bad_answer,      // with a wire::Fault
  cut_answer,      // the body ended before its length
  server_silent,   // the response timeout
  shutdown,
  ready,  // ready_path, answered here
};
inline constexpr std::size_t kCauses = static_cast<std::size_t>(Cause::ready) + 1;

struct Outcome {
  Cause cause = Cause::done;
  std::optional<wire::Fault> fault;
};

enum class Blame : std::uint8_t { nobody, client, server, proxy };

struct Answer {
  Cause cause;
  std::uint16_t status;  // 0: none, the connection just ends
  bool retry_after;      // worth asking again in a second
  Blame ended_by;        // what the access log says
  std::string_view reason;
  std::string_view text;  // for a person
};
const Answer& answer_of(Cause cause);

int status_of(const Outcome& outcome);
std::string_view reason_of(const Outcome& outcome);  // for logs and metrics: [a-z0-9_]

struct PageOptions {
  std::string_view request_id = {};
  bool json = false;       // the client accepts application/json
  bool head_only = false;  // HEAD
  bool close = true;
  bool upgrade = false;  // the refused request was an upgrade: for sid_gone, the text that servers send
  std::uint8_t client_minor = 1;
};
// Appends a whole answer, head and body.
void append_answer(std::string& out, const Outcome& outcome, const PageOptions& options);

// The answer of ready_path and of nothing else.
void append_ready(std::string& out, bool ready, const PageOptions& options);

std::string_view status_text(int status);
bool accepts_json(std::string_view accept);  // names application/json (and not only with q=0)

}  // namespace limpet::session
