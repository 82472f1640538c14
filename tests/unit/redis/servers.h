// Servers: real redis-server processes in a temporary folder, ended with it; and a plain client that tells
// them what a test wants.
#pragma once

#include <hiredis/hiredis.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace limpet::redis {

bool have_redis_server();  // else tests fail, and say what is missing

// A folder that goes with all that is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint16_t free_port();

// Asks until it is so: of other processes, which tell nobody when they are ready.
bool becomes_so(std::chrono::seconds within, const std::function<bool()>& is_so);

class Process {
 public:
  explicit Process(const std::vector<std::string>& words);  // what it says goes nowhere
  ~Process();
  Process(const Process&) = delete;
  void signal(int number) const;
  void end();  // SIGKILL, and waits
  int wait();  // for its end: its status
  bool running() const;

 private:
  mutable pid_t pid_ = -1;
};

// A blocking client, for the test's own hand.
class Admin {
 public:
  explicit Admin(const std::string& socket);
  Admin(const std::string& host, std::uint16_t port);
  // The text of an answer, its number in digits, or its elements joined by spaces.
  std::string operator()(const std::vector<std::string>& words);
  bool connected() const { return context_ && context_->err == 0; }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

// One server: on a Unix socket, and on a port of 127.0.0.1 where `tcp` is asked for.
class Server {
 public:
  explicit Server(std::vector<std::string> more = {}, bool tcp = true);
  void start();  // again, after end()
  void end() { process_.reset(); }
  void freeze() const;
  void thaw() const;
  std::string operator()(const std::vector<std::string>& words) { return Admin(socket())(words); }

  std::string socket() const { return folder / "redis.sock"; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port); }
  std::string unix_url() const { return "unix://" + socket(); }

  Folder folder;
  std::uint16_t port = 0;

 private:
  std::vector<std::string> more_;
  std::unique_ptr<Process> process_;
};

}  // namespace limpet::redis
