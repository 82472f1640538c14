#include "backend/app/token.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "backend/app/base64url.h"
#include "tests/unit/app/tokens.h"

namespace limpet::app {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::int64_t kNow = 1'800'000'000;

TokenVerifier verifier(std::string_view key = kSecret, TokenVerifier::Expected expected = {}) {
  TokenVerifier::Loaded loaded = TokenVerifier::make(key, std::move(expected));
  EXPECT_TRUE(std::holds_alternative<TokenVerifier>(loaded));
  return std::move(std::get<TokenVerifier>(loaded));
}

// "user:sub", or the fault's code.
std::string verdict(const TokenVerifier& of, std::string_view token) {
  const auto got = of.verify(token, kNow);
  if (const auto* fault = std::get_if<TokenFault>(&got)) return std::string(code_of(*fault));
  return "user:" + std::get<Claims>(got).subject;
}
std::string of_claims(std::string_view claims, TokenVerifier::Expected expected = {}) {
  return verdict(verifier(kSecret, std::move(expected)), hs256(kSecret, kHeader, claims));
}

TEST(Base64Url, IsStrict) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("AA"), std::string(1, '\0'));
  EXPECT_EQ(from_base64url("-_-_"), "\xfb\xff\xbf");
  EXPECT_EQ(from_base64url("Zm9v"), "foo");
  for (const char* bad :
       {"A", "AAAAA", "AA=", "AA==", "AB", "AAB", "A+A", "A/AA", "A AA", "AA\n", "\xff\xff"}) {
    EXPECT_EQ(from_base64url(bad), std::nullopt) << bad;
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (std::size_t n = 0; n <= all.size(); ++n)
    EXPECT_EQ(from_base64url(base64url(all.substr(0, n))), all.substr(0, n));
}

TEST(Token, OfTheRightSecretNamesItsUser) {
  EXPECT_EQ(of_claims(R"({"sub":"ada"})"), "user:ada");
}

// RFC 7515, A.1: a token made elsewhere.
TEST(Token, OfTheStandardIsReadAsItSays) {
  const auto key = from_base64url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  const std::string_view token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
      "bS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const TokenVerifier of = verifier(*key);
  EXPECT_EQ(verdict(of, token), "token_expired");
  EXPECT_EQ(std::get<TokenFault>(of.verify(token, 1'300'819'379)), TokenFault::no_subject);
}

TEST(Token, WithAnyByteChangedIsRefused) {
  const TokenVerifier of = verifier();
  const std::string token = hs256(kSecret, kHeader, R"({"sub":"ada"})");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verdict(of, other).starts_with("user:")) << i;
    EXPECT_FALSE(verdict(of, token.substr(0, i)).starts_with("user:")) << i;
  }
  EXPECT_FALSE(verdict(of, token + "A").starts_with("user:"));
}

TEST(Token, OfAnotherSecretIsRefused) {
  EXPECT_EQ(verdict(verifier(), hs256("x", kHeader, R"({"sub":"a"})")), "token_signature");
}

TEST(Token, NeedsTheKeysAlgorithm) {
  const auto of_header = [](std::string_view header) {
    return verdict(verifier(), hs256(kSecret, header, R"({"sub":"a"})"));
  };
  for (const char* alg : {"none", "None", "hs256", "HS512", "RS256", "ES256", ""}) {
    EXPECT_EQ(of_header(R"({"alg":")" + std::string(alg) + "\"}"), "token_algorithm") << alg;
  }
  EXPECT_EQ(of_header(R"({"alg":"HS256","crit":["b64"],"b64":false})"), "token_algorithm");
  for (const char* header :
       {"{}", R"({"alg":1})", R"({"alg":["HS256"]})", "[]", "1", "", "{", R"({"alg":"HS256"}x)"}) {
    EXPECT_EQ(of_header(header), "token_malformed") << header;
  }
  const std::string claims = base64url(R"({"sub":"a"})");
  EXPECT_EQ(verdict(verifier(), base64url(R"({"alg":"none"})") + "." + claims + "."), "token_algorithm");
}

TEST(Token, HasThreeParts) {
  const TokenVerifier of = verifier();
  const std::string token = hs256(kSecret, kHeader, R"({"sub":"a"})");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b"),
        token + ".x", "." + token, "Bearer " + token, token + "=", " " + token}) {
    EXPECT_EQ(verdict(of, bad), "token_malformed") << bad;
  }
}

