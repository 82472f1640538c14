#include "proxy/bundle/ask.h"

#include <charconv>

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kDeadlineMs = 5'000;
constexpr std::size_t kMostAnswer = 16 * 1024 * 1024;

std::string_view field(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + name.size());
  return head.substr(0, head.find("\r\n"));
}

}  // namespace

Ask::Answer read_answer(std::string_view bytes) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  const std::size_t end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with(kStart) || end == std::string_view::npos || end < kStart.size() + 3) return {};
  const std::string_view head = bytes.substr(0, end), body = bytes.substr(end + 4);
  const auto number = [](std::string_view text, auto& out) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && stop == text.data() + text.size();
  };
  Ask::Answer answer;
  std::size_t length = 0;
  if (!number(head.substr(kStart.size(), 3), answer.status) || answer.status < 100) return {};
  if (!number(field(head, "\r\nContent-Length: "), length) || length != body.size()) return {};
  answer.type = field(head, "\r\nContent-Type: ");
  answer.body = body;
  return answer;
}

Ask::Ask(net::Loop& loop, const config::Endpoint& where, std::string_view method, std::string_view path,
         Done done)
    : done_(std::move(done)),
      deadline_(loop, net::delegate<&Ask::on_deadline>(this)),
      connect_(loop, net::delegate<&Ask::on_connect_ended>(this)) {
  net::Target::Addresses addresses;
  if (const auto address = net::Address::unix_socket(where.path)) addresses.push_back(*address);
  addresses_ = std::make_shared<const net::Target::Addresses>(std::move(addresses));
  out_ = std::string(method) + " " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

void Ask::start() {
  deadline_.after(kDeadlineMs);
  if (connect_.start(addresses_, {}, 0, kDeadlineMs)) on_connect_ended();
}

void Ask::on_connect_ended() {
  if (connect_.error() != 0) return finish({});
  stream_ = std::move(connect_.stream());
  stream_.wait_read(net::delegate<&Ask::on_readable>(this));
  write();
}

void Ask::write() {
  while (!out_.empty()) {
    const net::IoResult sent = stream_.write(out_);
    if (sent.status == net::Io::error) return;  // the reading side tells
    if (sent.status == net::Io::again) return stream_.wait_write(net::delegate<&Ask::write>(this));
    out_.erase(0, sent.bytes);
  }
}

void Ask::on_readable() {
  char bytes[16 * 1024];
  const net::IoResult got = stream_.read(bytes);
  if (got.status == net::Io::eof) return finish(read_answer(in_));
  if (got.status == net::Io::error || in_.size() > kMostAnswer) return finish({});
  in_.append(bytes, got.bytes);
  stream_.wait_read(net::delegate<&Ask::on_readable>(this));
}

void Ask::finish(Answer answer) {
  deadline_.cancel();
  connect_.cancel();
  stream_.close();
  const Done done = std::move(done_);
  done(answer);
}

}  // namespace limpet::bundle
