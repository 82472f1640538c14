#include "backend/app/token_key.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <cstdint>
#include <utility>

namespace limpet::app {
namespace {

constexpr int kLeastRsaBits = 2048;   // RFC 7518, 3.3
constexpr int kMostRsaBits = 16'384;  // OpenSSL's own bound on what it verifies

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<&EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<&BIO_free>>;

struct Secret final : TokenVerifier::Key {
  explicit Secret(std::string_view bytes) : secret(bytes) {}
  ~Secret() override { OPENSSL_cleanse(secret.data(), secret.size()); }
  std::string_view algorithm() const override { return "HS256"; }
  std::size_t bits() const override { return secret.size() * 8; }
  bool signs(std::string_view part, std::string_view signature) const override {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
    unsigned size = 0;
    if (::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(part), part.size(),
               sum.data(), &size) == nullptr) {
      return false;
    }
    return signature.size() == size && ::CRYPTO_memcmp(signature.data(), sum.data(), size) == 0;
  }
  std::string secret;
};

struct PublicKey final : TokenVerifier::Key {
  explicit PublicKey(Pkey k) : key(std::move(k)) {}
  std::string_view algorithm() const override { return "RS256"; }
  std::size_t bits() const override { return static_cast<std::size_t>(::EVP_PKEY_get_bits(key.get())); }
  bool signs(std::string_view part, std::string_view signature) const override {
    const Digest digest(::EVP_MD_CTX_new());
    const bool good =
        digest && ::EVP_DigestVerifyInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key.get()) == 1 &&
        ::EVP_DigestVerify(digest.get(), bytes(signature), signature.size(), bytes(part), part.size()) == 1;
    if (!good) ::ERR_clear_error();
    return good;
  }
  Pkey key;
};

std::variant<std::unique_ptr<TokenVerifier::Key>, std::string> public_key(std::string_view pem) {
  const Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Pkey key(bio ? ::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  ::ERR_clear_error();
  if (!key) return "holds no PEM public key (BEGIN PUBLIC KEY)";
  if (::EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return "is no RSA key; RS256 needs one";
  const int bits = ::EVP_PKEY_get_bits(key.get());
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return "is an RSA key of " + std::to_string(bits) + " bits; 2048 to 16384 are accepted";
  }
  return std::make_unique<PublicKey>(std::move(key));
}

}  // namespace

std::variant<std::unique_ptr<TokenVerifier::Key>, std::string> TokenVerifier::Key::make(
    std::string_view text) {
  if (text.find("-----BEGIN") != std::string_view::npos) return public_key(text);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return "is empty";
  return std::make_unique<Secret>(text);
}

}  // namespace limpet::app
