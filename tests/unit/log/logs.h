// What the tests of the logs say: records, files that are read back, pipes that are read when the test wants
// it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "proxy/log/access.h"
#include "proxy/log/log.h"

namespace limpet::log {

inline AccessRecord plain_record() {
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

inline std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Folder : testing::Test {
  std::string folder = testing::TempDir() + "limpet-log-" + std::to_string(::getpid());
  Folder() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  ~Folder() override { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return folder + "/" + name; }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

// The reading end of a named pipe. Nobody reads it but the test, which waits for what it asks for.
class Pipe {
 public:
  explicit Pipe(const std::string& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // does not wait for a writer
    EXPECT_GE(fd_, 0);
    ::fcntl(fd_, F_SETFL, 0);
  }
  ~Pipe() { close(); }
  Pipe(const Pipe&) = delete;
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // All that was read so far, once `text` is in it.
  const std::string& until(const std::string& text) {
    while (seen_.find(text) == std::string::npos && more()) {
    }
    EXPECT_NE(seen_.find(text), std::string::npos) << text;
    return seen_;
  }
  const std::string& until_end() {
    while (more()) {
    }
    return seen_;
  }
  void small() { EXPECT_GE(::fcntl(fd_, F_SETPIPE_SZ, 4096), 4096); }

 private:
  bool more() {
    char bytes[65536];
    const ssize_t got = ::read(fd_, bytes, sizeof bytes);
    if (got > 0) seen_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }
  int fd_ = -1;
  std::string seen_;
};

struct Logs : Folder {
  Settings settings;
  const std::uint64_t dropped_before = dropped_lines();
  Logs() {
    settings.file = path("program.log");
    settings.access_file = path("access.log");
  }
  ~Logs() override { stop(); }
  std::uint64_t dropped() const { return dropped_lines() - dropped_before; }
  // Moves a log's file away and asks for a new one; comes back when it is there.
  void rotate(const std::string& file, const std::string& to) const {
    const int watch = ::inotify_init1(IN_CLOEXEC);
    ::inotify_add_watch(watch, folder.c_str(), IN_CREATE);
    std::filesystem::rename(file, to);
    reopen();
    alignas(inotify_event) char events[4096];
    while (!std::filesystem::exists(file)) EXPECT_GT(::read(watch, events, sizeof events), 0);
    ::close(watch);
  }
};

}  // namespace limpet::log
