// What a server sees of a request, and who its client is.
#include <gtest/gtest.h>

#include <vector>

#include "proxy/wire/forward.h"
#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

// A peer, and what it is believed.
struct Peer {
  std::string_view address = "198.51.100.7";  // empty: a Unix socket
  std::vector<std::string_view> trusted{};
  bool trust_unix = false;

  ClientIdentity client(const RequestHead& head) const {
    std::vector<Cidr> ranges;
    for (const auto text : trusted) ranges.push_back(Cidr::parse(text).value());
    const IpAddress at = address.empty() ? IpAddress() : ip(address);
    return identify_client(head.fields, address.empty() ? nullptr : &at, ranges, trust_unix);
  }
};
const Peer kStranger;
const Peer kBalancer{"10.0.0.1", {"10.0.0.0/8"}};

std::string forwarded(std::string_view text, const Peer& peer = kStranger, UpstreamHeadOptions options = {}) {
  const Request request(text);
  EXPECT_TRUE(request.ok()) << text;
  const IpAddress at = peer.address.empty() ? IpAddress() : ip(peer.address);
  options.client = peer.client(request.head());
  options.peer = peer.address.empty() ? nullptr : &at;
  std::string out;
  append_upstream_head(out, request.head(), options);
  return out;
}

// The values of all lines with this name, joined by '|'; "-" if there are none.
std::string line(const std::string& head, const std::string& name) {
  std::string values;
  bool any = false;
  for (std::size_t at = 0; (at = head.find("\r\n" + name + ": ", at)) != head.npos;) {
    at += name.size() + 4;
    values += (any ? "|" : "") + head.substr(at, head.find("\r\n", at) - at);
    any = true;
  }
  return any ? values : "-";
}

TEST(UpstreamHead, IsWrittenInFull) {
  EXPECT_EQ(forwarded("POST /a?b=c HTTP/1.1\r\nAccept: */*\r\nHost: a.example:81\r\nx-odd:  1\r\n"
                      "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n",
                      kStranger, {.request_id = "id-1"}),
            "POST /a?b=c HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nx-odd: 1\r\nContent-Length: 5\r\n"
            "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example:81\r\n"
            "X-Real-IP: 198.51.100.7\r\n"
            "Forwarded: for=198.51.100.7;host=\"a.example:81\";proto=http\r\nX-Request-Id: id-1\r\n\r\n");
}

TEST(UpstreamHead, AuthorityOfAnAbsoluteFormReplacesHost) {
  const std::string head = forwarded("GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_TRUE(head.starts_with("GET /x HTTP/1.1\r\nHost: b.example\r\n")) << head;
  EXPECT_EQ(head.find("a.example"), head.npos);
  EXPECT_EQ(line(head, "X-Forwarded-Host"), "b.example");
  EXPECT_TRUE(
      forwarded("GET http://b?x HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET /?x HTTP/1.1\r\nHost: b\r\n"));
}

TEST(UpstreamHead, Http10BecomesHttp11WithAHost) {
  const std::string head = forwarded("GET / HTTP/1.0\r\nExpect: x\r\n\r\n");
  EXPECT_TRUE(head.starts_with("GET / HTTP/1.1\r\nHost: \r\n")) << head;
  EXPECT_EQ(line(head, "X-Forwarded-Host"), "-");
  EXPECT_EQ(line(head, "Expect"), "-");
  EXPECT_EQ(line(head, "Forwarded"), "for=198.51.100.7;proto=http");
}

TEST(UpstreamHead, ExpectIsPassedOn) {
  EXPECT_EQ(line(forwarded(post("Expect: 100-continue\r\nContent-Length: 1\r\n")), "Expect"), "100-continue");
}

TEST(UpstreamHead, HopByHopFieldsEndHere) {
  const std::string head =
      forwarded(get("Connection: close, X-Mine\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"
                    "Proxy-Authorization: Basic x\r\nTE: trailers\r\nTrailer: X-T\r\nUpgrade: h2c\r\nX-Mine: "
                    "1\r\nX-Other: 2\r\n"));
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE",
                           "Trailer", "Upgrade", "X-Mine"}) {
    EXPECT_EQ(line(head, name), "-") << name;
  }
  EXPECT_EQ(line(head, "X-Other"), "2");
}

