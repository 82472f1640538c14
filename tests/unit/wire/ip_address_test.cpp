// IpAddress and Cidr: text to value and back.
#include "proxy/wire/ip_address.h"

#include <gtest/gtest.h>

namespace limpet::wire {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->text() : "nothing";
}

TEST(Address, TextIsCanonical) {
  EXPECT_EQ(round_trip("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(round_trip("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(round_trip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(round_trip("::"), "::");
  EXPECT_EQ(IpAddress().text(), "0.0.0.0");
}

TEST(Address, WhatIsNoLiteralIsNothing) {
  for (const char* text :
       {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "[::1]",
        "::1%eth0", "::1%1", ":::", "1::2::3", "0x1.2.3.4", "localhost",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", "-1.2.3.4", "1:2:3:4:5:6:7"}) {
    EXPECT_EQ(round_trip(text), "nothing") << text;
  }
  EXPECT_EQ(round_trip(std::string_view("1.2.3.4\0x", 9)), "nothing");
  EXPECT_EQ(round_trip(std::string(100, '1')), "nothing");
}

TEST(Address, MappedAddressIsHeldAsV4) {
  const auto mapped = IpAddress::parse("::ffff:192.0.2.1");
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(mapped->is_v4());
  EXPECT_EQ(mapped, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(mapped->bytes().size(), 4u);
}

TEST(Address, V4AndV6WithTheSameBytesDiffer) {
  EXPECT_NE(IpAddress::parse("0.0.0.0"), IpAddress::parse("::"));
  EXPECT_EQ(IpAddress::parse("::1")->bytes().size(), 16u);
}

TEST(Address, LoopbackIsKnownInBothFamilies) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::ffff:127.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("1::1")->is_loopback());
}

bool inside(std::string_view range, std::string_view address) {
  return Cidr::parse(range).value().contains(IpAddress::parse(address).value());
}

TEST(Range, ContainsWhatSharesItsPrefix) {
  EXPECT_TRUE(inside("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(inside("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(inside("10.16.0.0/12", "10.31.255.255"));
  EXPECT_FALSE(inside("10.16.0.0/12", "10.32.0.0"));
  EXPECT_TRUE(inside("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(inside("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(inside("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(inside("2001:db8::/33", "2001:db8:7fff::"));
  EXPECT_FALSE(inside("2001:db8::/33", "2001:db8:8000::"));
  EXPECT_TRUE(inside("::1/128", "::1"));
}

TEST(Range, FamiliesDoNotMixAndMappedRangesAreV4) {
  EXPECT_FALSE(inside("::/0", "10.0.0.1"));
  EXPECT_FALSE(inside("0.0.0.0/0", "::1"));
  EXPECT_TRUE(inside("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_TRUE(inside("::ffff:10.0.0.1", "10.0.0.1"));
  EXPECT_TRUE(inside("10.0.0.0/8", "::ffff:10.0.0.1"));
}

TEST(Range, WhatIsRefused) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/08", "10.0.0.1/8",
        "::/129", "2001:db8::1/64", "::ffff:10.0.0.0/8", "10.0.0.0/8/8", "a/8", "10.0.0.0/99999999999"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(Range, TextIsReadBack) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1", "2001:db8::/32", "::1"}) {
    EXPECT_EQ(Cidr::parse(text)->text(), text);
  }
  EXPECT_EQ(Cidr::parse("192.0.2.1/32")->text(), "192.0.2.1");
}

}  // namespace
}  // namespace limpet::wire
