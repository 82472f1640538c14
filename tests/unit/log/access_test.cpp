#include "proxy/log/access.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "proxy/log/log.h"

namespace limpet::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

struct Logs : testing::Test {
  std::string folder = testing::TempDir() + "limpet-log-" + std::to_string(::getpid());
  Settings settings;
  const std::uint64_t dropped_before = dropped_lines();
  Logs() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    settings.file = folder + "/program.log";
    settings.access_file = folder + "/access.log";
  }
  ~Logs() override {
    stop();
    std::filesystem::remove_all(folder);
  }
  std::string read(const std::string& name) {
    std::ifstream file(folder + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // The one line that a record makes.
  std::string line_of(const AccessRecord& record) {
    start(settings);
    access(record);
    stop();
    return read("access.log");
  }
  static AccessRecord plain() {
    AccessRecord r;
    r.client = "203.0.113.7:51234";
    r.request_id = "0123456789abcdef0123456789abcdef";
    r.method = "GET";
    r.host = "example.org";
    r.target = "/socket.io/";
    r.status = 200;
    r.route = "ws";
    r.server = "ws1";
    r.by = "learned";
    r.sid = "AbCdEfGhIjKlMnOpQrSt";
    r.connect_us = 123;
    r.first_byte_us = 1'002;
    r.total_us = 1'203'004;
    r.bytes_in = 120;
    r.bytes_out = 322;
    r.ended_by = "server";
    r.reason = "done";
    r.user_agent = "curl/8";
    return r;
  }
};

TEST_F(Logs, TextLineHasEveryFact) {
  EXPECT_THAT(line_of(plain()),
              MatchesRegex("[0-9]{4}-[0-9-]*T[0-9:.]*Z 203\\.0\\.113\\.7:51234 \"GET example\\.org/socket\\.io/ HTTP/1\\.1\" 200 "
                           "kind=request id=[0-9a-f]* pool=ws server=ws1 by=learned sid=AbCdEf retries=0 "
                           "connect=0\\.123 first=1\\.002 total=1203\\.004 in=120 out=322 end=server:done ua=\"curl/8\"\n"));
}

TEST_F(Logs, OnlySixCharactersOfASidAreWritten) { EXPECT_THAT(line_of(plain()), Not(HasSubstr("AbCdEfG"))); }

TEST_F(Logs, JsonLineIsOneObject) {
  settings.json = true;
  AccessRecord r = plain();
  r.connect_us = AccessRecord::kNever;
  r.tunnel = true;
  const std::string line = line_of(r);
  EXPECT_THAT(line, HasSubstr("{\"time\":\""));
  EXPECT_THAT(line, HasSubstr("\"kind\":\"tunnel\",\"client\":\"203.0.113.7:51234\""));
  EXPECT_THAT(line, HasSubstr("\"connect_ms\":null,\"first_byte_ms\":1.002,\"total_ms\":1203.004"));
  EXPECT_THAT(line, HasSubstr("\"user_agent\":\"curl/8\"}\n"));
}

TEST_F(Logs, ClientMadeBytesCannotForgeALine) {
  for (const bool json : {false, true}) {
    settings.json = json;
    std::filesystem::remove(settings.access_file);
    AccessRecord r = plain();
    r.target = "/a\r\n2026 \"GET\x1b[31m\xff\xe2\x80\xa8\\";
    r.user_agent = "x\" status=200\n";
    const std::string line = line_of(r);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    for (const char c : line.substr(0, line.size() - 1)) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
    EXPECT_THAT(line, HasSubstr(json ? "/a\\u000d\\u000a2026 \\\"GET\\u001b[31m\\u00ff" : "/a\\x0d\\x0a2026 \\\"GET\\x1b[31m\\xff"));
    EXPECT_THAT(line, HasSubstr("x\\\" status=200"));
  }
}

TEST_F(Logs, LongFieldsAreCutWithAMark) {
  AccessRecord r = plain();
  const std::string target = "/" + std::string(9000, 'x'), agent(9000, '\x01'), host(9000, '"');
  r.target = target;
  r.user_agent = agent;
  r.host = host;
  const std::string line = line_of(r);
  EXPECT_LT(line.size(), 4096u);
  EXPECT_THAT(line, HasSubstr("xxx... HTTP/1.1\" 200"));
  EXPECT_THAT(line, HasSubstr("...\"\n"));
}

TEST_F(Logs, ManyThreadsLinesArriveWholeOrAreCounted) {
  start(settings);
  constexpr int kThreads = 4, kLines = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kLines; ++i) access(plain());
    });
  }
  for (std::thread& each : threads) each.join();
  stop(20'000);
  const std::string text = read("access.log");
  std::istringstream lines(text);
  std::string line;
  std::uint64_t whole = 0;
  while (std::getline(lines, line)) {
    EXPECT_TRUE(line.ends_with("ua=\"curl/8\"")) << line;
    ++whole;
  }
  EXPECT_EQ(whole + dropped_lines() - dropped_before, std::uint64_t{kThreads} * kLines);
}

