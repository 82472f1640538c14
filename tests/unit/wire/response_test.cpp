// parse_response(): the body that follows, and whether the connection may be used again.
#include <gtest/gtest.h>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

TEST(ResponseHead, StatusLineIsTakenApart) {
  const Response response("HTTP/1.1 404 Not  Found\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->line, "HTTP/1.1 404 Not  Found");
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->reason, "Not  Found");
  EXPECT_EQ(response->minor, 1);
  EXPECT_EQ(response->body.kind, BodyKind::length);
  EXPECT_EQ(response->body.length, 5u);
  EXPECT_TRUE(response->keep_alive);
  EXPECT_EQ(Response("HTTP/1.0 200\r\n\r\n")->reason, "");
  EXPECT_EQ(Response("HTTP/1.0 200 \r\n\r\n")->minor, 0);
}

TEST(ResponseFraming, WithoutLengthTheBodyLastsUntilClose) {
  const Response response(ok(""));
  EXPECT_EQ(response->body.kind, BodyKind::until_close);
  EXPECT_FALSE(response->keep_alive);
}

TEST(ResponseFraming, ChunkedIsRead) {
  const Response response(ok("Transfer-Encoding: Chunked\r\n"));
  EXPECT_EQ(response->body.kind, BodyKind::chunked);
  EXPECT_TRUE(response->keep_alive);
}

TEST(ResponseFraming, WhatIsRefused) {
  EXPECT_EQ(response_fault(ok("Content-Length: 1\r\nContent-Length: 2\r\n")), Fault::bad_content_length);
  EXPECT_EQ(response_fault(ok("Content-Length: 1, 2\r\n")), Fault::bad_content_length);
  EXPECT_EQ(response_fault(ok("Content-Length: -1\r\n")), Fault::bad_content_length);
  EXPECT_EQ(response_fault(ok("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
            Fault::length_and_coding);
  EXPECT_EQ(response_fault(ok("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")),
            Fault::length_and_coding);
  EXPECT_EQ(response_fault(ok("Transfer-Encoding: chunked, chunked\r\n")), Fault::bad_transfer_encoding);
  EXPECT_EQ(response_fault(ok("Transfer-Encoding: identity\r\n")), Fault::bad_transfer_encoding);
  EXPECT_EQ(response_fault(ok("Transfer-Encoding: gzip, chunked\r\n")), Fault::coding_unsupported);
  EXPECT_EQ(response_fault("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Fault::bad_transfer_encoding);
  EXPECT_EQ(response_fault(ok("Connection: content-length\r\nContent-Length: 1\r\n")), Fault::bad_connection);
}

TEST(ResponseFraming, HeadAndNotModifiedNameALengthWithoutABody) {
  const Response head(ok("Content-Length: 5\r\n"), Method::head);
  EXPECT_EQ(head->body.kind, BodyKind::none);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_TRUE(Response(ok("Transfer-Encoding: chunked\r\n"), Method::head)->keep_alive);
  EXPECT_TRUE(Response(ok(""), Method::head)->keep_alive);
  const Response unchanged("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(unchanged->body.kind, BodyKind::none);
  EXPECT_TRUE(unchanged->keep_alive);
}

TEST(ResponseFraming, BodyWhereNoneMayBeEndsTheConnection) {
  EXPECT_TRUE(Response("HTTP/1.1 204 No Content\r\n\r\n")->keep_alive);
  EXPECT_TRUE(Response("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")->keep_alive);
  EXPECT_EQ(response_fault("HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n"), Fault::unexpected_body);
  EXPECT_EQ(response_fault("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Fault::unexpected_body);
  for (const char* head : {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n"}) {
    const Response response(head);
    ASSERT_TRUE(response.ok()) << head;
    EXPECT_EQ(response->body.kind, BodyKind::none) << head;
    EXPECT_FALSE(response->keep_alive) << head;
  }
}

TEST(ResponseFraming, InterimAnswersHaveNoBody) {
  const Response response("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(response->body.kind, BodyKind::none);
  EXPECT_TRUE(response->keep_alive);
}

TEST(ResponseUpgrade, SwitchingIsForWhoAsked) {
  const char* head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  EXPECT_EQ(response_fault(head), Fault::unexpected_upgrade);
  const Response response(head, Method::get, true);
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(response->upgrade);
  EXPECT_EQ(response->body.kind, BodyKind::none);
}

TEST(ResponseUpgrade, OtherAnswersToAnUpgradeAreOrdinary) {
  const Response response("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\n\r\n",
                          Method::get, true);
  EXPECT_EQ(response->body.length, 3u);
  EXPECT_FALSE(response->keep_alive);
  EXPECT_FALSE(response->upgrade);
}

TEST(ResponseConnection, Http10StaysOpenOnlyIfItSaysSoAndHasALength) {
  EXPECT_FALSE(Response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n")->keep_alive);
  EXPECT_TRUE(Response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
  EXPECT_FALSE(Response("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
}

TEST(ResponseConnection, AnnouncedTimeoutIsRead) {
  const auto seconds = [](const char* value) {
    return Response(ok("Content-Length: 0\r\nKeep-Alive: "s + value + "\r\n"))->keep_alive_timeout_s;
  };
  EXPECT_EQ(seconds("timeout=5"), 5u);
  EXPECT_EQ(seconds("max=100, Timeout=65"), 65u);
  EXPECT_EQ(seconds("timeout=99999999999999"), UINT32_MAX);
  EXPECT_EQ(seconds("timeout=0"), 0u);
  EXPECT_EQ(seconds("timeout=-1"), std::nullopt);
  EXPECT_EQ(seconds("max=3"), std::nullopt);
  EXPECT_EQ(Response(ok(""))->keep_alive_timeout_s, std::nullopt);
}

TEST(ResponseHead, BytesThatNoScannerSawAreRefusedToo) {
  FieldList fields;
  for (const char* head :
       {"", "HTTP/1.1 200 OK", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 020 X\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 200 \x01\r\n\r\n", "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"}) {
    EXPECT_TRUE(std::holds_alternative<Fault>(parse_response(head, Method::get, false, fields))) << head;
  }
}

}  // namespace
}  // namespace limpet::wire
