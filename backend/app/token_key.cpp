#include "backend/app/token_key.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
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
  bool is_secret() const override { return true; }
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
  bool is_secret() const override { return false; }
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

// What is public, and so no secret, in forms that are not PEM: taken as one, whoever has it could sign.
std::optional<std::string_view> public_form(std::string_view text) {
  constexpr std::size_t kLongerThanSecrets = 128;  // base64 of the shortest RSA key
  const std::size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  const std::string_view start = text.substr(std::min(first, text.size()));
  if (start.starts_with('{')) return "JSON, as of a JWKS";
  for (const std::string_view name : {"ssh-", "ecdsa-sha2-", "sk-ssh-", "---- BEGIN SSH2"}) {
    if (start.starts_with(name)) return "an SSH key";
  }
  if (start.starts_with("MII") && start.size() > kLongerThanSecrets) return "base64 of a key or certificate";
  // DER: a sequence whose length is that of the rest.
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(text[i])}; };
  if (text.size() > 4 && byte(0) == 0x30 && byte(1) == 0x82 && (byte(2) << 8U | byte(3)) + 4 == text.size())
    return "a key or certificate as DER";
  return std::nullopt;
}

}  // namespace

std::variant<std::unique_ptr<TokenVerifier::Key>, std::string> TokenVerifier::Key::make(
    std::string_view text) {
  if (text.find("-----BEGIN") != std::string_view::npos) return public_key(text);
  if (const auto form = public_form(text)) {
    return "looks like " + std::string(*form) +
           ", not like a secret; a public key is to be PEM (BEGIN PUBLIC KEY)";
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return "is empty";
  return std::make_unique<Secret>(text);
}

}  // namespace limpet::app
