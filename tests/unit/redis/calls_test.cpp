// How often the system is called for what a link does.
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/redis/fake_server.h"
#include "tests/unit/redis/world.h"

namespace {

thread_local int receives = 0;

}  // namespace

// In the place of the C library's, in this program.
extern "C" ssize_t recv(int fd, void* into, std::size_t size, int flags) {
  ++receives;
  return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}

namespace limpet::redis {
namespace {

struct Calls : World {
  void SetUp() override {}  // no redis-server is needed
};

TEST_F(Calls, AnAnswerThatComesAloneIsOneRead) {
  FakeServer server(FakeServer::after_greeting("+OK\r\n"));
  auto settings = settings_of(server.url());
  settings.ping_interval_ms = settings.answer_timeout_ms = 60'000;
  const auto redis = connect(settings);
  const int before = receives;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(*redis, {"GET", "x"}), "OK");
  EXPECT_EQ(receives - before, 100);
}

}  // namespace
}  // namespace limpet::redis
