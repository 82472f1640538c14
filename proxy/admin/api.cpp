#include "proxy/admin/api.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <boost/json.hpp>
#include <optional>

namespace limpet::admin {
namespace {

namespace json = boost::json;

Reply error(int status, std::string_view message) {
  return {status, "application/json", json::serialize(json::object{{"error", message}}) + "\n", {}};
}

Reply not_allowed(std::string allow) {
  Reply reply = error(405, "this path takes " + allow);
  reply.allow = std::move(allow);
  return reply;
}

json::object to_json(const ServerView& server) {
  json::array addresses;
  for (const std::string& each : server.addresses) addresses.emplace_back(each);
  return {{"id", server.id},
          {"addresses", std::move(addresses)},
          {"state", server.state},
          {"wanted", server.wanted},
          {"reason", server.reason},
          {"state_for_ms", server.state_for_ms},
          {"weight", server.weight},
          {"backup", server.backup},
          {"max_connections", server.max_connections},
          {"requests", server.requests},
          {"tunnels", server.tunnels},
          {"sessions", server.requests + server.tunnels},
          {"requests_total", server.requests_total},
          {"tunnels_total", server.tunnels_total},
          {"bytes_in", server.bytes_in},
          {"bytes_out", server.bytes_out}};
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto digit = [&](std::size_t at) -> int {
      if (at >= text.size()) return -1;
      const char c = text[at];
      if (c >= '0' && c <= '9') return c - '0';
      const char low = static_cast<char>(c | 0x20);
      return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
    };
    const int high = digit(i + 1), low = digit(i + 2);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// The next segment of a path, decoded; `path` is what follows it.
std::optional<std::string> take_segment(std::string_view& path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const std::size_t end = path.find('/');
  const std::string_view segment = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  return decode(segment);
}

Reply operate(Source& source, std::string_view method, std::string_view path) {
  path.remove_prefix(std::string_view("/pools").size());
  const auto pool = take_segment(path);
  const auto word = take_segment(path);
  const auto server = take_segment(path);
  const auto verb = take_segment(path);
  const bool known = verb == "drain" || verb == "ready";
  const auto clean = [](const auto& text) {
    return text && std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  };
  if (!clean(pool) || !clean(server)) return error(404, "no such pool or server");
  if (!pool || word != "servers" || !server || !known || !path.empty()) return error(404, "no such path");
  if (method != "POST") return not_allowed("POST");
  switch (source.set_draining(*pool, *server, verb == "drain")) {
    case Source::Found::no_pool: return error(404, "there is no pool \"" + *pool + "\"");
    case Source::Found::no_server:
      return error(404, "pool \"" + *pool + "\" has no server \"" + *server + "\"");
    case Source::Found::done: break;
  }
  const json::object done{
      {"pool", *pool}, {"server", *server}, {"wanted", verb == "drain" ? "draining" : "serving"}};
  return {200, "application/json", json::serialize(done) + "\n", {}};
}

}  // namespace

std::string status_json(const StatusView& status) {
  json::array pools;
  for (const PoolView& pool : status.pools) {
    json::array servers;
    for (const ServerView& server : pool.servers) servers.emplace_back(to_json(server));
    pools.emplace_back(json::object{{"name", pool.name}, {"servers", std::move(servers)}});
  }
  const json::object sids{{"learned", status.sids_learned},
                          {"on_probation", status.sids_on_probation},
                          {"most", status.sids_most}};
  const json::object whole{{"version", status.version},
                           {"uptime_ms", status.uptime_ms},
                           {"stage", status.stage},
                           {"ready", status.ready},
                           {"workers", status.workers},
                           {"connections", status.connections},
                           {"max_connections", status.max_connections},
                           {"requests_total", status.requests_total},
                           {"sids", sids},
                           {"pools", std::move(pools)}};
  return json::serialize(whole) + "\n";
}

std::string metrics_text(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& each : metrics) {
    prometheus::MetricFamily family;
    const bool counter = each.type == Metric::Type::counter;
    family.name = each.name;
    family.help = each.help;
    family.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    for (const Sample& sample : each.samples) {
      prometheus::ClientMetric metric;
      for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
      (counter ? metric.counter.value : metric.gauge.value) = sample.value;
      family.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

Reply answer(Source& source, std::string_view method, std::string_view path) {
  const bool reads = method == "GET" || method == "HEAD";
  if (path.starts_with("/pools/")) return operate(source, method, path);
  if (path != "/ready" && path != "/status" && path != "/metrics") {
    return error(404,
                 "no such path; there are /ready, /status, /metrics and /pools/POOL/servers/ID/drain, ready");
  }
  if (!reads) return not_allowed("GET, HEAD");
  if (path == "/metrics")
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(source.metrics()), {}};
  if (path == "/status") return {200, "application/json", status_json(source.status()), {}};
  const bool ready = source.ready();
  return {ready ? 200 : 503, "text/plain; charset=utf-8", ready ? "ready\n" : "not ready\n", {}};
}

}  // namespace limpet::admin
