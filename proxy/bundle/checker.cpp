#include "proxy/bundle/checker.h"

#include <cstring>

namespace limpet::bundle {
namespace {

constexpr std::size_t kMostAnswer = 4096;
constexpr int kServiceUnavailable = 503;

net::Target::Addresses addresses_of(const config::Endpoint& endpoint) {
  if (endpoint.kind == config::Endpoint::Kind::unix_socket) {
    const auto address = net::Address::unix_socket(endpoint.path);
    return address ? net::Target::Addresses{*address} : net::Target::Addresses{};
  }
  const auto ip = wire::IpAddress::parse(endpoint.host);
  return ip ? net::Target::Addresses{net::Address::ip(*ip, endpoint.port)} : net::Target::Addresses{};
}

// "+PONG" after "+OK" for the password; -LOADING and -BUSY are answers of one that lives.
Checker::Report report_on(std::string_view line) {
  const bool good = line == "+PONG";
  const bool alive = line.starts_with('+') || line.starts_with('-');
  const bool busy = line.starts_with("-LOADING") || line.starts_with("-BUSY");
  return {true, alive, good, busy, "PING: " + std::string(line.substr(0, 80))};
}

}  // namespace

Checker::Checker(net::Loop& loop, const Check& check, Done done)
    : loop_(loop),
      check_(check),
      done_(std::move(done)),
      addresses_(std::make_shared<const net::Target::Addresses>(addresses_of(check.address))),
      deadline_(loop, net::delegate<&Checker::on_deadline>(this)),
      connect_(loop, net::delegate<&Checker::on_connect_ended>(this)) {}

Checker::~Checker() = default;

void Checker::start() {
  check_.type == Check::Type::http ? start_http() : start_redis();
}

void Checker::cancel() {
  probe_.reset();
  deadline_.cancel();
  connect_.cancel();
  stream_.close();
}

void Checker::start_http() {
  const bool by_path = check_.address.kind == config::Endpoint::Kind::unix_socket;
  last_probe_.reset();
  probe_ = std::make_unique<health::Probe>(
      loop_, check_.http, addresses_, by_path ? "localhost" : check_.address.text(),
      [this](const health::Probe::Report& report) {
        last_probe_ = std::move(probe_);
        const bool answered =
            report.result == health::Result::passed || report.result == health::Result::wrong;
        finish({!report.said_nothing, answered, report.result == health::Result::passed,
                report.status == kServiceUnavailable, report.text});
      });
  probe_->start();
}

void Checker::start_redis() {
  in_.clear();
  deadline_.after(check_.http.timeout_ms);
  if (connect_.start(addresses_, {}, 0, check_.http.timeout_ms)) on_connect_ended();
}

void Checker::on_connect_ended() {
  if (connect_.error() != 0) {
    const bool ours = net::is_local_shortage(connect_.error());
    return finish({!ours, false, false, false, std::string("connect: ") + std::strerror(connect_.error())});
  }
  stream_ = std::move(connect_.stream());
  std::string request;
  if (!check_.password.empty()) {
    request =
        "*2\r\n$4\r\nAUTH\r\n$" + std::to_string(check_.password.size()) + "\r\n" + check_.password + "\r\n";
  }
  request += "*1\r\n$4\r\nPING\r\n";
  if (stream_.write(request).status == net::Io::error)
    return finish({true, false, false, false, "PING: the connection broke"});
  stream_.wait_read(net::delegate<&Checker::on_readable>(this));
}

void Checker::on_readable() {
  char bytes[512];
  const net::IoResult got = stream_.read(bytes);
  if (got.status == net::Io::eof || got.status == net::Io::error || in_.size() > kMostAnswer)
    return finish({true, false, false, false, "PING: the connection broke"});
  in_.append(bytes, got.bytes);
  std::string_view rest = in_;
  for (int left = check_.password.empty() ? 1 : 2; left > 0; --left) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return stream_.wait_read(net::delegate<&Checker::on_readable>(this));
    const std::string_view line = rest.substr(0, end);
    if (left == 1 || line != "+OK") return finish(report_on(line));
    rest.remove_prefix(end + 2);
  }
}

void Checker::finish(const Report& report) {
  deadline_.cancel();
  connect_.cancel();
  stream_.close();
  done_(report);
}

}  // namespace limpet::bundle
