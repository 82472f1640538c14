#include "tests/bench/load/stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace limpet::bench {

TlsContext::TlsContext(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  if (!context_) throw std::runtime_error("SSL_CTX_new failed");
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_app_data(context_.get(), this);
}

std::shared_ptr<TlsContext> TlsContext::server(const std::string& certificate, const std::string& key) {
  std::shared_ptr<TlsContext> made(new TlsContext(TLS_server_method()));
  made->server_ = true;
  if (SSL_CTX_use_certificate_chain_file(made->context_.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(made->context_.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("cannot use " + certificate + " with " + key);
  }
  return made;
}

std::shared_ptr<TlsContext> TlsContext::client(bool resume) {
  std::shared_ptr<TlsContext> made(new TlsContext(TLS_client_method()));
  if (resume) {
    SSL_CTX_set_session_cache_mode(made->context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made->context_.get(), &TlsContext::keep);
  }
  return made;
}

int TlsContext::keep(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session_.reset(session);
  return 1;  // it is ours now
}

SSL* TlsContext::open(int fd) const {
  SSL* ssl = SSL_new(context_.get());
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) throw std::runtime_error("SSL_new failed");
  if (server_) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (session_) SSL_set_session(ssl, session_.get());
  }
  return ssl;
}

Stream::Io Stream::explain_errno() {
  if (errno == EAGAIN || errno == EINTR) return Io::again;
  why_ = ::strerrordesc_np(errno);
  return Io::failed;
}

Stream::Io Stream::explain(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return Io::again;
    case SSL_ERROR_ZERO_RETURN: return Io::end;
    case SSL_ERROR_SYSCALL:
      if (errno != 0) return explain_errno();
      [[fallthrough]];
    default:
      why_ = ERR_reason_error_string(ERR_peek_last_error());
      if (why_ == nullptr) why_ = "TLS failed";
      return Io::failed;
  }
}

Stream::Io Stream::read(std::span<char> into, std::size_t& count) {
  count = 0;
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    return result == 1 ? Io::done : explain(result);
  }
  const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), 0);
  if (got < 0) return explain_errno();
  count = static_cast<std::size_t>(got);
  return got == 0 ? Io::end : Io::done;
}

Stream::Io Stream::write(std::span<const char> bytes, std::size_t& count) {
  count = 0;
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return result == 1 ? Io::done : explain(result);
  }
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) return explain_errno();
  count = static_cast<std::size_t>(sent);
  return Io::done;
}

void Stream::finish() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() {
  ssl_.reset();
  fd_.reset();
}

}  // namespace limpet::bench
