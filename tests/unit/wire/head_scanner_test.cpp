// HeadScanner: what is refused, at which byte, and that no split of the bytes matters.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

TEST(RequestScanner, CompleteHeadEndsAtItsEmptyLine) {
  const std::string head = get("Accept: */*\r\n");
  EXPECT_EQ(scan_request(head), complete(head.size()));
  EXPECT_EQ(scan_request(head + "GET /next"), complete(head.size()));
}

TEST(RequestScanner, EveryProperPrefixOfAHeadIsOnlyIncomplete) {
  const std::string head = "\r\n" + get("Accept: */*\r\nX-Empty:\r\nCookie: \t a=b\xff\r\n");
  for (std::size_t n = 0; n < head.size(); ++n) EXPECT_EQ(scan_request(head.substr(0, n)), kMore) << n;
  EXPECT_EQ(scan_request(head), complete(head.size()));
}

TEST(RequestScanner, OneEmptyLineBeforeTheRequestIsSkipped) {
  HeadScanner scanner(HeadScanner::Kind::request, {});
  EXPECT_EQ(scanner.feed("\r"), HeadScanner::Step::more);
  EXPECT_EQ(scanner.feed("\r\n"), HeadScanner::Step::more);
  EXPECT_FALSE(scanner.begun());
  EXPECT_EQ(scanner.start(), 2u);
  EXPECT_EQ(scanner.feed("\r\nG"), HeadScanner::Step::more);
  EXPECT_TRUE(scanner.begun());
  EXPECT_EQ(scanner.feed("\r\n" + get("")), HeadScanner::Step::complete);
  EXPECT_EQ(scanner.length(), 2 + get("").size());
}

TEST(RequestScanner, MoreOrOddEmptyLinesAreRefused) {
  EXPECT_EQ(scan_request("\r\n\r\n" + get("")), refused(Fault::bad_method));
  EXPECT_EQ(scan_request("\n" + get("")), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("\r" + get("")), refused(Fault::bad_line_end));
}

TEST(RequestScanner, BareLineFeedIsRefusedWhereverALineEnds) {
  EXPECT_EQ(scan_request("GET / HTTP/1.1\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET /\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\n\n"), refused(Fault::bad_line_end));
}

TEST(RequestScanner, BareCarriageReturnIsRefusedAnywhere) {
  EXPECT_EQ(scan_request("GET / HTTP/1.1\rHost: a"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\rX"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\r"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\n\rX"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHo\rst: a"), refused(Fault::bad_field_name));
  EXPECT_EQ(scan_request("G\rET"), refused(Fault::bad_method));
}

TEST(RequestScanner, FoldedFieldIsRefusedAtItsFirstByte) {
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\n "), refused(Fault::folded_field));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nHost: a\r\n\t"), refused(Fault::folded_field));
}

TEST(RequestScanner, FieldNameMustBeATokenRightBeforeTheColon) {
  for (const char* line :
       {"Host : a", "Host\t: a", ": a", "Ho st: a", "Ho(st: a", "H\"st: a", "Host", "{a}: b"}) {
    EXPECT_EQ(scan_request("GET / HTTP/1.1\r\n"s + line + "\r\n\r\n"), refused(Fault::bad_field_name))
        << line;
  }
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nH\x80st: a\r\n\r\n"), refused(Fault::bad_field_name));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nH\0st: a\r\n\r\n"s), refused(Fault::bad_field_name));
}

TEST(RequestScanner, ControlBytesInAValueAreRefusedAndTabsAndHighBytesAreNot) {
  for (int c = 0; c < 256; ++c) {
    const std::string head = get("X: a"s + static_cast<char>(c) + "b\r\n");
    const bool clean = c == '\t' || (c >= 0x20 && c != 0x7f);
    if (clean) {
      EXPECT_EQ(scan_request(head), complete(head.size())) << c;
    } else {
      const Fault fault = c == '\n' || c == '\r' ? Fault::bad_line_end : Fault::bad_field_value;
      EXPECT_EQ(scan_request(head), refused(fault)) << c;
    }
  }
}

