#include "backend/redis/transport.h"

#include <errno.h>

#include <cstring>
#include <utility>

namespace limpet::redis {
namespace {

using net::Io;

}  // namespace

void Transport::open(net::Stream stream, std::unique_ptr<TlsSession> tls) {
  stream_ = std::move(stream);
  tls_ = std::move(tls);
}

void Transport::close() {
  stream_.close();
  tls_.reset();
}

std::string Transport::why(const net::IoResult& result) const {
  if (result.status == Io::eof) return "it closed the connection";
  if (tls_ && !tls_->why().empty()) return tls_->why();
  return std::strerror(result.error);
}

// Sealed bytes from the socket to TLS.
net::IoResult Transport::receive() {
  char sealed[16 * 1024];
  const net::IoResult got = stream_.read(sealed);
  if (got.status == Io::ok) tls_->received({sealed, got.bytes});
  return got;
}

net::IoResult Transport::result_of(TlsStep step) {
  switch (step) {
    case TlsStep::ok: return {Io::ok, 0, 0};
    case TlsStep::wants_bytes: return {Io::again, 0, 0};
    case TlsStep::closed: return {Io::eof, 0, 0};
    case TlsStep::failed: break;
  }
  return {Io::error, EPROTO, 0};
}

net::IoResult Transport::flush() {
  while (holds_unsent()) {
    const net::IoResult sent = stream_.write(tls_->to_send());
    if (sent.status != Io::ok) return sent;
    tls_->sent(sent.bytes);
  }
  return {Io::ok, 0, 0};
}

net::IoResult Transport::handshake() {
  if (!tls_) return {Io::ok, 0, 0};
  while (true) {
    const net::IoResult step = result_of(tls_->handshake());
    const net::IoResult sent = flush();  // an alert, too: the server's log shall say what we did not like
    if (step.status != Io::again) return step;
    if (sent.status == Io::error) return sent;
    const net::IoResult got = receive();
    if (got.status != Io::ok) return got;
  }
}

net::IoResult Transport::read(std::span<char> into) {
  if (!tls_) return stream_.read(into);
  while (true) {
    std::size_t bytes = 0;
    const net::IoResult step = result_of(tls_->read(into, bytes));
    if (step.status != Io::again) return {step.status, step.error, bytes};
    const net::IoResult got = receive();
    if (got.status != Io::ok) return got;
  }
}

net::IoResult Transport::write(std::span<const char> bytes) {
  if (!tls_) return stream_.write(bytes);
  const net::IoResult before = flush();
  if (before.status != Io::ok) return before;
  std::size_t taken = 0;
  const net::IoResult step = result_of(tls_->write(bytes, taken));
  if (step.status != Io::ok) return step;
  const net::IoResult sent = flush();
  if (sent.status == Io::error) return sent;
  return {Io::ok, 0, taken};
}

}  // namespace limpet::redis
