#include "tests/bench/load/load.h"

#include <stdexcept>

#include "tests/bench/load/handshake.h"
#include "tests/bench/load/json.h"

namespace limpet::bench {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455's; one for all: nobody caches here
constexpr std::uint32_t kFirstSource = 0x7f000101;             // 127.0.1.1

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

}  // namespace

Load::Load(const RunOptions& options)
    : options_(options),
      target_(parse_address(options.target)),
      from_(options.from.empty() ? target_ : parse_address(options.from)),
      accept_(websocket_accept(kKey)),
      cpu_(options.pid),
      limit_at_(now_ns() + nanoseconds(options.limit)) {
  if (options.tls) tls_ = TlsContext::client(options.resume);
}

std::uint32_t Load::source_of(std::uint32_t index) const {
  return options_.sources == 0 ? 0 : kFirstSource + index % options_.sources;
}

std::string Load::upgrade_request(std::string_view path) const {
  return plain_request("GET", path,
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: " +
                           std::string(kKey) + "\r\n");
}

std::string Load::plain_request(std::string_view method, std::string_view path, std::string_view more) const {
  std::string head(method);
  head.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(options_.host).append("\r\n");
  return head.append(more).append("\r\n");
}

void Load::loop(Handler& handler, const std::function<bool()>& done, std::int64_t until) {
  while (!done()) {
    const std::int64_t now = now_ns();
    if (now >= until) return;
    if (now >= limit_at_) throw std::runtime_error("the limit of the whole run was reached");
    const std::int64_t due = handler.on_time(now);
    for (const epoll_event& event : poller_.wait(std::min({until, limit_at_, due}))) {
      static_cast<Client*>(event.data.ptr)->on_events(event.events);
    }
  }
}

void Load::loop_for(Handler& handler, double seconds) {
  loop(
      handler, [] { return false; }, now_ns() + nanoseconds(seconds));
}

void Load::begin_window() {
  cpu_.start();
  window_began_ = now_ns();
  units_before_ = units_;
  measuring_ = true;
}

void Load::end_window() {
  measuring_ = false;
  window_ended_ = now_ns();
  units_after_ = units_;
  cpu_.stop();
}

void Load::window(Handler& handler) {
  loop_for(handler, options_.warm_up);
  begin_window();
  loop_for(handler, options_.seconds);
  end_window();
}

void Load::error(std::string_view text) {
  if (errors_++ == 0) first_error_ = text;
}

void Load::check_units() {
  if (window_ended_ != 0 && units_after_ == units_before_) error("nothing was done in the window");
}

std::string Load::report_latency() const {
  const auto at = [this](double share) {
    return json(static_cast<double>(latencies_.percentile(share)) / 1e3);
  };
  return "{\"p50\": " + at(0.5) + ", \"p90\": " + at(0.9) + ", \"p99\": " + at(0.99) +
         ", \"p999\": " + at(0.999) + ", \"max\": " + json(static_cast<double>(latencies_.max()) / 1e3) + "}";
}

std::string Load::report() const {
  const double seconds = static_cast<double>(window_ended_ - window_began_) / 1e9;
  const double units = units_after_ - units_before_;
  std::string line =
      "{\"mode\": " + json(options_.mode) + ", \"target\": " + json(options_.target) +
      ", \"sockets\": " + json(options_.sockets) + ", \"size\": " + json(static_cast<double>(options_.size)) +
      ", \"in_flight\": " + json(options_.in_flight) + ", \"seconds\": " + json(seconds) +
      ", \"units\": " + json(units) + ", \"units_per_s\": " + json(seconds > 0 ? units / seconds : 0, 1) +
      ", \"errors\": " + json(static_cast<double>(errors_)) + ", \"error\": " + json(first_error_);
  if (options_.pid != 0) {
    const Cpu cpu = cpu_.used();
    const double us = static_cast<double>(cpu.total_ns) / 1e3;
    line += ", \"cpu_us\": " + json(us, 1) +
            ", \"cpu_us_per_unit\": " + (units > 0 ? json(us / units) : "null") +
            ", \"user_share\": " + json(cpu.user_share);
    if (cpu.appeared > 0) line += ", \"processes_appeared\": " + json(cpu.appeared);
    if (cpu.gone > 0) line += ", \"processes_gone\": " + json(cpu.gone);
  }
  if (latencies_.count() > 0) line += ", \"latency_us\": " + report_latency();
  return line + notes_ + "}";
}

}  // namespace limpet::bench
