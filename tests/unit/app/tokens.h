// Tokens for tests: made with OpenSSL's own calls, so that what is tested is read by a second hand.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <string_view>

namespace limpet::app {

inline std::string base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k <= n; ++k) out += kAlphabet[bits >> (18 - 6 * k) & 63];
  }
  return out;
}

inline const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline std::string hs256(std::string_view secret, std::string_view header, std::string_view claims) {
  const std::string part = base64url(header) + "." + base64url(claims);
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()), raw(part), part.size(), sum, &size);
  return part + "." + base64url({reinterpret_cast<char*>(sum), size});
}

// A key pair, made on the spot.
class Rsa {
 public:
  explicit Rsa(unsigned bits) : key_(::EVP_RSA_gen(bits), &::EVP_PKEY_free) {}
  std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
    ::PEM_write_bio_PUBKEY(bio.get(), key_.get());
    char* at = nullptr;
    const long size = ::BIO_get_mem_data(bio.get(), &at);
    return {at, static_cast<std::size_t>(size)};
  }
  std::string rs256(std::string_view header, std::string_view claims) const {
    const std::string part = base64url(header) + "." + base64url(claims);
    const std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> digest(::EVP_MD_CTX_new(),
                                                                           &::EVP_MD_CTX_free);
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    ::EVP_DigestSignInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key_.get());
    ::EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, raw(part),
                     part.size());
    return part + "." + base64url(std::string_view(signature).substr(0, size));
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key_;
};

}  // namespace limpet::app
