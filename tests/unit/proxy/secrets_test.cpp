// Where secrets are read from, and that a command line does not show them.
#include "proxy/secrets.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace limpet {
namespace {

std::string text_of(std::string_view what) {
  auto read = read_secret(what);
  if (const auto* no = std::get_if<Unreadable>(&read)) return "no: " + no->why;
  return std::get<std::string>(read);
}

std::string file_with(const std::string& bytes) {
  const std::string path = testing::TempDir() + "limpet-secret";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(Secrets, StandAsTheyAreOrInAVariable) {
  EXPECT_EQ(text_of("redis://h"), "redis://h");
  ::setenv("LIMPET_SECRET", "env:x", 1);
  EXPECT_EQ(text_of("env:LIMPET_SECRET"), "env:x");
  ::setenv("LIMPET_SECRET", "", 1);
  EXPECT_EQ(text_of("env:LIMPET_SECRET"), "no: LIMPET_SECRET is empty");
  ::unsetenv("LIMPET_SECRET");
  EXPECT_EQ(text_of("env:LIMPET_SECRET"), "no: LIMPET_SECRET is not set");
}

TEST(Secrets, OfAFileAreItsBytesLessOneLineEnd) {
  for (const auto& [bytes, secret] :
       {std::pair{"x", "x"}, {"x\n", "x"}, {"x\r\n", "x"}, {" x \n\n", " x \n"}})
    EXPECT_EQ(text_of("file:" + file_with(bytes)), secret);
  const std::string path = file_with("\n");
  EXPECT_EQ(text_of("file:" + path), "no: " + path + " is empty");
  EXPECT_EQ(text_of("file:" + file_with(std::string(70'000, 'x'))), "no: " + path + " is larger than 64 KiB");
  std::filesystem::remove(path);
  EXPECT_EQ(text_of("file:" + path), "no: " + path + ": No such file or directory");
  EXPECT_EQ(text_of("file:/").substr(0, 5), "no: /");
}

std::vector<std::string> hidden(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& each : words) argv.push_back(each.data());
  hide_secrets(static_cast<int>(argv.size()), argv.data());
  return words;
}

TEST(Secrets, OfACommandLineAreBlanked) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(hidden({"limpet", "--redis", "redis://u:pass@h:1/2"}),
            (Words{"limpet", "--redis", "redis://u:****@h:1/2"}));
  EXPECT_EQ(hidden({"limpet", "--redis=redis://:p@s@h"}), (Words{"limpet", "--redis=redis://:***@h"}));
  EXPECT_EQ(hidden({"limpet", "--redis", "redis://u@h:1"}), (Words{"limpet", "--redis", "redis://u@h:1"}));
  EXPECT_EQ(hidden({"limpet", "--cors-origins", "http://h:1"}),
            (Words{"limpet", "--cors-origins", "http://h:1"}));
  EXPECT_EQ(hidden({"limpet", "--redis-sentinel-password", "abc"}),
            (Words{"limpet", "--redis-sentinel-password", "***"}));
  EXPECT_EQ(hidden({"limpet", "--redis-sentinel-password=abc"}),
            (Words{"limpet", "--redis-sentinel-password=***"}));
  EXPECT_EQ(hidden({"limpet", "--redis-sentinel-password"}), (Words{"limpet", "--redis-sentinel-password"}));
  EXPECT_EQ(hidden({}), Words{});
  EXPECT_EQ(without_password("redis://u:pass@h"), "redis://u:****@h");
  EXPECT_EQ(without_password("chat"), "chat");
}

}  // namespace
}  // namespace limpet
