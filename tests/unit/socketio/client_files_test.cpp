// The official client's bundles: what is read, what is refused at the start, what is answered.
#include "backend/socketio/client_files.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/unit/http/world.h"

namespace limpet::socketio {
namespace {

using http::Client;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TheClient : public testing::Test {
 protected:
  TheClient() { std::filesystem::create_directory(folder); }
  ~TheClient() override { std::filesystem::remove_all(folder); }

  void put(const std::string& name, std::string_view text) { std::ofstream(folder / name) << text; }
  std::string why_not() {
    try {
      const ClientFiles files(folder.string(), "/socket.io/", {});
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }
  // The answer to one request, whole.
  std::string ask(std::string_view request, std::string_view fields = "", engine::Cors cors = {}) {
    http::World w;
    ClientFiles files(folder.string(), "/socket.io", std::move(cors));
    files.route(*w.server);
    w.handler.act = [](http::Exchange& e) { e.answer({.status = 404, .body = "elsewhere"}); };
    Client& c = w.connect();
    c.send(std::string(request) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + std::string(fields) +
           "\r\n");
    EXPECT_TRUE(w.until([&] { return c.ended(); }));
    return c.seen;
  }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("limpet-client-" + std::to_string(::getpid()));
};

TEST_F(TheClient, NeedsItsMainBundle) {
  EXPECT_THAT(why_not(),
              AllOf(StartsWith("serve_client: "), HasSubstr("socket.io.js: there is no such file")));
  put("socket.io.min.js", "x");
  EXPECT_THAT(why_not(), HasSubstr("socket.io.js: there is no such file"));
  std::filesystem::create_directory(folder / "socket.io.js");
  EXPECT_THAT(why_not(), HasSubstr("socket.io.js: there is no such file"));
}

TEST_F(TheClient, IsNoFileOfAnySize) {
  put("socket.io.js", "x");
  EXPECT_EQ(why_not(), "");
  std::filesystem::resize_file(folder / "socket.io.js", 9 << 20);
  EXPECT_THAT(why_not(), HasSubstr("socket.io.js: is over 8 MiB"));
}

TEST_F(TheClient, IsGivenWithItsVersion) {
  put("socket.io.js", "/*!\n * Socket.IO v4.8.4\n */\ncode");
  put("socket.io.js.map", "{}");
  put("package.json", "{}");
  EXPECT_THAT(ask("GET /socket.io/socket.io.js?x"),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("ETag: \"4.8.4\"\r\n"),
                    HasSubstr("Cache-Control: public, max-age=0\r\n"), HasSubstr("Vary: Accept-Encoding\r\n"),
                    HasSubstr("Content-Type: application/javascript; charset=utf-8\r\n"), HasSubstr("code")));
  EXPECT_THAT(ask("GET /socket.io/socket.io.js.map"),
              HasSubstr("Content-Type: application/json; charset=utf-8\r\n"));
  EXPECT_THAT(ask("HEAD /socket.io/socket.io.js"), AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("code"))));
  EXPECT_THAT(ask("POST /socket.io/socket.io.js", "Content-Length: 0\r\n"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD\r\n")));
  EXPECT_THAT(ask("GET /socket.io/socket.io.json"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("GET /socket.io/socket.io.min.js"), HasSubstr("elsewhere"));
  EXPECT_THAT(ask("GET /socket.io/package.json"), HasSubstr("elsewhere"));
}

TEST_F(TheClient, IsNotSentToWhoHasIt) {
  put("socket.io.js", "/*!\n * Socket.IO v4.8.4\n */");
  for (const char* tags : {"\"4.8.4\"", "W/\"4.8.4\"", "\"x\", W/\"4.8.4\" ,\"y\"", "*"}) {
    const std::string answer =
        ask("GET /socket.io/socket.io.js", std::string("If-None-Match: ") + tags + "\r\n");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 304"), HasSubstr("ETag: \"4.8.4\"\r\n"),
                              Not(HasSubstr("Socket.IO v"))));
  }
  for (const char* tags : {"\"4.8\"", "4.8.4", "\"x\",", ","})
    EXPECT_THAT(ask("GET /socket.io/socket.io.js", std::string("If-None-Match: ") + tags + "\r\n"),
                StartsWith("HTTP/1.1 200"));
}

TEST_F(TheClient, WithoutAVersionIsNamedByWhatItIs) {
  const auto etag = [this] {
    const std::string answer = ask("GET /socket.io/socket.io.js");
    return answer.substr(answer.find("ETag: "), 40);
  };
  put("socket.io.js", "one");
  const std::string first = etag();
  EXPECT_EQ(etag(), first);
  put("socket.io.js", "two");
  EXPECT_NE(etag(), first);
}

TEST_F(TheClient, IsCompressedForWhoTakesIt) {
  put("socket.io.js", std::string(5000, 'a'));
  const auto asked = [this](const char* encodings) {
    return ask("GET /socket.io/socket.io.js", std::string("Accept-Encoding: ") + encodings + "\r\n");
  };
  for (const char* coding : {"gzip", "deflate"}) {
    const std::string answer = asked(coding);
    EXPECT_THAT(answer, HasSubstr(std::string("Content-Encoding: ") + coding + "\r\n"));
    EXPECT_LT(answer.size(), 1000U);
  }
  EXPECT_THAT(asked("br"), AllOf(Not(HasSubstr("Content-Encoding")), HasSubstr("Content-Length: 5000\r\n")));
}

TEST_F(TheClient, IsForPagesThatMayAsk) {
  put("socket.io.js", "code");
  const engine::Cors cors{true, {"http://a.example"}, true};
  EXPECT_THAT(ask("GET /socket.io/socket.io.js", "Origin: http://a.example\r\n", cors),
              AllOf(HasSubstr("Access-Control-Allow-Origin: http://a.example\r\n"), HasSubstr("code")));
  EXPECT_THAT(ask("GET /socket.io/socket.io.js", "Origin: http://b.example\r\n", cors),
              Not(HasSubstr("Access-Control-Allow-Origin")));
  EXPECT_THAT(ask("OPTIONS /socket.io/socket.io.js",
                  "Origin: http://a.example\r\nAccess-Control-Request-Headers: x-one\r\n", cors),
              AllOf(StartsWith("HTTP/1.1 204"), HasSubstr("Access-Control-Allow-Headers: x-one\r\n"),
                    HasSubstr("Access-Control-Allow-Methods: ")));
  EXPECT_THAT(ask("OPTIONS /socket.io/socket.io.js"), StartsWith("HTTP/1.1 405"));
}

}  // namespace
}  // namespace limpet::socketio
