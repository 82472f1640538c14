#include "backend/app/token.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "backend/app/base64url.h"
#include "backend/app/small_file.h"
#include "backend/app/token_key.h"

namespace limpet::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepth = 8;         // of a token's JSON
constexpr std::size_t kGoodSecret = 256;  // bits; RFC 7518, 3.2

struct Words {
  TokenFault fault;
  std::string_view code;
  std::string_view text;
};
// In the order of the enum.
constexpr Words kWords[] = {
    {TokenFault::malformed, "token_malformed", "the token is malformed"},
    {TokenFault::algorithm, "token_algorithm", "the token's algorithm is not the one in use here"},
    {TokenFault::signature, "token_signature", "the token's signature is wrong"},
    {TokenFault::expired, "token_expired", "the token has expired"},
    {TokenFault::not_yet, "token_not_yet_valid", "the token is not valid yet"},
    {TokenFault::issuer, "token_issuer", "the token is not of the issuer that is trusted here"},
    {TokenFault::audience, "token_audience", "the token is not meant for this service"},
    {TokenFault::no_subject, "token_subject", "the token names no user"},
};

std::optional<json::object> object_of(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return std::nullopt;
  json::parse_options options;
  options.max_depth = kDepth;
  json::error_code error;
  json::value value = json::parse(*bytes, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

// Seconds since 1970; a fraction is allowed (RFC 7519, 2: NumericDate).
std::optional<double> date_of(const json::value& value) {
  json::error_code error;
  const double date = value.to_number<double>(error);
  if (error || !std::isfinite(date)) return std::nullopt;
  return date;
}

std::optional<TokenFault> check_header(const json::object& header, std::string_view algorithm) {
  const json::value* alg = header.if_contains("alg");
  if (alg == nullptr || !alg->is_string()) return TokenFault::malformed;
  if (std::string_view(alg->get_string()) != algorithm) return TokenFault::algorithm;
  if (header.contains("crit")) return TokenFault::algorithm;
  return std::nullopt;
}

std::optional<TokenFault> check_dates(const json::object& claims, std::int64_t now_s) {
  const auto now = static_cast<double>(now_s);
  if (const json::value* exp = claims.if_contains("exp")) {
    const auto date = date_of(*exp);
    if (!date) return TokenFault::malformed;
    if (now >= *date) return TokenFault::expired;
  }
  if (const json::value* nbf = claims.if_contains("nbf")) {
    const auto date = date_of(*nbf);
    if (!date) return TokenFault::malformed;
    if (now < *date) return TokenFault::not_yet;
  }
  return std::nullopt;
}

bool is_text(const json::value* value, std::string_view wanted) {
  return value != nullptr && value->is_string() && std::string_view(value->get_string()) == wanted;
}

bool is_for(const json::value* aud, std::string_view wanted) {
  if (aud == nullptr || !aud->is_array()) return is_text(aud, wanted);
  const json::array& all = aud->get_array();
  return std::any_of(all.begin(), all.end(), [&](const json::value& each) { return is_text(&each, wanted); });
}

std::optional<std::string> subject_of(const json::object& claims) {
  const json::value* sub = claims.if_contains("sub");
  if (sub == nullptr || !sub->is_string()) return std::nullopt;
  const std::string_view text = sub->get_string();
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.empty() || text.size() > TokenVerifier::kMostSubject ||
      std::any_of(text.begin(), text.end(), control)) {
    return std::nullopt;
  }
  return std::string(text);
}

}  // namespace

std::string_view code_of(TokenFault fault) {
  return kWords[static_cast<std::size_t>(fault)].code;
}
std::string_view text_of(TokenFault fault) {
  return kWords[static_cast<std::size_t>(fault)].text;
}

TokenVerifier::TokenVerifier(std::unique_ptr<Key> key, Expected expected)
    : key_(std::move(key)), expected_(std::move(expected)) {}
TokenVerifier::TokenVerifier(TokenVerifier&&) noexcept = default;
TokenVerifier& TokenVerifier::operator=(TokenVerifier&&) noexcept = default;
TokenVerifier::~TokenVerifier() = default;

TokenVerifier::Loaded TokenVerifier::make(std::string_view bytes, Expected expected) {
  auto key = Key::make(bytes);
  if (auto* why = std::get_if<std::string>(&key)) return std::move(*why);
  return TokenVerifier(std::move(std::get<std::unique_ptr<Key>>(key)), std::move(expected));
}

TokenVerifier::Loaded TokenVerifier::load(const std::string& path, Expected expected) {
  auto file = read_small_file(path, ": that is no key");
  if (auto* why = std::get_if<std::string>(&file)) return std::move(*why);
  const SmallFile& it = std::get<SmallFile>(file);
  Loaded loaded = make(it.bytes, std::move(expected));
  if (auto* why = std::get_if<std::string>(&loaded))
    *why = path + " " + *why;
  else
    std::get<TokenVerifier>(loaded).exposed_ = it.exposed;
  return loaded;
}

std::string_view TokenVerifier::algorithm() const {
  return key_->algorithm();
}

std::string TokenVerifier::about() const {
  const bool secret = key_->is_secret();
  return std::string(algorithm()) + ", " + std::to_string(secret ? key_->bits() / 8 : key_->bits()) +
         (secret ? " bytes" : " bits");
}

std::vector<std::string> TokenVerifier::warnings() const {
  std::vector<std::string> all;
  if (!key_->is_secret()) return all;
  if (key_->bits() < kGoodSecret) {
    all.push_back("the secret has " + std::to_string(key_->bits() / 8) +
                  " bytes; fewer than 32 can be guessed from one token (RFC 7518, 3.2)");
  }
  if (exposed_) all.emplace_back("the secret's file is open to others than its owner; chmod 0600");
  return all;
}

// The signature is checked before anything of the claims is believed, or even read.
std::variant<Claims, TokenFault> TokenVerifier::verify(std::string_view token, std::int64_t now_s) const {
  if (token.size() > kMostToken) return TokenFault::malformed;
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || token.find('.', first + 1) != last || first == last)
    return TokenFault::malformed;
  const auto header = object_of(token.substr(0, first));
  const auto signature = from_base64url(token.substr(last + 1));
  if (!header || !signature) return TokenFault::malformed;
  if (const auto fault = check_header(*header, key_->algorithm())) return *fault;
  if (!key_->signs(token.substr(0, last), *signature)) return TokenFault::signature;
  const auto claims = object_of(token.substr(first + 1, last - first - 1));
  if (!claims) return TokenFault::malformed;
  if (const auto fault = check_dates(*claims, now_s)) return *fault;
  if (expected_.issuer && !is_text(claims->if_contains("iss"), *expected_.issuer)) return TokenFault::issuer;
  if (expected_.audience && !is_for(claims->if_contains("aud"), *expected_.audience))
    return TokenFault::audience;
  auto subject = subject_of(*claims);
  if (!subject) return TokenFault::no_subject;
  const json::value* exp = claims->if_contains("exp");
  return Claims{std::move(*subject), exp == nullptr ? std::nullopt : date_of(*exp)};
}

}  // namespace limpet::app