TEST_F(Logs, ReopenedFileGetsTheNextLinesAndNoneIsLost) {
  start(settings);
  std::atomic<bool> go_on{true};
  std::uint64_t put = 0;
  std::thread producer([&] {
    while (go_on) {
      access(plain());
      ++put;
      if (put % 100 == 0) std::this_thread::yield();
    }
  });
  for (int i = 0; i < 5; ++i) {
    std::filesystem::rename(settings.access_file, settings.access_file + "." + std::to_string(i));
    reopen();
    while (!std::filesystem::exists(settings.access_file)) std::this_thread::yield();
  }
  go_on = false;
  producer.join();
  stop(20'000);
  std::uint64_t written = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("access")) {
      const std::string text = read(entry.path().filename().string());
      written += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    }
  }
  EXPECT_EQ(written + dropped_lines() - dropped_before, put);
}

TEST_F(Logs, BothLogsMayBeOneFile) {
  settings.access_file = settings.file;
  start(settings);
  info("hello");
  access(plain());
  stop();
  const std::string text = read("program.log");
  EXPECT_THAT(text, HasSubstr(" info hello\n"));
  EXPECT_THAT(text, HasSubstr("ua=\"curl/8\"\n"));
}

TEST_F(Logs, ProgramLinesAreEscapedInBothFormats) {
  for (const bool json : {false, true}) {
    settings.json = json;
    std::filesystem::remove(settings.file);
    start(settings);
    warn("from a client: {}", "a\n\"b\"\x1b");
    stop();
    const std::string text = read("program.log");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_THAT(text, HasSubstr(json ? "\"message\":\"from a client: a\\u000a\\\"b\\\"\\u001b\"}" : "warning from a client: a\\x0a\"b\"\\x1b"));
  }
}

TEST_F(Logs, LevelsBelowTheChosenOneAreNotWritten) {
  settings.level = Level::warn;
  start(settings);
  info("quiet");
  error("loud");
  stop();
  EXPECT_THAT(read("program.log"), Not(HasSubstr("quiet")));
  EXPECT_THAT(read("program.log"), HasSubstr("error loud"));
}

TEST_F(Logs, FileThatCannotBeOpenedIsAnError) {
  settings.file = folder + "/none/x.log";
  EXPECT_THROW(start(settings), std::runtime_error);
}

// A pipe that nobody reads: callers go on, lines are counted, stop() does not wait for it.
TEST_F(Logs, StalledPipeStallsNobody) {
  const std::string pipe = folder + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  settings.access_file = pipe;
  start(settings);
  for (int i = 0; i < 20'000; ++i) access(plain());
  EXPECT_GT(dropped_lines(), dropped_before);
  info("the program log goes on");
  const auto begun = std::chrono::steady_clock::now();
  stop(200);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_THAT(read("program.log"), HasSubstr("the program log goes on"));
  ::close(reader);  // lets the writer's thread end
}

}  // namespace
}  // namespace limpet::log
