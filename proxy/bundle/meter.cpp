#include "proxy/bundle/meter.h"

#include <algorithm>
#include <cstdlib>

#include "proxy/bundle/servers_of_status.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kTickMs = 1'000;

}  // namespace

std::map<std::string, std::uint64_t, std::less<>> read_connections(std::string_view status) try {
  std::map<std::string, std::uint64_t, std::less<>> out;
  const boost::json::value whole = boost::json::parse(status);
  out["proxy"] = whole.at("connections").to_number<std::uint64_t>();
  each_server(whole, [&out](const std::string& id, const boost::json::value& server) {
    out[id] = server.at("sessions").to_number<std::uint64_t>();
  });
  return out;
} catch (const std::exception&) {
  return {};
}

std::optional<double> read_messages(std::string_view metrics) {
  std::optional<double> sum;
  while (!metrics.empty()) {
    const std::size_t end = metrics.find('\n');
    const std::string line(metrics.substr(0, end));
    metrics.remove_prefix(end == std::string_view::npos ? metrics.size() : end + 1);
    const std::string_view name = std::string_view(line).substr(0, line.find_first_of("{ "));
    if (name != "limpet_node_events_total" && name != "limpet_node_raw_messages_total") continue;
    const std::size_t space = line.rfind(' ');
    char* stop = nullptr;
    const char* const number = line.c_str() + space + 1;
    const double value = space == std::string::npos ? 0 : std::strtod(number, &stop);
    if (stop == nullptr || stop == number || !(value >= 0)) continue;
    sum = sum.value_or(0) + value;
  }
  return sum;
}

Meter::Meter(net::Loop& loop, std::function<Overview()> look, std::function<void()> then)
    : loop_(loop),
      look_(std::move(look)),
      then_(std::move(then)),
      tick_(loop, net::delegate<&Meter::on_tick>(this)) {
  tick_.after(kTickMs);
}

void Meter::on_tick() {
  tick_.after(kTickMs);
  const Overview overview = look_();
  const auto gone = [&](const auto& entry) {
    return std::ranges::none_of(overview.children, [&](const ChildView& child) {
      return child.id == entry.first && child.state == State::ready;
    });
  };
  std::erase_if(readings_, gone);
  std::erase_if(counts_, gone);
  std::erase_if(asks_, gone);
  for (const ChildView& each : overview.children) {
    if (each.state == State::ready && each.admin.starts_with("unix:") && !asks_.contains(each.id)) ask(each);
  }
  then_();
}

void Meter::ask(const ChildView& child) {
  config::Endpoint where;
  where.kind = config::Endpoint::Kind::unix_socket;
  where.path = child.admin.substr(5);
  const bool proxy = child.kind == Kind::proxy;
  auto& place = asks_[child.id];
  place = std::make_unique<Ask>(loop_, where, "GET", proxy ? "/status" : "/metrics",
                                [this, proxy, id = child.id, pid = child.pid](const Ask::Answer& answer) {
                                  asks_.erase(id);
                                  proxy ? on_proxy(answer.status == 200 ? answer.body : "")
                                        : on_node(id, pid, answer);
                                });
  place->start();
}

void Meter::on_proxy(std::string_view status) {
  for (auto& [id, reading] : readings_) reading.connections.reset();
  for (const auto& [id, connections] : read_connections(status)) readings_[id].connections = connections;
}

void Meter::on_node(const std::string& id, pid_t pid, const Ask::Answer& answer) {
  const auto messages = answer.status == 200 ? read_messages(answer.body) : std::nullopt;
  Reading& reading = readings_[id];
  reading.messages_per_s.reset();
  if (!messages) return;
  const std::uint64_t now = net::now_ms();
  Count& last = counts_[id];
  if (last.pid == pid && now > last.at_ms && *messages >= last.messages)
    reading.messages_per_s = (*messages - last.messages) * 1000 / static_cast<double>(now - last.at_ms);
  last = {pid, *messages, now};
}

}  // namespace limpet::bundle
