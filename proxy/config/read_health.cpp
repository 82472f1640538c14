// How the servers of a pool are probed.
#include <algorithm>

#include "proxy/config/read.h"
#include "proxy/wire/head.h"

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::pair<std::string_view, HealthType> kTypes[] = {
    {"http", HealthType::http}, {"tcp", HealthType::tcp}, {"off", HealthType::off}};
constexpr std::pair<std::string_view, OnDown> kOnDown[] = {{"keep", OnDown::keep}, {"close", OnDown::close}};

// A target, query included: stricter and wider than a prefix.
void read_path(TableReader& r, std::string& out) {
  std::string path = out;
  r.string("path", path);
  const bool clean =
      std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!path.starts_with('/') || !clean) {
    return r.wrong("path", *r.find("path"),
                   quoted(path) + " is not a path; it begins with \"/\" and has no space or \"#\"");
  }
  out = std::move(path);
}

void read_host(TableReader& r, std::optional<std::string>& out) {
  r.string("host", out);
  if (out && !is_authority(*out)) {
    r.wrong("host", *r.find("host"),
            quoted(*out) + " is not a host; write \"example.org\" or \"example.org:8080\"");
  }
}

void read_headers(TableReader& r, Health& out) {
  constexpr std::string_view kOurs[] = {"host", "connection", "content-length", "transfer-encoding"};
  const toml::table* headers = r.table("headers");
  if (headers == nullptr) return;
  for (const auto& [key, node] : *headers) {
    const std::string_view name = key.str();
    const auto* value = node.as_string();
    const bool ours = std::any_of(std::begin(kOurs), std::end(kOurs), [name](std::string_view each) {
      return wire::equal_ignoring_case(each, name);
    });
    const Value<std::string> token = to_token(name);
    if (const auto* bad = std::get_if<Wrong>(&token)) {
      r.wrong("headers", node, "a field's name: " + bad->why);
    } else if (ours) {
      r.wrong("headers", node,
              quoted(name) + " is set by limpet; leave it out (for Host there is health.host)");
    } else if (value == nullptr || !is_field_value(value->get())) {
      r.wrong("headers", node, quoted(name) + ": a string without control characters is expected");
    } else {
      out.headers.emplace_back(name, value->get());
    }
  }
}

void read_expect(TableReader& r, Health& out) {
  const toml::node* node = r.find("expect");
  if (node == nullptr) return;
  out.expect.clear();
  const auto add = [&](const toml::node& item) {
    std::pair<std::uint16_t, std::uint16_t> range;
    if (const auto* number = item.as_integer()) {
      r.accept("expect", item, to_status_range(std::to_string(number->get())), range);
    } else if (const auto* text = item.as_string()) {
      r.accept("expect", item, to_status_range(text->get()), range);
    } else {
      r.wrong("expect", item, "a status is expected: 200, or \"200-299\"");
    }
    out.expect.push_back(range);
  };
  if (const toml::array* array = node->as_array()) {
    for (const toml::node& item : *array) add(item);
    if (array->empty()) r.wrong("expect", *node, "no status would do; write 200 or [200, \"300-399\"]");
  } else {
    add(*node);
  }
}

void read_port(TableReader& r, std::optional<std::uint16_t>& out) {
  std::uint16_t port = 0;
  r.integer("port", port, 1, 65535);
  if (port != 0) out = port;
}

void read_intervals(TableReader& r, Health& out, const Findings& findings) {
  const std::size_t before = findings.problems.size();
  r.duration("interval", out.interval, milliseconds(10), hours(24));
  r.duration("fast_interval", out.fast_interval, milliseconds(10), hours(24));
  if (findings.problems.size() != before || out.fast_interval <= out.interval) return;
  if (out.type == HealthType::off) return;  // nothing is fast then
  const auto shown = [&](std::string_view key, Duration d) {
    return quoted(duration_text(d)) + (r.has(key) ? "" : " by default");
  };
  const std::string slow = shown("interval", out.interval), fast = shown("fast_interval", out.fast_interval);
  if (const toml::node* at = r.find("fast_interval"))
    return r.wrong("fast_interval", *at, fast + " cannot be longer than interval, which is " + slow);
  r.wrong("interval", *r.find("interval"),
          slow + " cannot be shorter than fast_interval, which is " + fast + "; write both");
}

// What is asked for is HTTP's; what a settled server needs none of is all probes'. interval stays with "off":
// a name that never resolved is asked for again at it.
void check_effect(TableReader& r, const Health& health) {
  constexpr std::string_view kHttp[] = {"path", "method", "host", "headers", "expect", "body"};
  constexpr std::string_view kOff[] = {"type", "on_down", "interval"};
  const auto in = [](const auto& keys, std::string_view key) {
    return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
  };
  if (health.type == HealthType::tcp)
    r.warn_idle("type = \"tcp\"", [&](std::string_view key) { return in(kHttp, key); });
  if (health.type == HealthType::off)
    r.warn_idle("type = \"off\"", [&](std::string_view key) { return !in(kOff, key); });
  if (health.type == HealthType::http && health.method == "HEAD") {
    if (const toml::node* body = r.find("body"))
      r.wrong("body", *body,
              "cannot be found with method = \"HEAD\", whose answers have none; leave one of them out");
  }
}

void read_http(TableReader& r, Health& out) {
  read_path(r, out.path);
  r.parsed("method", out.method, to_method);
  read_host(r, out.host);
  read_headers(r, out);
  read_expect(r, out);
  r.string("body", out.body);
}

}  // namespace

void read_health(const toml::table& table, Pool& pool, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.health", "pool." + pool.name + ".health");
  Health& out = pool.health;
  r.choice<HealthType>("type", out.type, kTypes);
  read_http(r, out);
  read_intervals(r, out, findings);
  r.duration("timeout", out.timeout, milliseconds(10), hours(1));
  r.number("jitter", out.jitter, 0.0, 0.5);
  r.integer("rise", out.rise, 1, 100);
  r.integer("fall", out.fall, 1, 100);
  read_port(r, out.port);
  r.duration("slow_start", out.slow_start, seconds(0), hours(24));
  r.choice<OnDown>("on_down", out.on_down, kOnDown);
  r.refuse_unknown();
  check_effect(r, out);
}

}  // namespace limpet::config
