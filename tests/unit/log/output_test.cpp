#include "proxy/log/output.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/log/logs.h"

namespace limpet::log {
namespace {

struct Outputs : Folder {
  std::size_t lost = 0;
};

// A disk that is full after so many bytes of a file.
struct DiskOf {
  rlimit before;
  explicit DiskOf(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~DiskOf() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, SIG_DFL);
  }
};

TEST_F(Outputs, AppendToWhatIsThere) {
  std::ofstream(path("log")) << "old\n";
  Output output(path("log"));
  EXPECT_EQ(output.write("new\n", lost), 0);
  EXPECT_EQ(read("log"), "old\nnew\n");
}

TEST_F(Outputs, AreNotReadableByEverybody) {
  const mode_t before = ::umask(0);
  Output output(path("log"));
  ::umask(before);
  struct stat status;
  ASSERT_EQ(::stat(path("log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(Outputs, SayWhatCannotBeOpened) {
  try {
    Output output(path("none/log"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), path("none/log") + ": No such file or directory");
  }
}

TEST_F(Outputs, DoNotWaitForAPipesReader) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THROW(Output{path("pipe")}, std::runtime_error);
}

TEST_F(Outputs, FinishALineThatAFullDiskCut) {
  Output output(path("log"));
  {
    const DiskOf disk(10);
    EXPECT_EQ(output.write("1234\n678901\nlost\n", lost), EFBIG);
    EXPECT_EQ(lost, 1u);
    EXPECT_EQ(output.write("also lost\nand this\n", lost), EFBIG);
    EXPECT_EQ(lost, 2u);
    EXPECT_EQ(read("log"), "1234\n67890");
  }
  EXPECT_EQ(output.write("next\n", lost), 0);
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(read("log"), "1234\n678901\nnext\n");
}

TEST_F(Outputs, DoNotBeginANewFileWithTheRestOfALine) {
  Output output(path("log"));
  {
    const DiskOf disk(3);
    output.write("12345\n", lost);
    EXPECT_EQ(lost, 0u) << "its rest may still come";
    std::filesystem::rename(path("log"), path("old"));
    EXPECT_EQ(output.reopen(lost), 0);
    EXPECT_EQ(lost, 1u);
  }
  EXPECT_EQ(output.write("next\n", lost), 0);
  EXPECT_EQ(read("log"), "next\n");
}

TEST_F(Outputs, KeepTheOldFileIfTheNewOneCannotBeOpened) {
  Output output(path("log"));
  std::filesystem::rename(path("log"), path("old"));
  std::filesystem::create_directory(path("log"));
  EXPECT_EQ(output.reopen(lost), EISDIR);
  EXPECT_EQ(output.write("line\n", lost), 0);
  EXPECT_EQ(read("old"), "line\n");
}

TEST_F(Outputs, KnowThatTwoNamesAreOnePlace) {
  const Output file(path("log")), same(folder + "/../" + folder.substr(folder.rfind('/') + 1) + "/log"),
      other(path("other"));
  EXPECT_TRUE(Output::same_place(file, same));
  EXPECT_FALSE(Output::same_place(file, other));
}

TEST_F(Outputs, TakeTheInheritedDescriptorForItsName) {
  EXPECT_EQ(Output::open("/dev/stdout", -1)->name(), "standard output");
  EXPECT_EQ(Output::open("/dev/stderr", -1)->name(), "standard error");
  EXPECT_EQ(Output::open("", STDERR_FILENO)->name(), "standard error");
  EXPECT_FALSE(Output::open("/dev/stdout", -1)->reopens());
}

TEST_F(Outputs, ANonBlockingPipeIsWaitedFor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  Output output(ends[1]);
  std::string lines;
  for (int i = 0; i < 50'000; ++i) lines += std::to_string(i) + "\n";
  std::thread writer([&] {
    EXPECT_EQ(output.write(lines, lost), 0);
    ::close(ends[1]);
  });
  ::fcntl(ends[0], F_SETFL, 0);
  std::string got;
  char bytes[4096];
  for (ssize_t n; (n = ::read(ends[0], bytes, sizeof bytes)) > 0;)
    got.append(bytes, static_cast<std::size_t>(n));
  writer.join();
  ::close(ends[0]);
  EXPECT_EQ(got, lines);
}

}  // namespace
}  // namespace limpet::log
