// TokenVerifier: JSON Web Tokens that say who a client is (RFC 7519; RFC 7515 signatures, RFC 8725 advice).
//
// One key, one algorithm: HS256 with a secret, RS256 with a PEM public key, and which of them follows from
// the key alone, never from a token. Immutable once loaded. Pure but for the loading: the time is handed in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace limpet::app {

// Why a token is refused: what a client is told.
enum class TokenFault : std::uint8_t {
  malformed,  // no three parts of base64url, no JSON, a claim of the wrong kind
  algorithm,  // not the key's, or an extension that must be understood
  signature,
  expired,
  not_yet,  // before `nbf`
  issuer,
  audience,
  no_subject,  // `sub` is missing, empty, too long or holds control bytes
};
std::string_view code_of(TokenFault fault);  // "token_expired"
std::string_view text_of(TokenFault fault);  // for a person

struct Claims {
  std::string subject;
  std::optional<double> expires;  // seconds since 1970
};

class TokenVerifier {
 public:
  static constexpr std::size_t kMostToken = 8 * 1024;
  static constexpr std::size_t kMostSubject = 128;

  struct Expected {
    std::optional<std::string> issuer;    // unset: any
    std::optional<std::string> audience;  // unset: any
  };

  // `key`: a file's bytes. A PEM public key is RS256's, anything else HS256's secret, less one line end.
  // The second: why that is no key.
  using Loaded = std::variant<TokenVerifier, std::string>;
  static Loaded make(std::string_view key, Expected expected);
  static Loaded load(const std::string& file, Expected expected);

  TokenVerifier(TokenVerifier&&) noexcept;
  TokenVerifier& operator=(TokenVerifier&&) noexcept;
  ~TokenVerifier();

  std::string_view algorithm() const;  // "HS256", "RS256"
  std::string about() const;           // "HS256, 32 bytes", "RS256, 2048 bits"
  // Of a secret that can be guessed, or read by others than its owner.
  std::vector<std::string> warnings() const;
  std::variant<Claims, TokenFault> verify(std::string_view token, std::int64_t now_s) const;

  struct Key;

 private:
  TokenVerifier(std::unique_ptr<Key> key, Expected expected);
  std::unique_ptr<Key> key_;
  Expected expected_;
  bool exposed_ = false;  // its file is others' too
};

}  // namespace limpet::app