TEST(UpstreamHead, FramingIsWrittenOnceFromTheDecision) {
  const std::string chunked = forwarded(post("transfer-encoding: Chunked\r\nTrailer: X-T\r\n"));
  EXPECT_EQ(line(chunked, "Transfer-Encoding"), "chunked");
  EXPECT_EQ(line(chunked, "transfer-encoding"), "-");
  EXPECT_EQ(line(chunked, "Trailer"), "X-T");
  EXPECT_EQ(line(forwarded(post("content-length: 007\r\n")), "Content-Length"), "7");
  EXPECT_EQ(line(forwarded(post("Content-Length: 0\r\n")), "Content-Length"), "0");
  EXPECT_EQ(line(forwarded(get("")), "Content-Length"), "-");
}

TEST(UpstreamHead, ConnectionRemovesNothingThatMatters) {
  const std::string head = forwarded(
      get("Connection: Host, Authorization, Cookie, X-Forwarded-For, X-Real-IP, Forwarded, Content-Type, "
          "Content-Encoding, X-Request-Id, Cache-Control, close\r\nAuthorization: a\r\nCookie: b=c\r\n"
          "Content-Type: d\r\nContent-Encoding: e\r\nCache-Control: f\r\n"),
      kStranger, {.request_id = "r"});
  EXPECT_EQ(line(head, "Host"), "a.example");
  EXPECT_EQ(line(head, "Authorization"), "a");
  EXPECT_EQ(line(head, "Cookie"), "b=c");
  EXPECT_EQ(line(head, "Content-Type"), "d");
  EXPECT_EQ(line(head, "Content-Encoding"), "e");
  EXPECT_EQ(line(head, "Cache-Control"), "f");
  EXPECT_EQ(line(head, "X-Forwarded-For"), "198.51.100.7");
  EXPECT_EQ(line(head, "X-Real-IP"), "198.51.100.7");
  EXPECT_EQ(line(head, "X-Request-Id"), "r");
}

TEST(UpstreamHead, WebsocketGetsItsOwnUpgrade) {
  const std::string head =
      forwarded(get("connection: keep-alive, upgrade\r\nupgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"),
                kStranger, {.websocket = true});
  EXPECT_EQ(line(head, "Connection"), "Upgrade");
  EXPECT_EQ(line(head, "Upgrade"), "websocket");
  EXPECT_EQ(line(head, "upgrade"), "-");
  EXPECT_EQ(line(head, "Sec-WebSocket-Version"), "13");
}

TEST(UpstreamHead, AcceptEncodingOfAnOpenIsRemoved) {
  EXPECT_EQ(line(forwarded(get("Accept-Encoding: gzip\r\n")), "Accept-Encoding"), "gzip");
  EXPECT_EQ(line(forwarded(get("Accept-Encoding: gzip\r\n"), kStranger, {.drop_accept_encoding = true}),
                 "Accept-Encoding"),
            "-");
}

TEST(UpstreamHead, AffinityCookieIsRemovedFromEveryCookieField) {
  const UpstreamHeadOptions options{.drop_cookie = "io"};
  EXPECT_EQ(line(forwarded(get("Cookie: a=b; io=1\r\nCookie: io=2\r\nCookie: c=d\r\n"), kStranger, options),
                 "Cookie"),
            "a=b|c=d");
  EXPECT_EQ(line(forwarded(get("Cookie: io=1\r\n"), kStranger, options), "Cookie"), "-");
  EXPECT_EQ(line(forwarded(get("Cookie: a=b;  io=1\r\n")), "Cookie"), "a=b;  io=1");
}

TEST(UpstreamHead, ViaIsOptional) {
  EXPECT_EQ(line(forwarded(get("Via: 1.1 edge\r\n")), "Via"), "1.1 edge");
  EXPECT_EQ(line(forwarded(get("Via: 1.1 edge\r\n"), kStranger, {.via = true}), "Via"),
            "1.1 edge|1.1 limpet");
  EXPECT_EQ(line(forwarded("GET / HTTP/1.0\r\n\r\n", kStranger, {.via = true}), "Via"), "1.0 limpet");
}

constexpr const char* kClaims =
    "X-Forwarded-For: 203.0.113.9, 10.0.0.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n"
    "X-Forwarded-Port: 443\r\nX-Forwarded-Server: s\r\nX-Forwarded-Prefix: /p\r\nX-Client-IP: 1.1.1.1\r\n"
    "True-Client-IP: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX_Forwarded_For: 1.1.1.1\r\n"
    "X-Request-Id: theirs.1\r\n";

