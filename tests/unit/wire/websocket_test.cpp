// The WebSocket opening handshake (RFC 6455, 4), from both sides.
#include "proxy/wire/websocket.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3

struct Ask {
  std::string line = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1";
  std::string connection = "Connection: Upgrade\r\n";
  std::string upgrade = "Upgrade: websocket\r\n";
  std::string key = "Sec-WebSocket-Key: "s + kKey + "\r\n";
  std::string version = "Sec-WebSocket-Version: 13\r\n";
  std::string more{};
  std::string text() const {
    return line + "\r\nHost: a.example\r\n" + connection + upgrade + key + version + more + "\r\n";
  }
};

std::optional<Fault> check(const Ask& ask) {
  const Request request(ask.text());
  EXPECT_TRUE(request.ok()) << ask.text();
  return check_handshake(request.head());
}

TEST(Handshake, ValidOnesPass) {
  EXPECT_EQ(check({}), std::nullopt);
  EXPECT_EQ(check({.connection = "cOnNeCtIoN: keep-alive, uPgRaDe\r\n", .upgrade = "UPGRADE: WebSocket\r\n"}),
            std::nullopt);
  EXPECT_EQ(check({.more = "Sec-WebSocket-Protocol: chat, super-chat\r\nSec-WebSocket-Protocol: x\r\n"}),
            std::nullopt);
  EXPECT_EQ(check({.more = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"}),
            std::nullopt);
  EXPECT_EQ(check({.more = "Content-Length: 0\r\n"}), std::nullopt);
}

TEST(Handshake, IsAGetInHttp11WithoutABody) {
  EXPECT_EQ(check({.line = "POST / HTTP/1.1"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.line = "HEAD / HTTP/1.1"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.line = "GET / HTTP/1.0"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.more = "Content-Length: 1\r\n"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.more = "Transfer-Encoding: chunked\r\n"}), Fault::bad_upgrade);
}

TEST(Handshake, NamesWebsocketOnceAndAlone) {
  EXPECT_EQ(check({.upgrade = "Upgrade: websocket, h2c\r\n"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.upgrade = "Upgrade: h2c\r\n"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.upgrade = "Upgrade: websocket\r\nUpgrade: websocket\r\n"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.upgrade = "Upgrade: websockets\r\n"}), Fault::bad_upgrade);
  EXPECT_EQ(check({.upgrade = ""}), Fault::bad_upgrade);
  EXPECT_EQ(check({.connection = "Connection: keep-alive\r\n"}), Fault::bad_upgrade);
}

TEST(Handshake, SpeaksVersion13) {
  EXPECT_EQ(check({.version = "Sec-WebSocket-Version: 8\r\n"}), Fault::version_not_13);
  EXPECT_EQ(check({.version = "Sec-WebSocket-Version: 13, 8\r\n"}), Fault::version_not_13);
  EXPECT_EQ(check({.version = "Sec-WebSocket-Version:\r\n"}), Fault::version_not_13);
  EXPECT_EQ(check({.version = ""}), Fault::bad_upgrade);
  EXPECT_EQ(check({.version = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n"}),
            Fault::bad_upgrade);
}

TEST(Handshake, HasOneKeyOf16Bytes) {
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZVE=", "dGhlIHNhbXBsZSBub25j*Q==",
        "dGhlIHNhbXBsZSBub25j=Q==", "dGhlIHNhbXBsZSBub25j-Q==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(check({.key = "Sec-WebSocket-Key: "s + key + "\r\n"}), Fault::bad_upgrade) << key;
  }
  const std::string one = "Sec-WebSocket-Key: "s + kKey + "\r\n";
  EXPECT_EQ(check({.key = one + one}), Fault::bad_upgrade);
  EXPECT_EQ(check({.key = ""}), Fault::bad_upgrade);
  EXPECT_EQ(check({.key = "Sec-WebSocket-Key: +/+/+/+/+/+/+/+/+/+/+w==\r\n"}), std::nullopt);
}

TEST(Handshake, SubprotocolsAreTokens) {
  for (const char* value : {"", ",", "a b", "a, b/c", "\"a\""}) {
    EXPECT_EQ(check({.more = "Sec-WebSocket-Protocol: "s + value + "\r\n"}), Fault::bad_upgrade) << value;
  }
}

TEST(Upgrades, WebsocketIsAskedForByNameAndOption) {
  const auto asks = [](const Ask& ask) { return asks_websocket(Request(ask.text()).head()); };
  EXPECT_TRUE(asks({}));
  EXPECT_TRUE(asks({.upgrade = "Upgrade: h2c, WebSocket\r\n"}));
  EXPECT_TRUE(asks({.upgrade = "Upgrade: h2c\r\nUpgrade: websocket\r\n"}));
  EXPECT_FALSE(asks({.upgrade = "Upgrade: h2c\r\n"}));
  EXPECT_FALSE(asks({.upgrade = ""}));
  EXPECT_FALSE(asks({.connection = ""}));
}

TEST(Accept, IsTheExampleOfTheRfc) {
  EXPECT_EQ(accept_for(kKey), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

struct Answer {
  std::string line = "HTTP/1.1 101 Switching Protocols";
  std::string connection = "Connection: Upgrade\r\n";
  std::string upgrade = "Upgrade: websocket\r\n";
  std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  std::string more{};
  std::string text() const { return line + "\r\n" + connection + upgrade + accept + more + "\r\n"; }
};

std::optional<Fault> judge(const Answer& answer, const Ask& ask = {}) {
  const Request request(ask.text());
  const Response response(answer.text(), Method::get, true);
  EXPECT_TRUE(response.ok()) << answer.text();
  return check_switching(response.head(), offer_of(request.head()));
}

TEST(Switching, ValidOnesPass) {
  EXPECT_EQ(judge({}), std::nullopt);
  EXPECT_EQ(judge({.connection = "Connection: keep-alive, UPGRADE\r\n", .upgrade = "Upgrade: WebSocket\r\n"}),
            std::nullopt);
  EXPECT_EQ(judge({.more = "X-Anything: a\r\nSec-WebSocket-Extensions:\r\n"}), std::nullopt);
}

TEST(Switching, NamesItsUpgradeExactly) {
  EXPECT_EQ(judge({.connection = ""}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.connection = "Connection: close\r\n"}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.upgrade = ""}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.upgrade = "Upgrade: h2c\r\n"}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.upgrade = "Upgrade: websocket, h2c\r\n"}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.upgrade = "Upgrade: websocket\r\nUpgrade: websocket\r\n"}), Fault::upgrade_mismatch);
}

