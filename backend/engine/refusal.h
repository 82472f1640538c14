// Refusal: why a request is not served, and the one table of how a client is told (shared with engine.io,
// byte for byte).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::engine {

enum class Refusal : std::uint8_t {
  transport_unknown,
  sid_unknown,
  bad_handshake_method,
  bad_request,
  forbidden,
  revision_unsupported,
  full,           // Options::max_sessions
  shutting_down,  // refuse_new()
};

int status_of(Refusal refusal);
std::string_view message_of(Refusal refusal);
std::string_view json_of(Refusal refusal);  // {"code":1,"message":"Session ID unknown"}

// An answer to an upgrade as engine.io writes it to the bare socket.
std::string upgrade_refusal(int status, std::string_view message, std::string_view fields = {});
std::string upgrade_refusal(Refusal refusal);

// What an application's own refusal says: `{"code":4,"message":...}`. The message is UTF-8.
std::string forbidden_json(std::string_view message);

}  // namespace limpet::engine
