// Stream: bytes to and from one socket, in the clear or through TLS; never blocks.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "tests/bench/load/sockets.h"

namespace limpet::bench {

// The settings of one side of TLS, and the session that a client resumes.
class TlsContext {
 public:
  static std::shared_ptr<TlsContext> server(const std::string& certificate, const std::string& key);
  static std::shared_ptr<TlsContext> client(bool resume);  // takes any certificate
  SSL* open(int fd) const;

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  explicit TlsContext(const SSL_METHOD* method);
  static int keep(SSL* ssl, SSL_SESSION* session);

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL_SESSION, Free> session_;  // the newest that a server gave us
  bool server_ = false;
};

class Stream {
 public:
  enum class Io { done, again, end, failed };

  Stream() = default;
  explicit Stream(Fd fd, const TlsContext* tls = nullptr) : fd_(std::move(fd)) {
    if (tls != nullptr) ssl_.reset(tls->open(fd_.get()));
  }

  int fd() const { return fd_.get(); }
  bool open() const { return static_cast<bool>(fd_); }
  bool resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) != 0; }
  Io read(std::span<char> into, std::size_t& count);
  Io write(std::span<const char> bytes, std::size_t& count);
  // A write said `again`: does it wait for room, or for the peer's part of a handshake?
  bool waits_for_room() const { return !ssl_ || SSL_want_write(ssl_.get()); }
  // Bytes that epoll does not see: read again before waiting.
  bool holds_bytes() const { return ssl_ && SSL_pending(ssl_.get()) > 0; }
  void finish();  // nothing more will be written
  void close();
  const char* why() const { return why_; }  // what failed

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Io explain(int result);
  Io explain_errno();

  Fd fd_;
  std::unique_ptr<SSL, Free> ssl_;
  const char* why_ = "";
};

}  // namespace limpet::bench
