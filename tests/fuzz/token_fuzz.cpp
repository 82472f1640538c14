// JSON Web Tokens: no bytes pass for a token of a secret that they were not made with; signed bytes, as
// claims and as a header, give a verdict, and a user only as the rules have it.
#include <cassert>
#include <string>

#include "backend/app/base64url.h"
#include "backend/app/token.h"
#include "tests/unit/app/tokens.h"

using namespace limpet::app;

namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

const TokenVerifier& verifier() {
  static const auto loaded = TokenVerifier::make(kSecret, {"us", std::nullopt});
  return std::get<TokenVerifier>(loaded);
}

void check_signed(const std::string& token) {
  const auto got = verifier().verify(token, 1'800'000'000);
  const auto* claims = std::get_if<Claims>(&got);
  if (claims == nullptr) {
    assert(!code_of(std::get<TokenFault>(got)).empty());
    return;
  }
  assert(!claims->subject.empty() && claims->subject.size() <= TokenVerifier::kMostSubject);
  for (const char c : claims->subject) assert(static_cast<unsigned char>(c) >= 0x20);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  assert(std::holds_alternative<TokenFault>(verifier().verify(bytes, 0)));
  check_signed(hs256(kSecret, R"({"alg":"HS256"})", bytes));
  check_signed(hs256(kSecret, bytes, R"({"sub":"a","iss":"us"})"));
  if (const auto decoded = from_base64url(bytes)) assert(base64url(*decoded) == bytes);
  assert(from_base64url(base64url(bytes)) == bytes);
  return 0;
}
