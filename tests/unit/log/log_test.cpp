// The program's log, from a call to the file.
#include "proxy/log/log.h"

#include <gmock/gmock.h>

#include "tests/unit/log/logs.h"

namespace limpet::log {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST_F(Logs, AProgramLineHasTimeZoneLevelAndText) {
  start(settings);
  info("listening on {}", "127.0.0.1:80");
  stop();
  EXPECT_THAT(
      read("program.log"),
      MatchesRegex(
          "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} info "
          "listening on 127\\.0\\.0\\.1:80\n"));
}

TEST_F(Logs, AProgramLineInJsonIsAnObject) {
  settings.json = true;
  start(settings);
  warn("from a client: {}", "a\n\"b\"\x1b");
  stop();
  EXPECT_THAT(read("program.log"),
              MatchesRegex("\\{\"time\":\"[0-9T:.+-]*\",\"level\":\"warning\",\"message\":\"from a client: "
                           "a\\\\u000a\\\\\"b\\\\\"\\\\u001b\"\\}\n"));
}

TEST_F(Logs, NoMessageEndsALine) {
  start(settings);
  warn("from a client: {}", "a\r\n2026-11-24T15:00:00.000+00:00 error all is lost\x1b[2J");
  stop();
  EXPECT_THAT(
      read("program.log"),
      EndsWith(" warning from a client: a\\r\\n2026-11-24T15:00:00.000+00:00 error all is lost\\x1b[2J\n"));
  EXPECT_EQ(split_lines(read("program.log")).size(), 1u);
}

TEST_F(Logs, LevelsBelowTheChosenOneAreNotWritten) {
  settings.level = Level::warn;
  start(settings);
  info("quiet");
  error("loud");
  stop();
  EXPECT_THAT(read("program.log"), Not(HasSubstr("quiet")));
  EXPECT_THAT(read("program.log"), HasSubstr(" error loud\n"));
}

TEST_F(Logs, AnEndlessMessageIsCut) {
  start(settings);
  info("{}", std::string(100'000, 'x'));
  stop();
  EXPECT_THAT(read("program.log"), EndsWith("xxx...\n"));
  EXPECT_LT(read("program.log").size(), 17'000u);
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(Logs, AFileThatCannotBeOpenedIsAnErrorAndTheOldLogsGoOn) {
  start(settings);
  Settings wrong = settings;
  wrong.access_file = path("none/x.log");
  EXPECT_THROW(start(wrong), std::runtime_error);
  info("goes on");
  access(plain_record());
  stop();
  EXPECT_THAT(read("program.log"), HasSubstr("goes on"));
  EXPECT_EQ(split_lines(read("access.log")).size(), 1u);
}

TEST_F(Logs, StartedAgainGoToTheNewFilesAndLoseNothing) {
  start(settings);
  info("first");
  access(plain_record());
  settings.file = path("second.log");
  settings.access_file = path("second-access.log");
  start(settings);
  info("second");
  access(plain_record());
  stop();
  EXPECT_THAT(read("program.log"), EndsWith("first\n"));
  EXPECT_THAT(read("second.log"), EndsWith("second\n"));
  EXPECT_EQ(split_lines(read("access.log")).size(), 1u);
  EXPECT_EQ(split_lines(read("second-access.log")).size(), 1u);
}

TEST_F(Logs, WithoutAnAccessLogNothingIsFormatted) {
  settings.access = false;
  start(settings);
  EXPECT_FALSE(access_enabled());
  access(plain_record());
  stop();
  EXPECT_FALSE(std::filesystem::exists(settings.access_file));
}

TEST_F(Logs, GoToStandardErrorBeforeTheStartAndAfterTheEnd) {
  testing::internal::CaptureStderr();
  info("before");
  start(settings);
  info("between");
  stop();
  info("after");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr(" info before\n"));
  EXPECT_THAT(said, Not(HasSubstr("between")));
  EXPECT_THAT(said, HasSubstr(" info after\n"));
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(Logs, ANewFileIsTakenForBothLogs) {
  start(settings);
  info("old");
  access(plain_record());
  rotate(settings.file, path("program.1"));
  rotate(settings.access_file, path("access.1"));
  info("new");
  access(plain_record());
  stop();
  EXPECT_THAT(read("program.1"), EndsWith("old\n"));
  EXPECT_THAT(read("program.log"), EndsWith("new\n"));
  EXPECT_EQ(split_lines(read("access.1")).size(), 1u);
  EXPECT_EQ(split_lines(read("access.log")).size(), 1u);
}

TEST_F(Logs, AFileThatCannotBeReopenedIsKeptAndNamed) {
  Pipe program(path("program"));
  settings.file = path("program");
  start(settings);
  std::filesystem::rename(settings.access_file, path("access.1"));
  std::filesystem::create_directory(settings.access_file);
  reopen();
  program.until(settings.access_file + ": cannot be reopened: Is a directory; the old file is kept\n");
  access(plain_record());
  stop();
  EXPECT_EQ(split_lines(read("access.1")).size(), 1u);
}

TEST_F(Logs, AProgramLogThatCannotBeReopenedSaysSoItself) {
  start(settings);
  std::filesystem::rename(settings.file, path("program.1"));
  std::filesystem::create_directory(settings.file);
  reopen();
  stop();
  EXPECT_THAT(read("program.1"),
              HasSubstr("program.log: cannot be reopened: Is a directory; the old file is kept\n"));
}

TEST_F(Logs, LinesThatAThreadLeavesBehindAreWritten) {
  start(settings);
  for (int i = 0; i < 100; ++i) {
    std::thread([i] {
      info("thread {}", i);
      access(plain_record());
    }).join();
  }
  stop();
  EXPECT_EQ(split_lines(read("program.log")).size(), 100u);
  EXPECT_EQ(split_lines(read("access.log")).size(), 100u);
}

// Said by a thread whose lanes are gone already.
struct Farewell {
  ~Farewell() { info("farewell"); }
};

TEST_F(Logs, AThreadsLastWordIsCountedIfItComesTooLate) {
  start(settings);
  std::thread([] {
    thread_local Farewell farewell;  // made before the lanes, so gone after them
    static_cast<void>(farewell);
    info("hello");
  }).join();
  stop();
  EXPECT_THAT(read("program.log"), HasSubstr("hello"));
  EXPECT_EQ(dropped(), 1u);
}

}  // namespace
}  // namespace limpet::log
