#include "proxy/session/affinity_cookie.h"

namespace limpet::session {

std::string cookie_text(const config::Cookie& cookie, std::string_view value, bool https) {
  std::string text = cookie.name;
  text += '=';
  text += value;
  text += "; Path=" + cookie.path;
  if (cookie.domain) text += "; Domain=" + *cookie.domain;
  if (cookie.max_age) text += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (cookie.http_only) text += "; HttpOnly";
  switch (cookie.same_site) {
    case config::SameSite::lax: text += "; SameSite=Lax"; break;
    case config::SameSite::strict: text += "; SameSite=Strict"; break;
    case config::SameSite::none: text += "; SameSite=None"; break;
  }
  const bool secure =
      cookie.secure == config::Secure::yes || (cookie.secure == config::Secure::automatic && https);
  if (secure) text += "; Secure";
  if (cookie.partitioned) text += "; Partitioned";
  return text;
}

AffinityCookie decide_cookie(const config::PoolEntry& pool, const routing::Choice& choice, routing::Kind kind,
                             const wire::ResponseHead& answer, std::string_view scheme) {
  AffinityCookie result;
  const config::Cookie& cookie = pool.settings.cookie;
  if (!pool.routing.holds(routing::Affinity::cookie)) return result;
  const std::string& id = choice.member->server->id;
  if (cookie.mode == config::CookieMode::rewrite) {
    result.replace = cookie.name;
    result.rewrite_value = id;
    return result;
  }
  if (cookie.mode != config::CookieMode::insert) return result;
  result.replace = cookie.name;
  const bool due =
      cookie.on == config::CookieOn::all || (kind == routing::Kind::begins && answer.status < 400);
  if (due && !choice.cookie_valid) result.set = cookie_text(cookie, id, scheme == "https");
  return result;
}

}  // namespace limpet::session
