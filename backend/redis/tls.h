// TLS to Redis: OpenSSL between two buffers in memory; the socket is the Transport's. The server's
// certificate is checked against the CAs and its name, always.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backend/redis/settings.h"

namespace limpet::redis {

enum class TlsStep : std::uint8_t { ok, wants_bytes, closed, failed };

// One connection's side of TLS.
class TlsSession {
 public:
  explicit TlsSession(SSL* ssl);  // takes it
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;

  TlsStep handshake();
  TlsStep read(std::span<char> into, std::size_t& bytes);
  TlsStep write(std::span<const char> bytes, std::size_t& taken);

  void received(std::span<const char> sealed);     // from the socket
  std::span<const char> to_send() const;           // to the socket
  void sent(std::size_t bytes);                    // of to_send()
  const std::string& why() const { return why_; }  // after `failed`

 private:
  TlsStep step_of(int result);

  SSL* ssl_;
  BIO* in_;               // ssl_'s
  BIO* out_;              // ssl_'s
  std::size_t sent_ = 0;  // of what out_ holds
  std::string why_;
};

// What the connections of one Redis share. Files are read again when they have changed, at the next connect:
// certificates are renewed while a process runs.
class TlsContext {
 public:
  explicit TlsContext(Tls settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;

  // Null: `error` says why.
  std::unique_ptr<TlsSession> connect_to(const std::string& host, std::string& error);

 private:
  bool load(std::string& error);
  std::string stamp() const;

  Tls settings_;
  SSL_CTX* context_ = nullptr;
  std::string loaded_;  // the stamp() of what context_ was made of
};

}  // namespace limpet::redis
