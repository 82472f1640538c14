// A session as it is kept under a key of Redis: base64 of MessagePack of {sid, pid, rooms, data}. Pure.
//
// One that was saved while its socket lived also says where, in `node`, which Node.js's adapter does not look
// at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/adapter/adapter.h"

namespace limpet::cluster {

struct SavedSession {
  adapter::Session session;
  std::string node;  // the uid of the adapter where its socket lived when it was saved; empty: it had gone
};

std::string write_session(const adapter::Session& session, std::string_view node);
std::optional<SavedSession> read_session(std::string_view text);

// What a client may name: Node.js makes 20 characters of base64url; others never reach a key.
bool is_pid(std::string_view pid);

}  // namespace limpet::cluster
