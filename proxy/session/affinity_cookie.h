// The affinity cookie on an answer: whether it is set, to what, and what becomes of a server's own.
#pragma once

#include <string>
#include <string_view>

#include "proxy/config/snapshot.h"
#include "proxy/wire/head.h"
#include "routing/chooser.h"

namespace limpet::session {

struct AffinityCookie {
  std::string set;                 // a whole Set-Cookie value; empty: none
  std::string_view replace;        // a server's Set-Cookie of this name goes...
  std::string_view rewrite_value;  // ...or gets this value
};

AffinityCookie decide_cookie(const config::PoolEntry& pool, const routing::Choice& choice, routing::Kind kind,
                             const wire::ResponseHead& answer, std::string_view scheme);

// "io=ws1; Path=/; HttpOnly; SameSite=Lax"
std::string cookie_text(const config::Cookie& cookie, std::string_view value, bool https);

}  // namespace limpet::session
