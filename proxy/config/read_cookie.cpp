// The affinity cookie of a pool. Browsers drop a cookie that breaks their rules without a word, so that such
// a one is an error here (RFC 6265bis, 4.1.3 and 5.7).
#include <algorithm>

#include "proxy/config/read.h"
#include "proxy/wire/head.h"

namespace limpet::config {
namespace {

using std::chrono::seconds;

constexpr std::pair<std::string_view, CookieMode> kModes[] = {{"insert", CookieMode::insert},
                                                              {"passive", CookieMode::passive},
                                                              {"rewrite", CookieMode::rewrite},
                                                              {"off", CookieMode::off}};
constexpr std::pair<std::string_view, CookieOn> kOn[] = {{"session", CookieOn::session},
                                                         {"all", CookieOn::all}};
constexpr std::pair<std::string_view, SameSite> kSameSite[] = {
    {"lax", SameSite::lax}, {"strict", SameSite::strict}, {"none", SameSite::none}};

void read_path(TableReader& r, std::string& out) {
  r.parsed("path", out, to_prefix);
  if (out.find(';') != std::string::npos)
    r.wrong("path", *r.find("path"), quoted(out) + ": a cookie's path has no \";\"; leave it out");
}

void read_domain(TableReader& r, std::optional<std::string>& out) {
  std::string text;
  r.string("domain", text);
  if (text.empty()) return;
  const toml::node& at = *r.find("domain");
  const auto wrong = [&](const std::string& why) { r.wrong("domain", at, quoted(text) + why); };
  if (text.starts_with("*.") || text.starts_with('.'))
    return wrong(": a cookie's domain holds for its sub-domains anyway; leave what is before the name out");
  if (wire::IpAddress::parse(text))
    return wrong(" is an address, for which browsers take no domain; leave the key out");
  if (!is_host_name(text)) return wrong(" is not a domain; write \"example.org\", without a port");
  std::string name = lower(text);
  if (name.back() == '.') name.pop_back();
  if (name.find('.') == std::string::npos)
    return wrong(" is a single label, for which browsers take no domain; leave the key out");
  out = std::move(name);
}

void read_secure(TableReader& r, Secure& out) {
  const toml::node* node = r.find("secure");
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (const auto* value = node->as_boolean()) {
    out = value->get() ? Secure::yes : Secure::no;
  } else if (text == nullptr || text->get() != "auto") {
    r.wrong("secure", *node, "true, false or \"auto\" is expected");
  }
}

void read_max_age(TableReader& r, std::optional<seconds>& out) {
  Duration age{0};
  r.duration("max_age", age, seconds(1));
  if (age.count() == 0) return;
  if (age.count() % 1000 != 0) {
    return r.wrong("max_age", *r.find("max_age"),
                   quoted(duration_text(age)) + ": a cookie's age counts in whole seconds: \"1s\", \"30d\"");
  }
  out = std::chrono::duration_cast<seconds>(age);
}

std::string by_server(CookieMode mode) {
  return std::string("mode = ") + (mode == CookieMode::passive ? "\"passive\"" : "\"rewrite\"") +
         ", where the server sets the cookie";
}

// What stands in a Set-Cookie is limpet's to say in one mode only. path and domain stay in the others: they
// tell whether the cookies of two pools meet.
void check_effect(TableReader& r, CookieMode mode) {
  constexpr std::string_view kServers[] = {"same_site", "secure", "http_only", "max_age", "partitioned"};
  switch (mode) {
    case CookieMode::insert: break;
    case CookieMode::off:
      r.warn_idle("mode = \"off\"", [](std::string_view key) { return key != "mode"; });
      break;
    case CookieMode::passive:
    case CookieMode::rewrite:
      r.warn_idle(by_server(mode), [&](std::string_view key) {
        return std::find(std::begin(kServers), std::end(kServers), key) != std::end(kServers);
      });
  }
}

void read_on(TableReader& r, Cookie& cookie) {
  r.choice<CookieOn>("on", cookie.on, kOn);
  const bool servers = cookie.mode == CookieMode::passive || cookie.mode == CookieMode::rewrite;
  if (cookie.on == CookieOn::all && servers)
    r.warn_idle(by_server(cookie.mode), [](std::string_view key) { return key == "on"; });
}

void check_name_prefix(TableReader& r, const Cookie& cookie) {
  const auto begins = [&](std::string_view prefix) {
    return wire::equal_ignoring_case(std::string_view(cookie.name).substr(0, prefix.size()), prefix);
  };
  const bool host = begins("__Host-");
  if (!host && !begins("__Secure-")) return;
  const std::string name = quoted(cookie.name);
  const std::string dropped = ": browsers drop such a cookie otherwise";
  if (cookie.secure != Secure::yes && cookie.mode == CookieMode::insert)
    r.wrong("name", *r.find("name"), name + " needs secure = true" + dropped);
  if (host && cookie.path != "/") r.wrong("path", *r.find("path"), name + " needs path = \"/\"" + dropped);
  if (host && r.has("domain"))
    r.wrong("domain", *r.find("domain"), name + " must have none; leave the key out" + dropped);
}

void read_attributes(TableReader& r, Cookie& out) {
  r.choice<SameSite>("same_site", out.same_site, kSameSite);
  read_secure(r, out.secure);
  r.boolean("http_only", out.http_only);
  r.boolean("partitioned", out.partitioned);
  read_max_age(r, out.max_age);
  if (out.secure == Secure::yes || out.mode != CookieMode::insert) return;
  const std::string dropped = "needs secure = true: browsers drop such a cookie otherwise";
  if (out.same_site == SameSite::none) r.wrong("same_site", *r.find("same_site"), "\"none\" " + dropped);
  if (out.partitioned) r.wrong("partitioned", *r.find("partitioned"), dropped);
}

}  // namespace

void read_cookie(const toml::table& table, Pool& pool, PoolPlaces& places, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.cookie", "pool." + pool.name + ".cookie");
  Cookie& out = pool.cookie;
  places.cookie = r.place();
  places.cookie_written = true;
  r.choice<CookieMode>("mode", out.mode, kModes);
  r.refuse_unknown();
  check_effect(r, out.mode);
  read_on(r, out);
  r.parsed("name", out.name, to_token);
  read_path(r, out.path);
  read_domain(r, out.domain);
  read_attributes(r, out);
  check_name_prefix(r, out);
}

}  // namespace limpet::config
