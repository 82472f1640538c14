// A server that says anything at all, to a link of each kind: what is owed is answered once, nothing crashes.
#include <random>

#include "tests/unit/redis/fake_server.h"
#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

struct Nonsense : World, testing::WithParamInterface<std::string> {
  void SetUp() override {}  // no redis-server is needed
};

// Pieces of what Redis says, cut, doubled and put together at random; `port` is where the server is.
class Babble {
 public:
  Babble(unsigned seed, std::string port) : random_(seed), port_(std::move(port)) {}

  std::string operator()(const std::string& heard) {
    // Mostly as it should be, so that there is a link to speak on.
    if (heard.find("PING") != std::string::npos && below(8) > 0) return "+PONG\r\n";
    if (heard.find("SLOTS") != std::string::npos && below(4) > 0) return slots();
    if (heard.find("GET-MASTER") != std::string::npos && below(4) > 0) return address();
    if (heard.find("ROLE") != std::string::npos && below(4) > 0) return "*1\r\n$6\r\nmaster\r\n+PONG\r\n";
    std::string all;
    for (int i = below(6); i >= 0; --i) all += piece();
    if (below(10) == 0) all.resize(static_cast<std::size_t>(below(static_cast<int>(all.size()) + 1)));
    if (below(10) == 0) all += FakeServer::kHangUp;
    return all;
  }

 private:
  int below(int n) { return std::uniform_int_distribution(0, n - 1)(random_); }
  std::string address() const {
    return "*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(port_.size()) + "\r\n" + port_ + "\r\n";
  }
  std::string slots() {
    const std::string middle = std::to_string(below(16'384));
    return "*1\r\n*3\r\n:0\r\n:" + middle + "\r\n*2\r\n$9\r\n127.0.0.1\r\n:" + port_ + "\r\n";
  }
  std::string piece() {
    const std::string here = "127.0.0.1:" + port_;
    const std::string pieces[] = {"+OK\r\n",
                                  "+QUEUED\r\n",
                                  ":1\r\n",
                                  "$-1\r\n",
                                  "*-1\r\n",
                                  "*0\r\n",
                                  "-ERR no\r\n",
                                  "-READONLY You can't write\r\n",
                                  "-MOVED 1 " + here + "\r\n",
                                  "-MOVED 16383 :1\r\n",
                                  "-ASK 12182 " + here + "\r\n",
                                  "-CLUSTERDOWN The cluster is down\r\n",
                                  "-EXECABORT\r\n",
                                  "-NOAUTH\r\n",
                                  "-\r\n",
                                  "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n",
                                  "*4\r\n$8\r\npmessage\r\n$1\r\nc\r\n$1\r\nc\r\n$1\r\nx\r\n",
                                  "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nx\r\n",
                                  "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
                                  "*3\r\n$12\r\nsunsubscribe\r\n$1\r\nc\r\n:0\r\n",
                                  "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
                                  "*2\r\n$1\r\nc\r\n:7\r\n",
                                  "*1\r\n$7\r\nmessage\r\n",
                                  address(),
                                  slots(),
                                  "*3\r\n:1\r\n*2\r\n",
                                  "$5\r\nab",
                                  "?\r\n"};
    return pieces[below(static_cast<int>(std::size(pieces)))];
  }

  std::minstd_rand random_;
  std::string port_;
};

TEST_P(Nonsense, IsSurvived) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::unique_ptr<Babble> babble;
    FakeServer server([&](const std::string& heard) { return (*babble)(heard); });
    const std::string at = server.url().substr(8);
    babble = std::make_unique<Babble>(seed, at.substr(at.find(':') + 1));
    auto settings = hasty(settings_of(GetParam() + at + (GetParam().starts_with("redis+s") ? "/m" : "")));
    settings.answer_timeout_ms = settings.connect_timeout_ms = 20;
    auto redis = begin(settings);
    Ear ear;
    const Subscription heard[] = {redis->subscribe(Subscribed::channel, "c", ear),
                                  redis->subscribe(Subscribed::pattern, "c", ear),
                                  redis->subscribe(Subscribed::shard, "c", ear)};
    const auto reader = redis->dedicate("foo");
    int owed = 0, turns = 0;
    const auto done = [&](const Result&) { --owed; };
    ASSERT_TRUE(until([&] {
      ++owed;
      redis->command({"GET", "foo"}, done, "foo");
      ++owed;
      redis->transaction({{"GET", "foo"}, {"DEL", "foo"}}, done, "foo");
      ++owed;
      redis->shard_publish("c", "x", done);
      ++owed;
      redis->publish("c", "x", done);
      ++owed;
      reader->command({"XREAD"}, done);
      ++owed;
      redis->count_subscribers(Subscribed::channel, "c", [&](auto) { --owed; });
      return ++turns > 30;
    }));
    redis.reset();
    EXPECT_EQ(owed, 0) << "each is answered exactly once";
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Nonsense,
                         testing::Values("redis://", "redis+sentinel://", "redis+cluster://"),
                         [](const auto& info) {
                           return info.param.find('+') == std::string::npos ? std::string("single")
                                                                            : info.param.substr(6, 4);
                         });

}  // namespace
}  // namespace limpet::redis
