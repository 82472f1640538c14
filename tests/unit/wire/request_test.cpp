// parse_request(): framing, Host, targets, Expect (RFC 9110, RFC 9112).
#include <gtest/gtest.h>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

TEST(RequestHead, OriginFormIsTakenApart) {
  const Request request(
      "GET /a/b?EIO=4&x=y HTTP/1.1\r\nHost: A.example:8080\r\nX-Odd:  v \t\r\nEmpty:\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->line, "GET /a/b?EIO=4&x=y HTTP/1.1");
  EXPECT_EQ(request->method, Method::get);
  EXPECT_EQ(request->target, "/a/b?EIO=4&x=y");
  EXPECT_EQ(request->path, "/a/b");
  EXPECT_EQ(request->query, "EIO=4&x=y");
  EXPECT_EQ(request->authority, "A.example:8080");
  EXPECT_EQ(request->host, "A.example");
  ASSERT_EQ(request->fields.size(), 3u);
  EXPECT_EQ(request->fields[1].name, "X-Odd");
  EXPECT_EQ(request->fields[1].value, "v");
  EXPECT_EQ(request->fields[1].id, FieldId::other);
  EXPECT_EQ(request->fields[2].value, "");
  EXPECT_EQ(request->body.kind, BodyKind::none);
  EXPECT_TRUE(request->keep_alive);
  EXPECT_FALSE(request->absolute);
  EXPECT_FALSE(request->upgrade);
}

TEST(RequestHead, HighBytesAndTabsInAValueAndNamesInOddCaseGoThrough) {
  const Request request("GET / HTTP/1.1\r\nhOsT: a\r\nX: a\tb\xff\r\ncOnTeNt-lEnGtH: 3\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->fields[1].value, "a\tb\xff");
  EXPECT_EQ(request->body.length, 3u);
}

TEST(RequestHead, AnyTokenIsAMethod) {
  for (const char* method :
       {"PROPFIND", "FOOBAR", "M-SEARCH", "get", "SOURCE", "ANNOUNCE", "x!#$%&'*+-.^_`|~9"}) {
    const Request request(method + " /a HTTP/1.1\r\nHost: a\r\n\r\n"s);
    ASSERT_TRUE(request.ok()) << method;
    EXPECT_EQ(request->method, Method::other) << method;
    EXPECT_EQ(request->method_text, method);
  }
  EXPECT_EQ(Request(post("")).head().method, Method::post);
  EXPECT_EQ(Request("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")->method, Method::del);
  EXPECT_EQ(Request("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")->method, Method::trace);
}

TEST(RequestHead, ConnectIsNotServed) {
  EXPECT_EQ(request_fault("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), Fault::method_unsupported);
  EXPECT_EQ(status_of(Fault::method_unsupported), 405);
}

TEST(RequestHead, AbsoluteFormIsReducedAndItsAuthorityWins) {
  const Request request("GET HTTP://B.example:81/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_TRUE(request->absolute);
  EXPECT_EQ(request->target, "/x?y");
  EXPECT_EQ(request->path, "/x");
  EXPECT_EQ(request->query, "y");
  EXPECT_EQ(request->authority, "B.example:81");
  EXPECT_EQ(request->host, "B.example");
}

TEST(RequestHead, AbsoluteFormWithoutAPathMeansTheRoot) {
  EXPECT_EQ(Request("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")->target, "/");
  EXPECT_EQ(Request("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n")->target, "*");
  const Request query("GET https://a?b HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->path, "/");
  EXPECT_EQ(query->query, "b");
}

TEST(RequestHead, AbsoluteFormIsRefusedWithABadAuthorityOrHost) {
  EXPECT_EQ(request_fault("GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n"), Fault::bad_host);
  EXPECT_EQ(request_fault("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"), Fault::bad_host);
  EXPECT_EQ(request_fault("GET http://b:99999/ HTTP/1.1\r\nHost: a\r\n\r\n"), Fault::bad_host);
  EXPECT_EQ(request_fault("GET http://b/ HTTP/1.1\r\nHost: a, c\r\n\r\n"), Fault::bad_host);
  EXPECT_EQ(request_fault("GET http://b/ HTTP/1.1\r\n\r\n"), Fault::no_host);
}

TEST(RequestHead, AsteriskIsForOptionsAlone) {
  const Request options("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->path, "*");
  EXPECT_EQ(request_fault("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), Fault::bad_target);
}

TEST(RequestHead, OtherTargetFormsAreRefused) {
  for (const char* target : {"a", "a.example:443", "ftp://a/", "http:/a", "?a", "*a", "ws://a/"}) {
    EXPECT_EQ(request_fault("OPTIONS "s + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), Fault::bad_target)
        << target;
  }
}

TEST(RequestHead, HostIsOneHostWithAnOptionalPort) {
  for (const char* host :
       {"a", "a.example.", "a_b-c.example", "10.0.0.1", "10.0.0.1:80", "a:0", "a:65535", "a:", "[::1]",
        "[2001:db8::1]:8080", "[::ffff:10.0.0.1]", "a%20b", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(Request("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n").ok()) << host;
  }
  for (const char* host :
       {"a, b",       "a,b",          "a b",      "u@a",     "u:p@a", "a:65536", "a:-1",
        "a:+80",      "a:8o",         "a:000080", "a:80:80", ":80",   "[::1",    "::1",
        "[10.0.0.1]", "[::1%25eth0]", "[::1]80",  "[::1]:x", "a/b",   "a?b",     "a\\b",
        "a\"b",       "a%2",          "a%zz",     "a\xff",   "<a>",   "[]",      "[v1.x]"}) {
    EXPECT_EQ(request_fault("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n"), Fault::bad_host) << host;
  }
  EXPECT_EQ(Request("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")->host, "::1");
  // socket.io-client in Node.js, whose URL was http://[::1]:18080
  EXPECT_EQ(Request("GET / HTTP/1.1\r\nHost: ::1:18080\r\n\r\n")->host, "::1");
}

TEST(RequestHead, HostIsThereOnce) {
  EXPECT_EQ(request_fault("GET / HTTP/1.1\r\n\r\n"), Fault::no_host);
  EXPECT_EQ(request_fault("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), Fault::bad_host);
  EXPECT_EQ(request_fault("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), Fault::bad_host);
  EXPECT_TRUE(Request("GET / HTTP/1.0\r\n\r\n").ok());
}

TEST(RequestHead, EmptyHostIsAcceptedWhereTheTargetHasNoAuthority) {
  const Request request("GET / HTTP/1.1\r\nHost:\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->authority, "");
  EXPECT_EQ(Request("GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n")->authority, "b");
}

TEST(RequestFraming, ContentLengthIsOneDecimalNumber) {
  EXPECT_EQ(Request(post("Content-Length: 0\r\n"))->body.kind, BodyKind::length);
  EXPECT_EQ(Request(post("Content-Length: 00012\r\n"))->body.length, 12u);
  EXPECT_EQ(Request(post("Content-Length: 9223372036854775807 \r\n"))->body.length, 9223372036854775807u);
  for (const char* value : {"", "+1", "-1", "1 2", "0x1", "1a", "1,1", "1, 1", "9223372036854775808", "1.0",
                            "18446744073709551616", "99999999999999999999999", "\"1\"", "1;1", "\xb2"}) {
    EXPECT_EQ(request_fault(post("Content-Length: "s + value + "\r\n")), Fault::bad_content_length) << value;
  }
}

TEST(RequestFraming, TwoLengthsAreRefusedEvenIfTheyAgree) {
  EXPECT_EQ(request_fault(post("Content-Length: 1\r\nContent-Length: 2\r\n")), Fault::bad_content_length);
  EXPECT_EQ(request_fault(post("Content-Length: 1\r\nContent-Length: 1\r\n")), Fault::bad_content_length);
}

TEST(RequestFraming, ChunkedIsTheOnlyCoding) {
  for (const char* value : {"chunked", "Chunked", "CHUNKED", " chunked "}) {
    EXPECT_EQ(Request(post("Transfer-Encoding: "s + value + "\r\n"))->body.kind, BodyKind::chunked) << value;
  }
  for (const char* value :
       {"", "identity", "xchunked", "chunkedx", "chunked, chunked", "chunked, gzip", "gzip", "chunked,",
        ",chunked", "chunked;q=1", "\"chunked\"", "chunked, identity", "gzip, x", "chunked chunked",
        "x, chunked", "gzip, chunked,", ", gzip, chunked"}) {
    EXPECT_EQ(request_fault(post("Transfer-Encoding: "s + value + "\r\n")), Fault::bad_transfer_encoding)
        << value;
  }
  EXPECT_EQ(request_fault(post("Transfer-Encoding: \x0b"
                               "chunked\r\n")),
            Fault::bad_field_value);
}

TEST(RequestFraming, KnownCodingsBeforeChunkedAreNotImplemented) {
  for (const char* value : {"gzip, chunked", "deflate,chunked", "x-compress, gzip, chunked"}) {
    EXPECT_EQ(request_fault(post("Transfer-Encoding: "s + value + "\r\n")), Fault::coding_unsupported)
        << value;
  }
  EXPECT_EQ(status_of(Fault::coding_unsupported), 501);
}

TEST(RequestFraming, TransferEncodingTwiceOrInHttp10IsRefused) {
  EXPECT_EQ(request_fault(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            Fault::bad_transfer_encoding);
  EXPECT_EQ(request_fault(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")),
            Fault::bad_transfer_encoding);
  EXPECT_EQ(request_fault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Fault::bad_transfer_encoding);
}

TEST(RequestFraming, ContentLengthBesideTransferEncodingIsRefusedInAnyOrderAlsoWhenEmpty) {
  for (const char* lines :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding:\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: identity\r\n"}) {
    EXPECT_EQ(request_fault(post(lines)), Fault::length_and_coding) << lines;
  }
  EXPECT_EQ(status_of(request_fault(post("Transfer-Encoding:\r\nContent-Length: 3\r\n"))), 400);
}

TEST(RequestFraming, BodyOfGetAndHeadIsFramed) {
  EXPECT_EQ(Request(get("Content-Length: 3\r\n"))->body.length, 3u);
  EXPECT_EQ(Request("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")->body.kind,
            BodyKind::chunked);
}

TEST(RequestConnection, KeepAliveFollowsVersionAndOptions) {
  EXPECT_TRUE(Request(get(""))->keep_alive);
  EXPECT_FALSE(Request(get("Connection: close\r\n"))->keep_alive);
  EXPECT_FALSE(Request(get("Connection: keep-alive\r\nConnection: x, CLOSE\r\n"))->keep_alive);
  EXPECT_FALSE(Request("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  EXPECT_TRUE(Request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
}

TEST(RequestConnection, UpgradeNeedsOptionAndField) {
  EXPECT_TRUE(Request(get("Connection: keep-alive, UPGRADE\r\nupgrade: h2c\r\n"))->upgrade);
  EXPECT_FALSE(Request(get("Connection: upgrade\r\n"))->upgrade);
  EXPECT_FALSE(Request(get("Upgrade: websocket\r\n"))->upgrade);
}

TEST(RequestConnection, NamingAFramingFieldIsRefused) {
  EXPECT_EQ(request_fault(post("Connection: close, Content-Length\r\nContent-Length: 1\r\n")),
            Fault::bad_connection);
  EXPECT_EQ(request_fault(post("Connection: transfer-encoding\r\n")), Fault::bad_connection);
}

TEST(RequestConnection, OptionsHaveABound) {
  std::string options = "close";
  for (int i = 1; i < 32; ++i) options += ",x";
  EXPECT_TRUE(Request(get("Connection: " + options + "\r\n")).ok());
  EXPECT_EQ(request_fault(get("Connection: " + options + ",y\r\n")), Fault::bad_connection);
}

TEST(RequestExpect, OnlyContinueCanBeMet) {
  EXPECT_TRUE(Request(post("Expect: 100-Continue\r\nContent-Length: 1\r\n"))->expect_continue);
  EXPECT_FALSE(Request(post(""))->expect_continue);
  for (const char* value : {"", "200-ok", "100-continue, x"}) {
    EXPECT_EQ(request_fault(post("Expect: "s + value + "\r\n")), Fault::expectation_failed) << value;
  }
  EXPECT_EQ(status_of(Fault::expectation_failed), 417);
}

TEST(RequestExpect, IsIgnoredInHttp10) {
  const Request request("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_FALSE(request->expect_continue);
}

TEST(RequestHead, FieldListIsReusedWithoutGrowing) {
  FieldList fields;
  const std::string head = get("A: 1\r\nB: 2\r\nC: 3\r\n");
  parse_request(head, fields);
  const auto capacity = fields.capacity();
  const auto* place = fields.data();
  for (int i = 0; i < 10; ++i) parse_request(head, fields);
  EXPECT_EQ(fields.capacity(), capacity);
  EXPECT_EQ(fields.data(), place);
}

TEST(RequestHead, BytesThatNoScannerSawAreRefusedToo) {
  FieldList fields;
  for (const char* head :
       {"", "GET", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.2\r\n\r\n", " / HTTP/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHo st: a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n"}) {
    EXPECT_TRUE(std::holds_alternative<Fault>(parse_request(head, fields))) << head;
  }
}

}  // namespace
}  // namespace limpet::wire
