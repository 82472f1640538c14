// The logs when much is said at once, when nobody reads, when the disk is full.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <charconv>

#include "tests/unit/log/logs.h"

namespace limpet::log {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

using Clock = std::chrono::steady_clock;

struct Trouble : Logs {
  static bool whole_access(const std::string& line) {
    return line.find("Z 203.0.113.7:51234 \"GET ") == 23 && line.ends_with(" ua=\"curl/8\"");
  }
  // Whole access lines in `text`; the lines that its gaps stand for come on top.
  std::uint64_t whole = 0, missing = 0;
  void count(const std::string& text) {
    for (const std::string& line : split_lines(text)) {
      const std::size_t gap = line.find(" - \"- - -\" 0 kind=dropped lines=");
      if (gap == std::string::npos) {
        EXPECT_TRUE(whole_access(line)) << line;
        ++whole;
      } else {
        missing += std::stoull(line.substr(line.rfind('=') + 1));
      }
    }
  }
  std::uint64_t until_dropped(std::uint64_t more = 1) {
    std::uint64_t put = 0;
    for (const std::uint64_t before = dropped(); dropped() < before + more; ++put) access(plain_record());
    return put;
  }
};

TEST_F(Trouble, ManyThreadsLinesArriveWholeOrAreCounted) {
  start(settings);
  constexpr int kThreads = 4, kLines = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kLines; ++i) access(plain_record());
    });
  }
  for (std::thread& each : threads) each.join();
  stop(20'000);
  count(read("access.log"));
  EXPECT_EQ(whole + missing, std::uint64_t{kThreads} * kLines);
  EXPECT_EQ(missing, dropped());
}

TEST_F(Trouble, RotationLosesAndCutsNothing) {
  start(settings);
  std::atomic<bool> go_on{true};
  std::atomic<std::uint64_t> put{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 1; go_on; ++i) {
        access(plain_record());
        put.fetch_add(1, std::memory_order_relaxed);
        if (i % 100 == 0) std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < 10; ++i) rotate(settings.access_file, path("access." + std::to_string(i)));
  go_on = false;
  for (std::thread& each : threads) each.join();
  stop(20'000);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("access")) count(read(name));
  }
  EXPECT_EQ(whole + missing, put);
  EXPECT_EQ(missing, dropped());
}