TEST(Token, IsOfBoundedSizeAndDepth) {
  const std::string large = R"({"sub":"a","x":")" + std::string(TokenVerifier::kMostToken, 'x') + "\"}";
  EXPECT_EQ(of_claims(large), "token_malformed");
  const std::string deep = R"({"sub":"a","x":)" + std::string(500, '[') + std::string(500, ']') + "}";
  EXPECT_EQ(of_claims(deep), "token_malformed");
}

TEST(Token, ClaimsAreAnObject) {
  for (const char* claims : {"", "[]", "\"sub\"", "null", "{", R"({"sub":"a",})", "\xff"}) {
    EXPECT_EQ(of_claims(claims), "token_malformed") << claims;
  }
}

TEST(Token, DatesAreChecked) {
  const auto dated = [](std::string_view more) {
    return of_claims(R"({"sub":"a",)" + std::string(more) + "}");
  };
  EXPECT_EQ(dated("\"exp\":1800000001"), "user:a");
  EXPECT_EQ(dated("\"exp\":1800000000.5"), "user:a");
  EXPECT_EQ(dated("\"exp\":1800000000"), "token_expired");
  EXPECT_EQ(dated("\"exp\":0"), "token_expired");
  EXPECT_EQ(dated("\"exp\":-1"), "token_expired");
  EXPECT_EQ(dated("\"exp\":1e300"), "user:a");
  EXPECT_EQ(dated("\"nbf\":1800000000"), "user:a");
  EXPECT_EQ(dated("\"nbf\":1800000001"), "token_not_yet_valid");
  EXPECT_EQ(dated("\"nbf\":18446744073709551615"), "token_not_yet_valid");
  for (const char* bad : {"\"exp\":\"1900000000\"", "\"exp\":null", "\"exp\":true", "\"exp\":{}",
                          "\"nbf\":\"0\"", "\"nbf\":[]"}) {
    EXPECT_EQ(dated(bad), "token_malformed") << bad;
  }
}

TEST(Token, SaysWhenItExpires) {
  const auto expires = [](std::string_view claims) {
    return std::get<Claims>(verifier().verify(hs256(kSecret, kHeader, claims), kNow)).expires;
  };
  EXPECT_EQ(expires(R"({"sub":"a","exp":1800000000.5})"), 1'800'000'000.5);
  EXPECT_EQ(expires(R"({"sub":"a"})"), std::nullopt);
}

TEST(Token, NamesAUser) {
  EXPECT_EQ(of_claims("{}"), "token_subject");
  EXPECT_EQ(of_claims(R"({"sub":""})"), "token_subject");
  EXPECT_EQ(of_claims(R"({"sub":7})"), "token_subject");
  EXPECT_EQ(of_claims(R"({"sub":null})"), "token_subject");
  EXPECT_EQ(of_claims(R"({"sub":"a\u0000b"})"), "token_subject");
  EXPECT_EQ(of_claims(R"({"sub":")" + std::string(128, 'u') + "\"}"), "user:" + std::string(128, 'u'));
  EXPECT_EQ(of_claims(R"({"sub":")" + std::string(129, 'u') + "\"}"), "token_subject");
}

TEST(Token, IssuerAndAudienceAreWhatIsExpected) {
  const TokenVerifier::Expected both{"us", "chat"};
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"us","aud":"chat"})", both), "user:a");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"us","aud":["mail","chat"]})", both), "user:a");
  EXPECT_EQ(of_claims(R"({"sub":"a","aud":"chat"})", both), "token_issuer");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":["us"],"aud":"chat"})", both), "token_issuer");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"us"})", both), "token_audience");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"us","aud":"chatter"})", both), "token_audience");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"us","aud":[1,["chat"]]})", both), "token_audience");
  EXPECT_EQ(of_claims(R"({"sub":"a","iss":"x","aud":"y"})"), "user:a");
}

TEST(Token, OfAnRsaKeyIsCheckedWithThePublicHalf) {
  const Rsa rsa(2048), other(2048);
  const TokenVerifier of = verifier(rsa.public_pem());
  EXPECT_EQ(of.algorithm(), "RS256");
  const std::string_view header = R"({"alg":"RS256"})", claims = R"({"sub":"ada"})";
  EXPECT_EQ(verdict(of, rsa.rs256(header, claims)), "user:ada");
  EXPECT_EQ(verdict(of, other.rs256(header, claims)), "token_signature");
  // The public key is no secret: a token that is signed with it as one is refused for its algorithm.
  EXPECT_EQ(verdict(of, hs256(rsa.public_pem(), kHeader, claims)), "token_algorithm");
  EXPECT_EQ(verdict(of, hs256(rsa.public_pem(), header, claims)), "token_signature");
}

