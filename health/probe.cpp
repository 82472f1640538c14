#include "health/probe.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

namespace limpet::health {
namespace {

constexpr int kMostInterim = 16;

std::string request_text(const Settings& settings, std::string_view host) {
  std::string text = settings.method + " " + settings.path + " HTTP/1.1\r\nHost: ";
  text += settings.host ? std::string_view(*settings.host) : host;
  text += "\r\nUser-Agent: limpet/health\r\nAccept: */*\r\nConnection: close\r\n";
  for (const auto& [name, value] : settings.headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

std::shared_ptr<const net::Target::Addresses> with_port(
    std::shared_ptr<const net::Target::Addresses> addresses, std::optional<std::uint16_t> port) {
  if (!port) return addresses;
  auto changed = std::make_shared<net::Target::Addresses>(*addresses);
  for (net::Address& each : *changed) {
    if (const auto ip = each.ip_address()) each = net::Address::ip(*ip, *port);
  }
  return changed;
}

wire::Method method_of(std::string_view text) {
  return text == "HEAD" ? wire::Method::head : text == "GET" ? wire::Method::get : wire::Method::other;
}

}  // namespace

Probe::Probe(net::Loop& loop, const Settings& settings,
             std::shared_ptr<const net::Target::Addresses> addresses, std::string_view host, Done done)
    : settings_(settings),
      addresses_(with_port(std::move(addresses), settings.port)),
      done_(std::move(done)),
      deadline_(loop, net::delegate<&Probe::on_deadline>(this)),
      connect_(loop, net::delegate<&Probe::on_connect_ended>(this)),
      out_(request_text(settings, host)),
      scanner_(wire::HeadScanner::Kind::response, {}) {}

void Probe::start() {
  deadline_.after(settings_.timeout_ms);
  if (connect_.start(addresses_, {}, 0, settings_.timeout_ms)) on_connect_ended();
}

void Probe::on_connect_ended() {
  const int error = connect_.error();
  if (error == 0) {
    stream_ = std::move(connect_.stream());
    return on_connected();
  }
  if (error == ETIMEDOUT) return on_deadline();
  if (net::is_local_shortage(error)) {
    return end({true, Result::silent, 0, std::string("no probe: ") + std::strerror(error)});
  }
  finish(Result::connect_failed, connecting() + ": " + std::strerror(error));
}

void Probe::on_connected() {
  connected_ = true;
  if (settings_.type == Settings::Type::tcp) return finish(Result::passed, connecting());
  stream_.wait_read(net::delegate<&Probe::on_readable>(this));
  write();
}

void Probe::write() {
  while (!out_.empty()) {
    const net::IoResult sent = stream_.write(out_);
    if (sent.status == net::Io::error) return;  // the reading side tells
    if (sent.status == net::Io::again) {
      stream_.wait_write(net::delegate<&Probe::write>(this));
      return;
    }
    out_.erase(0, sent.bytes);
  }
}

void Probe::on_readable() {
  char bytes[4096];
  const net::IoResult got = stream_.read(bytes);
  switch (got.status) {
    case net::Io::again: break;
    case net::Io::ok: return on_bytes({bytes, got.bytes});
    case net::Io::eof:
      if (head_done_) return on_body_end();
      return finish(Result::wrong, asked() + ": closed without an answer");
    case net::Io::error: return finish(Result::wrong, asked() + ": " + std::strerror(got.error));
  }
  stream_.wait_read(net::delegate<&Probe::on_readable>(this));
}

void Probe::on_bytes(std::string_view bytes) {
  if (head_done_) return on_body(bytes);
  in_.append(bytes);
  for (int interim = 0; interim <= kMostInterim; ++interim) {
    const auto step = scanner_.feed(in_);
    if (step == wire::HeadScanner::Step::more) {
      stream_.wait_read(net::delegate<&Probe::on_readable>(this));
      return;
    }
    if (step == wire::HeadScanner::Step::refused) break;
    const std::string_view head =
        std::string_view(in_).substr(scanner_.start(), scanner_.length() - scanner_.start());
    const auto parsed = wire::parse_response(head, method_of(settings_.method), false, fields_);
    const auto* answer = std::get_if<wire::ResponseHead>(&parsed);
    if (answer == nullptr) break;
    if (answer->status >= 200) {
      status_ = answer->status;
      framing_ = answer->body;
      return on_head(std::string_view(in_).substr(scanner_.length()));
    }
    in_.erase(0, scanner_.length());
    scanner_.reset();
  }
  finish(Result::wrong, asked() + ": the answer is not HTTP");
}

void Probe::on_head(std::string_view rest) {
  head_done_ = true;
  length_left_ = framing_.length;
  const bool expected =
      std::any_of(settings_.expect.begin(), settings_.expect.end(),
                  [this](const auto& range) { return status_ >= range.first && status_ <= range.second; });
  if (!expected) return finish(Result::wrong, asked() + ": " + std::to_string(status_));
  if (!settings_.body) return finish(Result::passed, asked() + ": " + std::to_string(status_));
  if (framing_.kind == wire::BodyKind::none) return on_body_end();
  on_body(rest);
}

void Probe::on_body(std::string_view bytes) {
  bool ended = false;
  const auto keep = [this](std::string_view data) { body_.append(data.substr(0, kMostBody - body_.size())); };
  if (framing_.kind == wire::BodyKind::chunked) {
    while (!bytes.empty() && !ended) {
      const auto step = chunks_.next(bytes);
      keep(step.data);
      bytes.remove_prefix(step.used);
      ended = step.state != wire::ChunkReader::Step::State::more;
    }
  } else {
    if (framing_.kind == wire::BodyKind::length) {
      bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), length_left_)));
      length_left_ -= bytes.size();
      ended = length_left_ == 0;
    }
    keep(bytes);
  }
  if (ended || body_.size() >= kMostBody || body_found()) return on_body_end();
  stream_.wait_read(net::delegate<&Probe::on_readable>(this));
}

bool Probe::body_found() const {
  return body_.find(*settings_.body) != std::string::npos;
}

void Probe::on_body_end() {
  if (body_found()) return finish(Result::passed, asked() + ": " + std::to_string(status_));
  finish(Result::wrong,
         asked() + ": " + std::to_string(status_) + ", the body does not contain the expected text");
}

void Probe::on_deadline() {
  if (!connected_) return finish(Result::silent, connecting() + ": no answer in time");
  finish(Result::silent, asked() + ": no answer in " + std::to_string(settings_.timeout_ms) + " ms");
}

void Probe::finish(Result result, std::string text) {
  end({false, result, status_, std::move(text)});
}

void Probe::end(const Report& report) {
  deadline_.cancel();
  connect_.cancel();
  stream_.close();
  const Done done = std::move(done_);
  done(report);
}

}  // namespace limpet::health
