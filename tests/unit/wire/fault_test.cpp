// Faults and fields by name: the tables.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

TEST(Faults, EachHasAStatusAReasonOfItsOwnAndAnExplanation) {
  std::set<std::string_view> reasons;
  for (int i = 0; i <= static_cast<int>(Fault::too_many_interim); ++i) {
    const auto fault = static_cast<Fault>(i);
    EXPECT_GE(status_of(fault), 400);
    EXPECT_TRUE(reasons.insert(text_of(fault)).second) << text_of(fault);
    EXPECT_EQ(text_of(fault).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string_view::npos);
    EXPECT_FALSE(explain(fault).empty());
  }
}

TEST(Faults, StatusIsTheOneThatRfc9110Gives) {
  EXPECT_EQ(status_of(Fault::bad_line_end), 400);
  EXPECT_EQ(status_of(Fault::target_too_long), 414);
  EXPECT_EQ(status_of(Fault::head_too_large), 431);
  EXPECT_EQ(status_of(Fault::too_many_fields), 431);
  EXPECT_EQ(status_of(Fault::version_unsupported), 505);
  EXPECT_EQ(status_of(Fault::version_not_13), 426);
  EXPECT_EQ(status_of(Fault::upgrade_mismatch), 502);
}

TEST(FieldNames, AreKnownInAnyCase) {
  EXPECT_EQ(field_id("Host"), FieldId::host);
  EXPECT_EQ(field_id("CONTENT-LENGTH"), FieldId::content_length);
  EXPECT_EQ(field_id("te"), FieldId::te);
  EXPECT_EQ(field_id("sec-websocket-EXTENSIONS"), FieldId::sec_websocket_extensions);
  EXPECT_EQ(field_id("X-Forwarded-Proto"), FieldId::x_forwarded_proto);
  EXPECT_EQ(field_id("True-Client-IP"), FieldId::true_client_ip);
  EXPECT_EQ(field_id("X_Forwarded_Proto"), FieldId::other);
  EXPECT_EQ(field_id("X-Forwarded-Prot"), FieldId::other);
  EXPECT_EQ(field_id(""), FieldId::other);
  EXPECT_EQ(field_id(std::string(300, 'a')), FieldId::other);
}

TEST(CommaList, TokensAreFoundInAnyCaseAndOnlyWhole) {
  EXPECT_TRUE(has_token("keep-alive,\tUpgrade ", "upgrade"));
  EXPECT_TRUE(has_token(",,a", "A"));
  EXPECT_FALSE(has_token("upgraded, x-upgrade, up grade", "upgrade"));
  EXPECT_FALSE(has_token("", ""));
  EXPECT_FALSE(has_token(" , ,", ""));
}

TEST(Fields, FirstOfAnIdIsFound) {
  const Request request(get("Cookie: a=1\r\ncookie: b=2\r\n"));
  ASSERT_TRUE(request.ok());
  ASSERT_NE(find(request->fields, FieldId::cookie), nullptr);
  EXPECT_EQ(find(request->fields, FieldId::cookie)->value, "a=1");
  EXPECT_EQ(find(request->fields, FieldId::expect), nullptr);
}

TEST(Methods, IdempotentOnesMayBeSentAgain) {
  EXPECT_TRUE(idempotent(Method::get));
  EXPECT_TRUE(idempotent(Method::put));
  EXPECT_TRUE(idempotent(Method::del));
  EXPECT_TRUE(idempotent(Method::trace));
  EXPECT_FALSE(idempotent(Method::post));
  EXPECT_FALSE(idempotent(Method::patch));
  EXPECT_FALSE(idempotent(Method::other));
}

}  // namespace
}  // namespace limpet::wire
