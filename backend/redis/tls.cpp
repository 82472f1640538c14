#include "backend/redis/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "proxy/wire/ip_address.h"

namespace limpet::redis {
namespace {

constexpr std::size_t kMostSealed = 64 * 1024;  // of one write: what is due to the socket stays small

std::string last_error(std::string_view otherwise) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : std::string(otherwise);
}

bool refuse(SSL_CTX* context, std::string& error, std::string what) {
  error = std::move(what) + ": " + last_error("it cannot be used");
  SSL_CTX_free(context);
  return false;
}

int no_passphrase(char*, int, int, void*) {
  return 0;  // an encrypted key is an error, not a question on the terminal
}

}  // namespace

// --- session ---

TlsSession::TlsSession(SSL* ssl) : ssl_(ssl), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_eof_return(in_, -1);  // empty: more will come
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_connect_state(ssl_);
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
}

TlsStep TlsSession::step_of(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE: return TlsStep::ok;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return TlsStep::wants_bytes;
    case SSL_ERROR_ZERO_RETURN: return TlsStep::closed;
    default: break;
  }
  const long verified = SSL_get_verify_result(ssl_);
  why_ = verified != X509_V_OK
             ? std::string("the server's certificate: ") + X509_verify_cert_error_string(verified)
             : "TLS: " + last_error("broken off");
  ERR_clear_error();
  return TlsStep::failed;
}

TlsStep TlsSession::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(ssl_));
}

TlsStep TlsSession::read(std::span<char> into, std::size_t& bytes) {
  ERR_clear_error();
  bytes = 0;
  return step_of(SSL_read_ex(ssl_, into.data(), into.size(), &bytes));
}

TlsStep TlsSession::write(std::span<const char> bytes, std::size_t& taken) {
  ERR_clear_error();
  taken = 0;
  const std::size_t size = std::min(bytes.size(), kMostSealed);
  return step_of(SSL_write_ex(ssl_, bytes.data(), size, &taken));
}

void TlsSession::received(std::span<const char> sealed) {
  BIO_write(in_, sealed.data(), static_cast<int>(sealed.size()));
}

std::span<const char> TlsSession::to_send() const {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out_, &bytes);
  return size > 0 ? std::span<const char>(bytes, static_cast<std::size_t>(size)).subspan(sent_)
                  : std::span<const char>{};
}

void TlsSession::sent(std::size_t bytes) {
  sent_ += bytes;
  if (!to_send().empty()) return;
  (void)BIO_reset(out_);
  sent_ = 0;
}

// --- context ---

TlsContext::TlsContext(Tls settings) : settings_(std::move(settings)) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

// Changes when a file does.
std::string TlsContext::stamp() const {
  std::string text = "+";
  for (const std::string* path : {&settings_.ca_file, &settings_.cert_file, &settings_.key_file}) {
    struct stat state {};
    if (path->empty() || ::stat(path->c_str(), &state) != 0) continue;
    text += std::to_string(state.st_ino) + "/" + std::to_string(state.st_size) + "/" +
            std::to_string(state.st_mtim.tv_sec) + "." + std::to_string(state.st_mtim.tv_nsec) + " ";
  }
  return text;
}

bool TlsContext::load(std::string& error) {
  const std::string now = stamp();
  if (context_ != nullptr && now == loaded_) return true;
  ERR_clear_error();
  SSL_CTX* fresh = SSL_CTX_new(TLS_client_method());
  if (fresh == nullptr) return refuse(nullptr, error, "TLS");
  SSL_CTX_set_min_proto_version(fresh, TLS1_2_VERSION);
  SSL_CTX_set_verify(fresh, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(
      fresh, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(fresh, no_passphrase);
  const bool trusted = settings_.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(fresh) == 1
                           : SSL_CTX_load_verify_file(fresh, settings_.ca_file.c_str()) == 1;
  if (!trusted) return refuse(fresh, error, "the CAs of " + settings_.ca_file);
  if (!settings_.cert_file.empty() || !settings_.key_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(fresh, settings_.cert_file.c_str()) != 1)
      return refuse(fresh, error, "the certificate " + settings_.cert_file);
    if (SSL_CTX_use_PrivateKey_file(fresh, settings_.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(fresh) != 1)
      return refuse(fresh, error, "the key " + settings_.key_file);
  }
  SSL_CTX_free(std::exchange(context_, fresh));
  loaded_ = now;
  return true;
}

std::unique_ptr<TlsSession> TlsContext::connect_to(const std::string& host, std::string& error) {
  if (!load(error)) return nullptr;
  SSL* ssl = SSL_new(context_);
  if (ssl == nullptr) {
    error = "TLS: out of memory";
    return nullptr;
  }
  auto session = std::make_unique<TlsSession>(ssl);
  const std::string& name = settings_.server_name.empty() ? host : settings_.server_name;
  X509_VERIFY_PARAM* check = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = wire::IpAddress::parse(name).has_value();
  const bool named = address ? X509_VERIFY_PARAM_set1_ip_asc(check, name.c_str()) == 1
                             : X509_VERIFY_PARAM_set1_host(check, name.c_str(), name.size()) == 1 &&
                                   SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  if (named && !name.empty()) return session;
  error = "TLS: " + name + " is no name that a certificate can have";
  return nullptr;
}

std::optional<std::string> check_tls(const Tls& tls) {
  std::string error;
  if (!tls.on || TlsContext(tls).connect_to("localhost", error)) return std::nullopt;
  return error;
}

}  // namespace limpet::redis
