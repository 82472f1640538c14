#include "backend/app/identity.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "backend/app/node.h"
#include "tests/unit/app/tokens.h"

namespace limpet::app {
namespace {

namespace json = boost::json;

std::string who(const json::value& auth, const TokenVerifier* verifier = nullptr) {
  const auto got = identify(auth.as_object(), verifier, 1'800'000'000);
  if (const auto* no = std::get_if<NotAdmitted>(&got)) return "refused:" + no->code;
  return "user:" + std::get<Identity>(got).user;
}

TEST(Identity, WithoutAKeyIsWhatTheClientSays) {
  EXPECT_EQ(who({{"userId", "ada"}}), "user:ada");
  EXPECT_EQ(who({{"userId", 7}}), "user:7");
  EXPECT_EQ(who({{"userId", std::uint64_t{18446744073709551615U}}}), "user:18446744073709551615");
  EXPECT_EQ(who(json::object{}), "user:");
  EXPECT_EQ(who({{"userId", nullptr}}), "user:");
}

TEST(Identity, WithoutAKeyIsATextOrANumber) {
  EXPECT_EQ(who({{"userId", ""}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", 1.5}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", true}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", json::array{"a"}}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", json::object{}}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", "a\nb"}}), "refused:user_id");
  EXPECT_EQ(who({{"userId", std::string(128, 'a')}}), "user:" + std::string(128, 'a'));
  EXPECT_EQ(who({{"userId", std::string(129, 'a')}}), "refused:user_id");
}

TEST(Identity, WithAKeyIsWhatTheTokenSaysAndNothingElse) {
  constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
  const auto loaded = TokenVerifier::make(kSecret, {});
  const auto* verifier = &std::get<TokenVerifier>(loaded);
  const std::string token = hs256(kSecret, R"({"alg":"HS256"})", R"({"sub":"ada"})");
  EXPECT_EQ(who({{"token", token}, {"userId", "bob"}}, verifier), "user:ada");
  EXPECT_EQ(who({{"userId", "bob"}}, verifier), "refused:token_missing");
  EXPECT_EQ(who({{"token", 7}}, verifier), "refused:token_missing");
  EXPECT_EQ(who({{"token", token + "x"}}, verifier), "refused:token_signature");
}

TEST(Rooms, OfUsersAndOfSingleSocketsAreNotForClients) {
  EXPECT_EQ(socketio::user_room("ada"), "user:ada");
  for (const char* room :
       {"news", "a", "User:x", "users", "user", "conversation-123456", "conversation-12345678",
        "Aa!defghijklmnopqrst", "#", "a#b", "AbCdEfGhIjKlMnOpAAAB#"}) {
    EXPECT_FALSE(refuse_room(room)) << room;
  }
  for (const char* room :
       {"", "user:", "user:ada", "AbCdEfGhIjKlMnOpAAAB", "x-_4567890abcdefABCD", "0123456789abcdef0123",
        "ABCDEFGHIJKLMNOPQRST", "/chat#AbCdEfGhIjKlMnOpAAAB", "/a#b#x-_4567890abcdefABCD"}) {
    EXPECT_TRUE(refuse_room(room)) << room;
  }
  EXPECT_FALSE(refuse_room(std::string(128, 'r')));
  EXPECT_TRUE(refuse_room(std::string(129, 'r')));
}

TEST(Reach, PublicIsWhatIsNeitherLoopbackNorPrivate) {
  const auto at = [](std::string_view ip) { return net::Address::ip(*wire::IpAddress::parse(ip), 80); };
  for (const char* ip :
       {"127.0.0.1", "127.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.1.1", "::1", "fc00::1", "fdff::1", "fe80::1", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(is_public(at(ip))) << ip;
  }
  for (const char* ip : {"0.0.0.0", "::", "8.8.8.8", "172.32.0.1", "172.15.0.1", "100.128.0.1", "2001:db8::1",
                         "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(is_public(at(ip))) << ip;
  }
  EXPECT_FALSE(is_public(*net::Address::unix_socket("/run/x")));
}

}  // namespace
}  // namespace limpet::app