TEST(Forwarding, ClaimsOfAStrangerAreReplacedOrRemoved) {
  const std::string head = forwarded(get(kClaims), kStranger, {.scheme = "http", .request_id = "ours"});
  EXPECT_EQ(line(head, "X-Forwarded-For"), "198.51.100.7");
  EXPECT_EQ(line(head, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(line(head, "X-Forwarded-Host"), "a.example");
  EXPECT_EQ(line(head, "X-Real-IP"), "198.51.100.7");
  EXPECT_EQ(line(head, "Forwarded"), "for=198.51.100.7;host=a.example;proto=http");
  EXPECT_EQ(line(head, "X-Request-Id"), "ours");
  for (const char* name : {"X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Client-IP",
                           "True-Client-IP", "X_Forwarded_For"}) {
    EXPECT_EQ(line(head, name), "-") << name;
  }
}

TEST(Forwarding, ClaimsOfABelievedPeerAreKeptAndExtended) {
  const std::string head = forwarded(get(kClaims), kBalancer, {.scheme = "http", .request_id = "ours"});
  EXPECT_EQ(line(head, "X-Forwarded-For"), "203.0.113.9, 10.0.0.2, 10.0.0.1");
  EXPECT_EQ(line(head, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(line(head, "X-Forwarded-Host"), "shop.example");
  EXPECT_EQ(line(head, "X-Forwarded-Port"), "443");
  EXPECT_EQ(line(head, "X-Client-IP"), "1.1.1.1");
  EXPECT_EQ(line(head, "X-Real-IP"), "203.0.113.9");
  EXPECT_EQ(line(head, "Forwarded"), "for=1.1.1.1, for=10.0.0.1;host=a.example;proto=http");
  EXPECT_EQ(line(head, "X_Forwarded_For"), "1.1.1.1");
  EXPECT_EQ(line(head, "X-Request-Id"), "theirs.1");
}

TEST(Forwarding, BelievedPeerThatClaimsNothingIsTheClient) {
  const std::string head = forwarded(get(""), kBalancer);
  EXPECT_EQ(line(head, "X-Forwarded-For"), "10.0.0.1");
  EXPECT_EQ(line(head, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(line(head, "X-Real-IP"), "10.0.0.1");
  EXPECT_EQ(line(head, "Forwarded"), "for=10.0.0.1;host=a.example;proto=http");
}

TEST(Forwarding, ForwardedCarriesTheClientThatXForwardedForNamed) {
  EXPECT_EQ(line(forwarded(get("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"), kBalancer),
                 "Forwarded"),
            "for=203.0.113.9;host=a.example;proto=https, for=10.0.0.1;host=a.example;proto=http");
  EXPECT_EQ(line(forwarded(get("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: b\\\"c\r\n"), kBalancer),
                 "Forwarded"),
            R"(for=203.0.113.9;host="b\\\"c";proto=http, for=10.0.0.1;host=a.example;proto=http)");
}

TEST(Forwarding, SeveralFieldsBecomeOneList) {
  const std::string head = forwarded(
      get("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For:\r\nX-Forwarded-For: 10.9.9.9\r\nForwarded: for=a\r\n"
          "Forwarded: for=b\r\n"),
      kBalancer);
  EXPECT_EQ(line(head, "X-Forwarded-For"), "1.1.1.1, 10.9.9.9, 10.0.0.1");
  EXPECT_EQ(line(head, "Forwarded"), "for=a, for=b, for=10.0.0.1;host=a.example;proto=http");
}

TEST(Forwarding, V6IsQuotedInForwarded) {
  const std::string head = forwarded("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {"2001:db8::7"});
  EXPECT_EQ(line(head, "X-Forwarded-For"), "2001:db8::7");
  EXPECT_EQ(line(head, "Forwarded"), "for=\"[2001:db8::7]\";host=\"[::1]:80\";proto=http");
}

TEST(Forwarding, UnixSocketHasNoAddress) {
  const std::string head = forwarded(get(kClaims), {""});
  EXPECT_EQ(line(head, "X-Forwarded-For"), "-");
  EXPECT_EQ(line(head, "X-Real-IP"), "-");
  EXPECT_EQ(line(head, "Forwarded"), "for=unknown;host=a.example;proto=http");
}

TEST(Forwarding, BelievedUnixSocketNamesItsClient) {
  const Peer peer{"", {"10.0.0.0/8"}, true};
  const std::string head = forwarded(get("X-Forwarded-For: 203.0.113.9\r\n"), peer);
  EXPECT_EQ(line(head, "X-Forwarded-For"), "203.0.113.9");
  EXPECT_EQ(line(head, "X-Real-IP"), "203.0.113.9");
  EXPECT_EQ(line(head, "Forwarded"),
            "for=203.0.113.9;host=a.example;proto=http, for=unknown;host=a.example;proto=http");
  EXPECT_EQ(line(forwarded(get(""), peer), "X-Real-IP"), "-");
}

TEST(Forwarding, RequestIdOfABelievedPeerMustBeClean) {
  const auto id = [](const std::string& theirs) {
    return line(forwarded(get("X-Request-Id: " + theirs + "\r\n"), kBalancer, {.request_id = "ours"}),
                "X-Request-Id");
  };
  EXPECT_EQ(id("aZ9._-"), "aZ9._-");
  EXPECT_EQ(id(std::string(128, 'a')), std::string(128, 'a'));
  EXPECT_EQ(id(std::string(129, 'a')), "ours");
  EXPECT_EQ(id(""), "ours");
  EXPECT_EQ(id("a b"), "ours");
  EXPECT_EQ(id("a\"b"), "ours");
  EXPECT_EQ(line(forwarded(get("")), "X-Request-Id"), "-");
}

std::string client(std::string_view lines, const Peer& peer = kBalancer) {
  const Request request(get(lines));
  const ClientIdentity identity = peer.client(request.head());
  return identity.known ? identity.address.text() : "unknown";
}

TEST(ClientIdentity, StrangersSpeakForThemselves) {
  EXPECT_EQ(client("X-Forwarded-For: 1.1.1.1\r\n", kStranger), "198.51.100.7");
  EXPECT_FALSE(kStranger.client(Request(get("")).head()).believed_peer);
  EXPECT_EQ(client("X-Forwarded-For: 1.1.1.1\r\n", {""}), "unknown");
}

TEST(ClientIdentity, IsReadFromRightToLeftThroughTrustedRanges) {
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1, 10.2.2.2\r\n"), "203.0.113.9");
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1\r\n"), "203.0.113.9");
  EXPECT_EQ(client("X-Forwarded-For: 10.1.1.1, 10.2.2.2\r\n"), "10.1.1.1");
  EXPECT_EQ(client("X-Forwarded-For: 2001:db8::9\r\n"), "2001:db8::9");
  EXPECT_EQ(client("X-Forwarded-For: ::ffff:10.1.1.1\r\n"), "10.1.1.1");
  EXPECT_EQ(client(""), "10.0.0.1");
}

TEST(ClientIdentity, GarbageStopsTheWalk) {
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6, unknown\r\n"), "10.0.0.1");
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6, _hidden, 10.1.1.1\r\n"), "10.1.1.1");
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3\r\n"), "10.0.0.1");
  for (const char* entry : {"1.1.1.1:", "1.1.1.1:x", "1.1.1.1:123456", "[1.1.1.1]", "[::1", "[::1]x",
                            "::1%eth0", "\"1.1.1.1\"", "1.1.1.1 2.2.2.2"}) {
    EXPECT_EQ(client("X-Forwarded-For: "s + entry + "\r\n"), "10.0.0.1") << entry;
  }
}

TEST(ClientIdentity, PortsAndEmptyElementsAreTolerated) {
  EXPECT_EQ(client("X-Forwarded-For: 203.0.113.9:4711\r\n"), "203.0.113.9");
  EXPECT_EQ(client("X-Forwarded-For: [2001:db8::9]:4711, , 10.1.1.1,\r\n"), "2001:db8::9");
  EXPECT_EQ(client("X-Forwarded-For: [2001:db8::9]\r\n"), "2001:db8::9");
}

TEST(ClientIdentity, TrustedUnixSocketIsReadToo) {
  EXPECT_EQ(client("X-Forwarded-For: 203.0.113.9\r\n", {"", {}, true}), "203.0.113.9");
  EXPECT_EQ(client("X-Forwarded-For: junk\r\n", {"", {}, true}), "unknown");
}

}  // namespace
}  // namespace limpet::wire
