// What a client sees of an answer.
#include <gtest/gtest.h>

#include "proxy/wire/forward.h"
#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

std::string relayed(std::string_view text, const ClientHeadOptions& options = {},
                    ClientHeadResult* result = nullptr) {
  const Response response(text, options.method, options.websocket);
  EXPECT_TRUE(response.ok()) << text;
  std::string out;
  const ClientHeadResult seen = append_client_head(out, response.head(), options);
  if (result != nullptr) *result = seen;
  return out;
}

TEST(ClientHead, IsHttp11WithTheServersReason) {
  EXPECT_EQ(relayed("HTTP/1.0 404 Nicht da\r\nServer: x\r\nContent-Length: 3\r\n\r\n"),
            "HTTP/1.1 404 Nicht da\r\nServer: x\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(relayed("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
            "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
}

TEST(ClientHead, HopByHopFieldsEndHere) {
  EXPECT_EQ(
      relayed(ok("Connection: close, X-Mine\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
                 "Upgrade: h2c\r\nTE: x\r\nTrailer: X-T\r\nX-Mine: 1\r\nContent-Length: 1\r\nDate: d\r\n")),
      "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 1\r\n\r\n");
}

TEST(ClientHead, ConnectionIsOurs) {
  const std::string answer = ok("Content-Length: 0\r\nConnection: keep-alive\r\n");
  EXPECT_EQ(relayed(answer), ok("Content-Length: 0\r\n"));
  EXPECT_EQ(relayed(answer, {.close = true}), ok("Content-Length: 0\r\nConnection: close\r\n"));
  EXPECT_EQ(relayed(answer, {.client_minor = 0}), ok("Content-Length: 0\r\nConnection: keep-alive\r\n"));
  EXPECT_EQ(relayed(answer, {.client_minor = 0, .close = true}),
            ok("Content-Length: 0\r\nConnection: close\r\n"));
}

TEST(ClientHead, ChunkedIsKeptOrEndsWithTheConnection) {
  const std::string answer = ok("Transfer-Encoding: chunked\r\nTrailer: X-T\r\n");
  EXPECT_EQ(relayed(answer), ok("Trailer: X-T\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(relayed(answer, {.client_minor = 0, .close = true, .dechunk = true}),
            ok("Connection: close\r\n"));
  EXPECT_EQ(relayed(ok(""), {.close = true}), ok("Connection: close\r\n"));
}

TEST(ClientHead, LengthWithoutABodyIsKeptWhereItMeansSomething) {
  EXPECT_EQ(relayed(ok("Content-Length: 5\r\n"), {.method = Method::head}), ok("Content-Length: 5\r\n"));
  EXPECT_EQ(relayed(ok("Transfer-Encoding: chunked\r\n"), {.method = Method::head}), ok(""));
  EXPECT_EQ(relayed("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(relayed("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(relayed("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", {.method = Method::head}),
            "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(ClientHead, SwitchingIsWrittenByUs) {
  EXPECT_EQ(relayed("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n"
                    "Sec-WebSocket-Accept: x\r\n\r\n",
                    {.websocket = true, .set_cookie = "io=ws1; Path=/"}),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSet-Cookie: io=ws1; Path=/\r\n\r\n");
}

TEST(ClientHead, OurCookieReplacesTheServersOwn) {
  ClientHeadResult result;
  EXPECT_EQ(relayed(ok("Set-Cookie: io=theirs; Path=/\r\nSet-Cookie: a=b\r\nCache-Control: "
                       "public\r\nContent-Length: 0\r\n"),
                    {.private_no_store = true, .set_cookie = "io=ws1", .replace_cookie = "io"}, &result),
            ok("Set-Cookie: a=b\r\nContent-Length: 0\r\nSet-Cookie: io=ws1\r\n"
               "Cache-Control: private, no-store\r\n"));
  EXPECT_TRUE(result.server_cookie_dropped);
  EXPECT_FALSE(result.cookie_rewritten);
}

TEST(ClientHead, ServersCookieIsRewritten) {
  ClientHeadResult result;
  EXPECT_EQ(
      relayed(ok("Set-Cookie: io=secret; Path=/; HttpOnly\r\nSet-Cookie: iox=1\r\nContent-Length: 0\r\n"),
              {.replace_cookie = "io", .rewrite_value = "ws2"}, &result),
      ok("Set-Cookie: io=ws2; Path=/; HttpOnly\r\nSet-Cookie: iox=1\r\nContent-Length: 0\r\n"));
  EXPECT_TRUE(result.cookie_rewritten);
  EXPECT_FALSE(result.server_cookie_dropped);
}

TEST(ClientHead, WithoutAffinityCookiesPassUntouched) {
  ClientHeadResult result;
  EXPECT_EQ(relayed(ok("Set-Cookie: io=theirs\r\nSet-Cookie: broken\r\nContent-Length: 0\r\n"), {}, &result),
            ok("Set-Cookie: io=theirs\r\nSet-Cookie: broken\r\nContent-Length: 0\r\n"));
  EXPECT_FALSE(result.server_cookie_dropped || result.cookie_rewritten);
}

TEST(ClientHead, ViaIsOptional) {
  EXPECT_EQ(relayed(ok("Content-Length: 0\r\n"), {.via_pseudonym = "limpet"}),
            ok("Content-Length: 0\r\nVia: 1.1 limpet\r\n"));
}

TEST(InterimHead, CarriesFieldsButNoFraming) {
  const Response hints(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  std::string out;
  append_interim_head(out, hints.head());
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
}

// A head that we wrote is one that we would accept, with the framing that was decided.
TEST(ForwardedHeads, AreCleanThemselves) {
  for (const char* lines :
       {"", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Connection: a,b\r\nA: 1\r\n"}) {
    const Request request(post(lines));
    std::string out;
    const IpAddress peer;
    append_upstream_head(out, request.head(), {.client = {peer, true, false}, .peer = &peer});
    const Request again(out);
    ASSERT_TRUE(again.ok()) << out;
    EXPECT_EQ(again->body.kind, request->body.kind);
    EXPECT_EQ(again->body.length, request->body.length);
  }
}

}  // namespace
}  // namespace limpet::wire
