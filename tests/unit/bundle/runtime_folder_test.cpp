// The bundle's private directory, and what dead bundles left.
#include "proxy/bundle/runtime_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace limpet::bundle {
namespace {

namespace fs = std::filesystem;

class RuntimeFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/limpet-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    parent = name;
  }
  void TearDown() override { fs::remove_all(parent); }
  RuntimeFolder create() {
    auto made = RuntimeFolder::create({parent});
    EXPECT_TRUE(std::holds_alternative<RuntimeFolder>(made));
    return std::move(std::get<RuntimeFolder>(made));
  }
  // As one that nobody holds any more.
  fs::path leave(const std::string& name, fs::perms mode = fs::perms::owner_all) const {
    const fs::path path = fs::path(parent) / name;
    fs::create_directory(path);
    std::ofstream(path / "limpet.toml") << "x";
    fs::permissions(path, mode);
    return path;
  }
  std::string parent;
};

TEST_F(RuntimeFolderTest, IsPrivateAndGoneAtItsEnd) {
  fs::path path;
  {
    const RuntimeFolder folder = create();
    path = folder.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    EXPECT_EQ(folder.write("a", "text"), "");
    EXPECT_EQ(fs::status(path / "a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(folder.write("a", ""), "");
    EXPECT_EQ(fs::file_size(path / "a"), 0u);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(RuntimeFolderTest, MovedFromOnesRemoveNothing) {
  RuntimeFolder first = create();
  const RuntimeFolder second = std::move(first);
  EXPECT_TRUE(fs::exists(second.path()));
}

TEST_F(RuntimeFolderTest, OneThatIsHeldStays) {
  const RuntimeFolder folder = create();
  ASSERT_EQ(folder.write("limpet.toml", "x"), "");
  EXPECT_EQ(remove_stale(parent), 0u);
  EXPECT_TRUE(fs::exists(folder.path() + "/limpet.toml"));
}

TEST_F(RuntimeFolderTest, DeadOnesAreRemoved) {
  const fs::path dead = leave("limpet-up.dead01");
  const RuntimeFolder folder = create();
  EXPECT_FALSE(fs::exists(dead));
}

TEST_F(RuntimeFolderTest, WhatIsNotOursStays) {
  const fs::path open = leave("limpet-up.open01", fs::perms::all);
  const fs::path other = leave("else");
  fs::create_directory_symlink(other, fs::path(parent) / "limpet-up.link01");
  EXPECT_EQ(remove_stale(parent), 0u);
  EXPECT_TRUE(fs::exists(open / "limpet.toml"));
  EXPECT_TRUE(fs::exists(other / "limpet.toml"));
}

TEST_F(RuntimeFolderTest, OneThatIsBeingMadeStays) {
  const fs::path young = fs::path(parent) / "limpet-up.young1";
  fs::create_directory(young);
  fs::permissions(young, fs::perms::owner_all);
  EXPECT_EQ(remove_stale(parent), 0u);
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(RuntimeFolderTest, ThePlaceThatTakesItIsTaken) {
  const std::string deep = parent + "/" + std::string(80, 'd');
  fs::create_directory(deep);
  auto made = RuntimeFolder::create({parent + "/none", deep, parent});
  ASSERT_TRUE(std::holds_alternative<RuntimeFolder>(made));
  EXPECT_TRUE(std::get<RuntimeFolder>(made).path().starts_with(parent + "/limpet-up."));
  const auto none = RuntimeFolder::create({parent + "/none", deep});
  ASSERT_TRUE(std::holds_alternative<std::string>(none));
  EXPECT_THAT(std::get<std::string>(none), testing::HasSubstr("too long"));
}

}  // namespace
}  // namespace limpet::bundle