TEST(RequestScanner, TargetHoldsVisibleAsciiButNoFragment) {
  for (int c = 0; c < 256; ++c) {
    const std::string head = "GET /"s + static_cast<char>(c) + " HTTP/1.1\r\n\r\n";
    if (c > 0x20 && c < 0x7f && c != '#') {
      EXPECT_EQ(scan_request(head), complete(head.size())) << c;
    } else {
      EXPECT_EQ(scan_request(head).step, HeadScanner::Step::refused) << c;
    }
  }
  EXPECT_EQ(scan_request("GET /a#"), refused(Fault::bad_target));
  EXPECT_EQ(scan_request("GET /\t"), refused(Fault::bad_target));
  EXPECT_EQ(scan_request("GET  "), refused(Fault::bad_target));
  EXPECT_EQ(scan_request("GET \r"), refused(Fault::bad_target));
  EXPECT_EQ(scan_request("GET /a b HTTP/1.1"), refused(Fault::bad_version));
}

TEST(RequestScanner, OnlyHttp10AndHttp11AreSpoken) {
  EXPECT_EQ(scan_request("GET /\r"), refused(Fault::bad_version));  // HTTP/0.9
  EXPECT_EQ(scan_request("GET / HTTP/2"), refused(Fault::version_unsupported));
  EXPECT_EQ(scan_request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), refused(Fault::version_unsupported));
  EXPECT_EQ(scan_request("GET / HTTP/1.2"), refused(Fault::version_unsupported));
  EXPECT_EQ(scan_request("GET / HTTP/0.9"), refused(Fault::version_unsupported));
  for (const char* version :
       {"http/1.1", "HTTP/1,1", "HTTP/11", "HTTP/1.", "HTTP/1.1 ", "HTTP/1.10", " HTTP/1.1", "HTTP/+1.1",
        "HTTP /1.1", "HTTPS/1.1", "\tHTTP/1.1", "HTTP/1.1\t", "RTSP/1.0"}) {
    EXPECT_EQ(scan_request("GET / "s + version + "\r\n"), refused(Fault::bad_version)) << version;
  }
  const std::string old = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(scan_request(old), complete(old.size()));
}

TEST(RequestScanner, GarbageIsRefusedAtItsFirstByte) {
  EXPECT_EQ(scan_request("\x16\x03\x01"), refused(Fault::bad_method));  // a TLS ClientHello
  EXPECT_EQ(scan_request(" GET"), refused(Fault::bad_method));
  EXPECT_EQ(scan_request("\0"s), refused(Fault::bad_method));
  EXPECT_EQ(scan_request("GE(T"), refused(Fault::bad_method));
  EXPECT_EQ(scan_request("\x81\x05hello"), refused(Fault::bad_method));  // a WebSocket frame
}

TEST(RequestScanner, MethodHasABound) {
  const std::string longest(32, 'M');
  EXPECT_EQ(scan_request(longest + " "), kMore);
  EXPECT_EQ(scan_request(longest), kMore);
  EXPECT_EQ(scan_request(longest + "M"), refused(Fault::bad_method));
}

TEST(RequestScanner, TargetOverItsLimitIsRefusedBeforeTheLineEnds) {
  const HeadLimits limits{.target_bytes = 10};
  EXPECT_EQ(scan_request("GET /234567890", limits), kMore);
  EXPECT_EQ(scan_request("GET /234567890 ", limits), kMore);
  EXPECT_EQ(scan_request("GET /234567890x", limits), refused(Fault::target_too_long));
}

TEST(RequestScanner, HeadOverItsLimitIsRefusedBeforeItEnds) {
  const std::string head = get("");
  HeadLimits limits{.head_bytes = static_cast<std::uint32_t>(head.size())};
  EXPECT_EQ(scan_request(head, limits), complete(head.size()));
  EXPECT_EQ(scan_request("\r\n" + head, limits), complete(head.size() + 2));
  --limits.head_bytes;
  EXPECT_EQ(scan_request(head, limits), refused(Fault::head_too_large));
  EXPECT_EQ(scan_request(head.substr(0, limits.head_bytes), limits), kMore);
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x')), refused(Fault::head_too_large));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\n" + std::string(20000, 'x')), refused(Fault::head_too_large));
}