TEST(Switching, AcceptAnswersTheKey) {
  EXPECT_EQ(judge({.accept = ""}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.accept = "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"}),
            Fault::upgrade_mismatch);
  const std::string right = Answer{}.accept;
  EXPECT_EQ(judge({.accept = right + right}), Fault::upgrade_mismatch);
}

TEST(Switching, SubprotocolWasOffered) {
  const Ask ask{.more = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: v2, v3\r\n"};
  const auto answered = [&](const char* lines) { return judge({.more = lines}, ask); };
  EXPECT_EQ(answered(""), std::nullopt);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol: v3\r\n"), std::nullopt);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol: V3\r\n"), Fault::upgrade_mismatch);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol: v4\r\n"), Fault::upgrade_mismatch);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol:\r\n"), Fault::upgrade_mismatch);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol: v2, v3\r\n"), Fault::upgrade_mismatch);
  EXPECT_EQ(answered("Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Protocol: v2\r\n"),
            Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.more = "Sec-WebSocket-Protocol: v2\r\n"}), Fault::upgrade_mismatch);
}

TEST(Switching, EveryExtensionWasOffered) {
  const Ask ask{.more = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-a\r\n"};
  const auto answered = [&](const char* value) {
    return judge({.more = "Sec-WebSocket-Extensions: "s + value + "\r\n"}, ask);
  };
  EXPECT_EQ(answered("permessage-deflate; server_no_context_takeover"), std::nullopt);
  EXPECT_EQ(answered("Permessage-Deflate;a=1, x-a"), std::nullopt);
  EXPECT_EQ(answered("permessage-deflate, x-b"), Fault::upgrade_mismatch);
  EXPECT_EQ(answered("permessage-deflat"), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.more = "Sec-WebSocket-Extensions: permessage-deflate\r\n"}), Fault::upgrade_mismatch);
}

TEST(Switching, HasNoFramingAndIsA101) {
  EXPECT_EQ(judge({.more = "Content-Length: 0\r\n"}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.more = "Transfer-Encoding: chunked\r\n"}), Fault::upgrade_mismatch);
  EXPECT_EQ(judge({.line = "HTTP/1.1 200 OK"}), Fault::upgrade_mismatch);
}

}  // namespace
}  // namespace limpet::wire
