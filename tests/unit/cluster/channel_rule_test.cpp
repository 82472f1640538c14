#include "backend/cluster/channel_rule.h"

#include <gtest/gtest.h>

namespace limpet::cluster {
namespace {

constexpr auto kStatic = SubscriptionMode::static_;
constexpr auto kDynamic = SubscriptionMode::dynamic;
constexpr auto kPrivate = SubscriptionMode::dynamic_private;
constexpr std::string_view kSid = "AAAAAAAAAAAAAAAAAAAA";
constexpr std::string_view kOlderSid = "/adm#AAAAAAAAAAAAAAAAAAAA";

TEST(ChannelRule, WhereARoomIsPublished) {
  EXPECT_FALSE(publishes_to_room(kStatic, "room"));
  EXPECT_TRUE(publishes_to_room(kDynamic, "room"));
  EXPECT_FALSE(publishes_to_room(kDynamic, kSid));
  EXPECT_TRUE(publishes_to_room(kPrivate, kSid));
}

TEST(ChannelRule, ATextOfTwentyCharactersIsTakenForAnId) {
  EXPECT_FALSE(publishes_to_room(kDynamic, "public room, 20 char"));
  EXPECT_FALSE(publishes_to_room(kDynamic, "\xc3\xa9ublic room, 20 char"));
  EXPECT_FALSE(publishes_to_room(kDynamic,
                                 "\xf0\x9f\x98\x80"
                                 "blic room, 20 char"));
  EXPECT_TRUE(publishes_to_room(kDynamic,
                                "\xff"
                                "20000000000000000000"));  // a number is none
}

TEST(ChannelRule, OfSocketsWhoseIdsAreLongerTheOwnChannelIsHeard) {
  EXPECT_FALSE(listens_to_socket(kDynamic, kSid));
  EXPECT_TRUE(listens_to_socket(kDynamic, kOlderSid));
  EXPECT_TRUE(listens_to_socket(kPrivate, kSid));
  EXPECT_FALSE(listens_to_socket(kStatic, kOlderSid));
}

}  // namespace
}  // namespace limpet::cluster