std::string why_not(std::string_view key) {
  const TokenVerifier::Loaded loaded = TokenVerifier::make(key, {});
  const auto* why = std::get_if<std::string>(&loaded);
  return why == nullptr ? "" : *why;
}

TEST(TokenKey, ThatIsNoneSaysWhy) {
  EXPECT_EQ(why_not(""), "is empty");
  EXPECT_EQ(why_not("\n"), "is empty");
  EXPECT_EQ(why_not("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
            "holds no PEM public key (BEGIN PUBLIC KEY)");
  EXPECT_EQ(why_not(Rsa(1024).public_pem()), "is an RSA key of 1024 bits; 2048 to 16384 are accepted");
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> curve(::EVP_EC_gen("P-256"), &::EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&::BIO_free)> bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
  ::PEM_write_bio_PUBKEY(bio.get(), curve.get());
  char* at = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &at);
  EXPECT_EQ(why_not({at, static_cast<std::size_t>(size)}), "is no RSA key; RS256 needs one");
}

TEST(TokenKey, SecretLosesOneLineEndAndAShortOneIsWarnedOf) {
  const std::string token = hs256(kSecret, kHeader, R"({"sub":"a"})");
  EXPECT_EQ(verdict(verifier(std::string(kSecret) + "\n"), token), "user:a");
  EXPECT_EQ(verdict(verifier(std::string(kSecret) + "\r\n"), token), "user:a");
  EXPECT_EQ(verdict(verifier(std::string(kSecret) + "\n\n"), token), "token_signature");
  EXPECT_TRUE(verifier().warnings().empty());
  EXPECT_EQ(verifier("short").warnings().size(), 1u);
}

TEST(TokenKey, ThatIsPublicInAnotherFormIsNoSecret) {
  const std::string der = "\x30\x82" + std::string("\x01\x22", 2) + std::string(0x122, 'k');
  const std::string base64 = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + std::string(300, 'A');
  for (const std::string& form :
       {std::string(R"({"keys":[{"kty":"RSA","n":"x","e":"AQAB"}]})"), std::string("\n  {\"kty\":\"RSA\"}"),
        std::string("\xef\xbb\xbf{}"), std::string("ssh-rsa AAAAB3NzaC1yc2E a@b\n"),
        std::string("ecdsa-sha2-nistp256 AAAA"), std::string("---- BEGIN SSH2 PUBLIC KEY ----\n"), base64,
        "\n" + base64, der}) {
    EXPECT_TRUE(why_not(form).starts_with("looks like ")) << form;
  }
  // Secrets that begin by chance as those do.
  for (const std::string& secret :
       {std::string("MIIx0123456789abcdef0123456789ab"), "\x30\x82" + std::string(30, 'x'), der + "x",
        std::string("[{]"), std::string("my-ssh-secret")}) {
    EXPECT_EQ(why_not(secret), "") << secret;
  }
}

TEST(TokenKey, SaysWhatItIs) {
  EXPECT_EQ(verifier().about(), "HS256, 32 bytes");
  EXPECT_EQ(verifier(Rsa(2048).public_pem()).about(), "RS256, 2048 bits");
}

TEST(TokenKey, SecretInAFileThatOthersMayOpenIsWarnedOf) {
  const auto warnings = [](std::string_view key, mode_t mode) {
    char path[] = "/tmp/limpet-key-XXXXXX";
    const int fd = ::mkstemp(path);
    EXPECT_EQ(::write(fd, key.data(), key.size()), static_cast<ssize_t>(key.size()));
    ::fchmod(fd, mode);
    ::close(fd);
    const TokenVerifier::Loaded loaded = TokenVerifier::load(path, {});
    ::unlink(path);
    return std::get<TokenVerifier>(loaded).warnings();
  };
  EXPECT_TRUE(warnings(kSecret, 0600).empty());
  EXPECT_TRUE(warnings(kSecret, 0400).empty());
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0666})
    EXPECT_EQ(warnings(kSecret, mode).size(), 1u) << mode;
  EXPECT_TRUE(warnings(Rsa(2048).public_pem(), 0644).empty());
}

TEST(TokenKey, FileThatCannotBeReadIsNamed) {
  const auto why = [](const std::string& path) {
    const TokenVerifier::Loaded loaded = TokenVerifier::load(path, {});
    return std::get<std::string>(loaded);
  };
  EXPECT_EQ(why("/nowhere/key"), "/nowhere/key: No such file or directory");
  EXPECT_TRUE(why("/").starts_with("/: "));
  EXPECT_EQ(why("/dev/zero"), "/dev/zero is larger than 64 KiB: that is no key");
}

}  // namespace
}  // namespace limpet::app
