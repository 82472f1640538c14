#include "backend/engine/query.h"

#include <gtest/gtest.h>

#include <string>

namespace limpet::engine {
namespace {

using Transport = Query::Transport;

TEST(Query, OfAnOpenAndOfARequestThatBelongs) {
  const Query open = parse_query("EIO=4&transport=polling&t=Oabc");
  EXPECT_EQ(open.revision, 4);
  EXPECT_EQ(open.transport, Transport::polling);
  EXPECT_FALSE(open.sid_given);
  EXPECT_FALSE(open.base64);
  EXPECT_FALSE(open.jsonp);
  const Query later = parse_query("EIO=4&transport=websocket&sid=0123456789_ABCDEFg-h");
  EXPECT_EQ(later.transport, Transport::websocket);
  EXPECT_TRUE(later.sid_given);
  EXPECT_EQ(later.sid(), "0123456789_ABCDEFg-h");
}

TEST(Query, AnythingButFourIsRevisionThree) {
  for (const char* query :
       {"", "EIO=3", "EIO", "EIO=", "EIO=04", "EIO=4&EIO=5", "eio=4", "EIO=4%20", "EIO=+4"}) {
    EXPECT_EQ(parse_query(query).revision, 3) << query;
  }
  EXPECT_EQ(parse_query("EIO=3&EIO=4").revision, 4);
  EXPECT_EQ(parse_query("E%49O=%34").revision, 4);
}

TEST(Query, UnknownTransports) {
  for (const char* query :
       {"", "transport=", "transport=webtransport", "transport=Polling", "transport=polling&transport="}) {
    EXPECT_EQ(parse_query(query).transport, Transport::unknown) << query;
  }
}

TEST(Query, OfRepeatedKeysTheLastCounts) {
  EXPECT_EQ(parse_query("sid=a&sid=bbbbbbbbbbbbbbbbbbbb").sid(), "bbbbbbbbbbbbbbbbbbbb");
  const Query none = parse_query("sid=aaaaaaaaaaaaaaaaaaaa&sid=");
  EXPECT_FALSE(none.sid_given);
  EXPECT_EQ(none.sid(), "");
  EXPECT_FALSE(parse_query("b64=1&b64=").base64);
}

TEST(Query, ASidOfAnotherLengthIsNobodys) {
  for (const std::string& sid :
       {std::string(19, 'a'), std::string(21, 'a'), std::string(8000, 'a'), std::string("%00")}) {
    const Query query = parse_query("sid=" + sid);
    EXPECT_TRUE(query.sid_given) << sid;
    EXPECT_EQ(query.sid(), "") << sid;
  }
  EXPECT_EQ(parse_query("sid=%61aaaaaaaaaaaaaaaaaaa").sid(), std::string(20, 'a'));
}

TEST(Query, JsonpKeepsDigitsAlone) {
  EXPECT_TRUE(parse_query("j").jsonp);
  EXPECT_EQ(parse_query("j").index(), "");
  EXPECT_EQ(parse_query("j=7").index(), "7");
  EXPECT_EQ(parse_query("j=a1%3Cb2").index(), "12");
  EXPECT_EQ(parse_query("j=" + std::string(100, '9')).index().size(), Query::kMostDigits);
  EXPECT_EQ(parse_query("j=12&j=x").index(), "");
}

TEST(Query, AnyValueOfB64Counts) {
  EXPECT_TRUE(parse_query("b64=0").base64);
  EXPECT_FALSE(parse_query("b64").base64);
}

TEST(Query, OddPairs) {
  const Query query = parse_query("&&=&=x&EIO=4=&%&%4&transport=polling&");
  EXPECT_EQ(query.revision, 3);  // "4="
  EXPECT_EQ(query.transport, Transport::polling);
}

}  // namespace
}  // namespace limpet::engine