TEST(RequestScanner, OneFieldOverTheLimitIsRefusedAtItsFirstByte) {
  const HeadLimits limits{.head_fields = 2};
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nA:\r\nB:\r\n\r\n", limits), complete(26));
  EXPECT_EQ(scan_request("GET / HTTP/1.1\r\nA:\r\nB:\r\nC", limits), refused(Fault::too_many_fields));
}

TEST(RequestScanner, WhatWasRefusedStaysRefusedAndResetForgets) {
  HeadScanner scanner(HeadScanner::Kind::request, {});
  EXPECT_EQ(scanner.feed("\n"), HeadScanner::Step::refused);
  EXPECT_EQ(scanner.feed("\n" + get("")), HeadScanner::Step::refused);
  scanner.reset();
  EXPECT_EQ(scanner.feed(get("")), HeadScanner::Step::complete);
  EXPECT_EQ(scanner.feed(get("") + "more"), HeadScanner::Step::complete);
  EXPECT_EQ(scanner.length(), get("").size());
}

TEST(RequestScanner, AnySplitOfAnyDamageGivesTheSameVerdict) {
  const std::string clean = "\r\n" + get("Cookie: io=x; a=b\r\nX-A: \t1\r\nUpgrade: websocket\r\n");
  const HeadLimits limits{.head_bytes = 120, .head_fields = 4, .target_bytes = 20};
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string head = clean;
    for (int hits = 1 + static_cast<int>(random() % 2); hits > 0; --hits) {
      const std::size_t at = random() % head.size();
      switch (random() % 3) {
        case 0: head[at] = "\r\n \t:/#\0x\x80"[random() % 10]; break;
        case 1: head.erase(at, 1); break;
        default: head.insert(at, 1 + random() % 30, "\r\n a:/"[random() % 6]);
      }
    }
    scan_request(head, limits);
  }
}

TEST(ResponseScanner, CompleteHeads) {
  for (const char* line : {"HTTP/1.1 200 OK", "HTTP/1.0 404 Not Found", "HTTP/1.1 200 ", "HTTP/1.1 200",
                           "HTTP/1.1 999 \xfcmlaut\t!", "HTTP/1.1 100 Continue"}) {
    const std::string head = line + "\r\nServer: a\r\n\r\n"s;
    EXPECT_EQ(scan_response(head), complete(head.size())) << line;
    EXPECT_EQ(scan_response(head.substr(0, head.size() - 1)), kMore) << line;
  }
}

TEST(ResponseScanner, InvalidStatusLineIsRefused) {
  for (const char* line : {"\r\nHTTP/1.1 200 OK", "http/1.1 200 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK",
                           "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK",
                           "HTTP/1.1 2x0 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 200\tOK", "HTTP/1.1200 OK",
                           "ICY 200 OK", "<html>", "HTTP/1.1 200 O\x01K", "HTTP/1.1 200 O\x7fK"}) {
    EXPECT_EQ(scan_response(line + "\r\n\r\n"s), refused(Fault::bad_status_line)) << line;
  }
  EXPECT_EQ(scan_response("HTTP/1.1 200 OK\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_response("HTTP/1.1 200\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_response("HTTP/1.1\n"), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_response("HTTP/1.1 200 OK\rX"), refused(Fault::bad_line_end));
}

TEST(ResponseScanner, FieldsAreJudgedAsInRequests) {
  EXPECT_EQ(scan_response(ok(" folded: a\r\n")), refused(Fault::folded_field));
  EXPECT_EQ(scan_response(ok("Content-Length : 1\r\n")), refused(Fault::bad_field_name));
  EXPECT_EQ(scan_response(ok("A: \0\r\n"s)), refused(Fault::bad_field_value));
  EXPECT_EQ(scan_response(ok("A: b\n")), refused(Fault::bad_line_end));
  EXPECT_EQ(scan_response("HTTP/1.1 200 " + std::string(20000, 'x')), refused(Fault::head_too_large));
}

}  // namespace
}  // namespace limpet::wire