TEST_F(Trouble, BothLogsInOnePipeCutNoLine) {
  Pipe both(path("both"));
  settings.file = settings.access_file = path("both");
  start(settings);
  std::thread speaker([] {
    for (int i = 0; i < 2000; ++i) info("line {} ends here", i);
  });
  std::thread requests([] {
    for (int i = 0; i < 2000; ++i) access(plain_record());
  });
  std::thread closer([&] {
    speaker.join();
    requests.join();
    stop(20'000);
  });
  std::uint64_t said = 0, gaps = 0;
  for (const std::string& line : split_lines(both.until_end())) {
    const bool gap = line.ends_with(" lines were dropped") || line.find("kind=dropped") != std::string::npos;
    EXPECT_TRUE(gap || whole_access(line) || line.ends_with(" ends here")) << line;
    ++(gap ? gaps : said);
  }
  closer.join();
  EXPECT_EQ(said + dropped(), 4000u);
}

TEST_F(Trouble, AStalledAccessPipeStallsNobodyAndSilencesNobody) {
  Pipe program(path("program"));
  Pipe requests(path("requests"));
  requests.small();
  settings.file = path("program");
  settings.access_file = path("requests");
  start(settings);
  const std::uint64_t put = until_dropped(100);
  info("the program log goes on");
  program.until("the program log goes on");
  requests.until("kind=dropped");
  program.until("access log: " + settings.access_file + " does not keep up; ");
  std::thread closer([] { stop(20'000); });
  count(requests.until_end());
  closer.join();
  EXPECT_EQ(whole + missing, put);
  EXPECT_EQ(missing, dropped());
}

TEST_F(Trouble, APipeThatNeverMovesAgainIsToldInTheProgramLog) {
  Pipe requests(path("requests"));
  requests.small();
  settings.access_file = path("requests");
  start(settings);
  until_dropped();
  const auto end = Clock::now() + std::chrono::seconds(30);
  while (read("program.log").find(" takes no more; ") == std::string::npos && Clock::now() < end) {
    access(plain_record());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_THAT(read("program.log"), HasSubstr("access log: " + settings.access_file + " takes no more; "));
  std::thread closer([] { stop(20'000); });
  requests.until_end();
  closer.join();
}

TEST_F(Trouble, AStalledProgramLogSaysWhatIsMissing) {
  Pipe program(path("program"));
  program.small();
  settings.file = path("program");
  start(settings);
  std::uint64_t put = 0;
  for (; dropped() < 10; ++put) info("line {}", put);
  program.until(" warning " + std::to_string(dropped()) + " lines were dropped\n");
  std::thread closer([] { stop(20'000); });
  EXPECT_EQ(split_lines(program.until_end()).size() - 1 + dropped(), put);
  closer.join();
}

TEST_F(Trouble, StopDoesNotWaitForAStalledPipeAndTheOtherLogIsWritten) {
  Pipe requests(path("requests"));
  settings.access_file = path("requests");
  start(settings);
  until_dropped();
  info("last line");
  const auto begun = Clock::now();
  stop(1000);  // half of it for each log
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(10));
  EXPECT_THAT(read("program.log"), HasSubstr("last line\n"));
  EXPECT_THAT(read("program.log"), EndsWith(" were dropped before them\n"));
  // Its thread still goes on, and ends when it can.
  std::thread reader([&] { requests.until_end(); });
  reader.join();
}

TEST_F(Trouble, ExitDoesNotHangOnStalledPipes) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        Pipe program(path("program"));
        Pipe requests(path("requests"));
        settings.file = path("program");
        settings.access_file = path("requests");
        start(settings);
        until_dropped();
        for (const std::uint64_t before = dropped(); dropped() < before + 10;) info("much");
        stop(100);
        info("after the end");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(Trouble, StandardErrorThatNobodyReadsDoesNotDelayTheExit) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        Pipe nobody(path("nobody"));
        const int end = ::open(path("nobody").c_str(), O_WRONLY | O_CLOEXEC);
        ::dup2(end, STDERR_FILENO);
        settings.file.clear();
        start(settings);
        for (const std::uint64_t before = dropped(); dropped() < before + 10;) info("much");
        stop(100);
        info("after the end");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(Trouble, AReaderThatLeftIsNoReasonToDie) {
  ::signal(SIGPIPE, SIG_DFL);
  Pipe program(path("program"));
  Pipe requests(path("requests"));
  settings.file = path("program");
  settings.access_file = path("requests");
  start(settings);
  requests.close();
  access(plain_record());
  program.until(settings.access_file + ": Broken pipe; lines are dropped\n");
  EXPECT_EQ(dropped(), 1u);
}

TEST_F(Trouble, AFullDiskOfTheProgramLogIsToldElsewhere) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        settings.file = "/dev/full";
        settings.carries = settings.tells = true;
        start(settings);
        carry("of another\n");
        stop(20'000);
        std::exit(dropped() == 1 ? 0 : 1);
      },
      testing::ExitedWithCode(0),
      "limpet: log: /dev/full: No space left on device; lines are dropped\n"
      "limpet: log: 1 lines were dropped in all\n");
}

TEST_F(Trouble, CarriedLinesKeepTheirPlace) {
  settings.carries = true;
  start(settings);
  for (int i = 0; i < 100; ++i) {
    carry("carried " + std::to_string(i) + "\n");
    info("said {}", i);
  }
  stop(20'000);
  const auto lines = split_lines(read("program.log"));
  ASSERT_EQ(lines.size(), 200u);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(lines[2 * i], "carried " + std::to_string(i));
    EXPECT_THAT(lines[2 * i + 1], EndsWith("said " + std::to_string(i)));
  }
}

TEST_F(Trouble, AFullDiskIsSaidOnceAndAgainWhenItHasRoom) {
  Pipe program(path("program"));
  settings.file = path("program");
  std::filesystem::create_symlink("/dev/full", settings.access_file);
  start(settings);
  access(plain_record());
  program.until("access log: " + settings.access_file + ": No space left on device; lines are dropped\n");
  const std::uint64_t put = 1 + until_dropped(100);
  EXPECT_TRUE(std::filesystem::remove(settings.access_file));
  reopen();
  access(plain_record());
  const std::string& said = program.until("is written again; ");
  std::thread closer([] { stop(20'000); });
  EXPECT_THAT(program.until_end(),
              HasSubstr(" is written again; " + std::to_string(dropped()) + " lines were dropped\n"));
  closer.join();
  EXPECT_EQ(split_lines(said).size(), 2u) << "once a minute";
  count(read("access.log"));
  EXPECT_EQ(whole + missing, put + 1);
}

TEST_F(Trouble, LogsMayBeStartedReopenedAndStoppedWhileThreadsUseThem) {
  std::atomic<bool> go_on{true};
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&go_on] {
      while (go_on) {
        access(plain_record());
        info("and this");
        std::this_thread::yield();
      }
    });
  }
  threads.emplace_back([&go_on] {
    while (go_on) {
      reopen();
      dropped_lines();
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 20; ++i) {
    settings.json = i % 2 == 0;
    start(settings);
    if (i % 3 == 0) stop(20'000);
  }
  go_on = false;
  for (std::thread& each : threads) each.join();
  stop(20'000);
  testing::internal::GetCapturedStderr();
  for (const std::string& line : split_lines(read("program.log"))) {
    EXPECT_TRUE(line.ends_with("and this") || line.ends_with("and this\"}") ||
                line.find("were dropped") != std::string::npos)
        << line;
  }
}

}  // namespace
}  // namespace limpet::log
