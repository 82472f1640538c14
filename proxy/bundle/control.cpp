#include "proxy/bundle/control.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace limpet::bundle {
namespace {

namespace json = boost::json;

admin::Reply error(int status, std::string_view message) {
  return {status, "application/json", json::serialize(json::object{{"error", message}}) + "\n", {}};
}

std::string_view name(Kind kind) {
  return kind == Kind::redis ? "redis" : kind == Kind::node ? "node" : "proxy";
}

std::string_view name(Overview::Stage stage) {
  if (stage == Overview::Stage::starting) return "starting";
  return stage == Overview::Stage::serving ? "serving" : "stopping";
}

json::object to_json(const ChildView& child, std::uint64_t now_ms) {
  return {{"id", child.id},
          {"kind", name(child.kind)},
          {"state", name(child.state)},
          {"state_for_ms", now_ms - child.since_ms},
          {"pid", child.pid},
          {"restarts", child.restarts},
          {"health", child.health},
          {"address", child.address},
          {"admin", child.admin}};
}

}  // namespace

std::string overview_json(const Overview& overview, std::uint64_t now_ms) {
  json::array children;
  for (const ChildView& each : overview.children) children.emplace_back(to_json(each, now_ms));
  const auto operation = [](const OperationView& view) -> json::value {
    if (view.number == 0) return nullptr;
    return json::object{{"number", view.number},
                        {"name", view.name},
                        {"done", view.done},
                        {"of", view.of},
                        {"error", view.error}};
  };
  return json::serialize(json::object{{"stage", name(overview.stage)},
                                      {"operation", operation(overview.operation)},
                                      {"last_operation", operation(overview.last_operation)},
                                      {"children", std::move(children)}}) +
         "\n";
}

bool Control::take(std::string_view method, std::string_view path,
                   const std::function<void(admin::Reply)>& then) {
  if (path == "/bundle" || path.starts_with("/bundle/")) {
    then(answer(method, path));
    return true;
  }
  // What comes from a socket must not become another request.
  const bool clean = std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!clean) {
    then(error(404, "no such path"));
    return true;
  }
  // Of a HEAD the body is left out here.
  proxy_.ask(method == "HEAD" ? "GET" : method, path, [then](const Ask::Answer& answer) {
    if (answer.status == 0) return then(error(503, "the proxy of this bundle does not answer"));
    then({answer.status, answer.type, answer.body, {}});
  });
  return true;
}

admin::Reply Control::answer(std::string_view method, std::string_view path) {
  if (path == "/bundle") {
    if (method != "GET" && method != "HEAD") return error(405, "this path takes GET, HEAD");
    return {200, "application/json", overview_json(supervisor_.overview(), net::now_ms()), {}};
  }
  constexpr std::string_view kScale = "/bundle/scale/";
  constexpr std::uint32_t kMost = config::Bundle::kMostNodes;
  std::uint32_t nodes = 0;
  const bool restart = path == "/bundle/restart";
  if (!restart && !path.starts_with(kScale))
    return error(404, "no such path; there are /bundle, /bundle/restart and /bundle/scale/N");
  if (method != "POST") return error(405, "this path takes POST");
  if (!restart) {
    const std::string_view text = path.substr(kScale.size());
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), nodes);
    if (bad != std::errc() || end != text.data() + text.size() || nodes == 0 || nodes > kMost)
      return error(400, "1 to " + std::to_string(kMost) + " nodes are accepted");
  }
  const std::string wrong = restart ? supervisor_.restart() : supervisor_.scale(nodes);
  if (!wrong.empty()) return error(409, wrong);
  return {202, "application/json", overview_json(supervisor_.overview(), net::now_ms()), {}};
}

}  // namespace limpet::bundle
