// Cookie and Set-Cookie, as affinity meets them.
#include "proxy/wire/cookie.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

std::vector<std::string> values(std::string_view lines, std::string_view name = "io", std::size_t most = 8) {
  const Request request(get(lines));
  std::vector<std::string_view> out(most);
  const std::size_t found = cookie_values(request->fields, name, out);
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(found)};
}
using Values = std::vector<std::string>;

TEST(CookieValues, AreFoundInOrderOverAllFields) {
  EXPECT_EQ(values("Cookie: a=b; io=ws1; c=d\r\nX: y\r\nCookie: io=ws2\r\n"), (Values{"ws1", "ws2"}));
  EXPECT_EQ(values("Cookie: io=1; io=2; io=1\r\n"), (Values{"1", "2", "1"}));
}

TEST(CookieValues, QuotesAndSpaceAroundAreRemoved) {
  EXPECT_EQ(values("Cookie: io=\"ws1\"\r\n"), Values{"ws1"});
  EXPECT_EQ(values("Cookie:\tio = ws1 ;\r\n"), Values{"ws1"});
  EXPECT_EQ(values("Cookie: io=\"\r\n"), Values{"\""});
  EXPECT_EQ(values("Cookie: io=\"\"\r\n"), Values{""});
}

TEST(CookieValues, NamesAreComparedWhole) {
  EXPECT_EQ(values("Cookie: IO=1; xio=2; iox=3; io\r\n"), Values{});
  EXPECT_EQ(values("Cookie: io=a=b\r\n"), Values{"a=b"});
}

TEST(CookieValues, JunkAroundIsPassedOver) {
  EXPECT_EQ(values("Cookie: ;;=; junk; {\"a\":1}; io=ws1; \x80=\xff\r\n"), Values{"ws1"});
  EXPECT_EQ(values("Cookie:\r\n"), Values{});
  EXPECT_EQ(values("Set-Cookie: io=ws1\r\n"), Values{});
}

TEST(CookieValues, AreAtMostAsManyAsThereIsRoom) {
  EXPECT_EQ(values("Cookie: io=1; io=2; io=3\r\n", "io", 2), (Values{"1", "2"}));
  EXPECT_EQ(values("Cookie: io=1\r\n", "io", 0), Values{});
}

std::string without(std::string_view value, std::string_view name = "io") {
  std::string out = ">";
  const bool kept = append_without_cookie(out, value, name);
  EXPECT_EQ(kept, out.size() > 1) << value;
  return out.substr(1);
}

TEST(CookieRemoval, LeavesTheOthers) {
  EXPECT_EQ(without("a=b; io=ws1; c=d"), "a=b; c=d");
  EXPECT_EQ(without("io=ws1; c=d"), "c=d");
  EXPECT_EQ(without("a=b; io=ws1"), "a=b");
  EXPECT_EQ(without("a=b;junk;io = x; io=\"y\";  e"), "a=b; junk; e");
}

TEST(CookieRemoval, SaysWhenNothingIsLeft) {
  EXPECT_EQ(without("io=ws1"), "");
  EXPECT_EQ(without("io=ws1; io=ws2;"), "");
  EXPECT_EQ(without(""), "");
}

TEST(SetCookieParsing, NameAndValueStandBeforeTheAttributes) {
  const auto cookie = parse_set_cookie(" io = ws1 ; Path=/; HttpOnly");
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->name, "io");
  EXPECT_EQ(cookie->value, "ws1");
  EXPECT_EQ(parse_set_cookie("io=")->value, "");
  for (const char* value : {"", "io", "=x", " =x", "io; a=b", ";"})
    EXPECT_FALSE(parse_set_cookie(value)) << value;
}

TEST(SetCookieRewriting, KeepsTheAttributes) {
  const auto rewritten = [](std::string_view value) {
    std::string out;
    append_with_value(out, value, "ws9");
    return out;
  };
  EXPECT_EQ(rewritten("io=ws1; Path=/; HttpOnly"), "io=ws9; Path=/; HttpOnly");
  EXPECT_EQ(rewritten("io=ws1"), "io=ws9");
  EXPECT_EQ(rewritten("io=a=b;x"), "io=ws9;x");
  EXPECT_EQ(rewritten("none"), "none");
}

}  // namespace
}  // namespace limpet::wire
