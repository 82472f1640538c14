#include "tests/unit/redis/servers.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace limpet::redis {
namespace {

std::string text_of(const redisReply* reply) {
  if (reply == nullptr) return "(none)";
  if (reply->type == REDIS_REPLY_INTEGER) return std::to_string(reply->integer);
  std::string text = reply->str != nullptr ? std::string(reply->str, reply->len) : std::string();
  for (std::size_t i = 0; i < reply->elements; ++i) {
    if (i > 0) text += ' ';
    text += text_of(reply->element[i]);
  }
  return text;
}

}  // namespace

bool have_redis_server() {
  return std::system("command -v redis-server redis-cli >/dev/null 2>&1") == 0;
}

Folder::Folder() {
  char name[] = "/tmp/limpet-redis-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool becomes_so(std::chrono::seconds within, const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

Process::Process(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& each : words) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot start " + words[0]);
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nobody behind
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

Process::~Process() {
  end();
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Process::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

int Process::wait() {
  int status = 0;
  if (pid_ > 0) ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

bool Process::running() const {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

Admin::Admin(const std::string& socket) : context_(redisConnectUnix(socket.c_str())) {}

Admin::Admin(const std::string& host, std::uint16_t port) : context_(redisConnect(host.c_str(), port)) {}

std::string Admin::operator()(const std::vector<std::string>& words) {
  if (!connected()) return "(not connected)";
  std::vector<const char*> argv;
  std::vector<std::size_t> lengths;
  for (const std::string& each : words) {
    argv.push_back(each.data());
    lengths.push_back(each.size());
  }
  const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
      static_cast<redisReply*>(
          redisCommandArgv(context_.get(), static_cast<int>(argv.size()), argv.data(), lengths.data())),
      &freeReplyObject);
  return text_of(reply.get());
}

Server::Server(std::vector<std::string> more, bool tcp)
    : port(tcp ? free_port() : 0), more_(std::move(more)) {
  start();
}

void Server::start() {
  std::vector<std::string> words{"redis-server",
                                 "--port",
                                 std::to_string(port),
                                 "--bind",
                                 "127.0.0.1",
                                 "--unixsocket",
                                 socket(),
                                 "--dir",
                                 folder.path(),
                                 "--save",
                                 "",
                                 "--appendonly",
                                 "no",
                                 "--daemonize",
                                 "no",
                                 "--repl-diskless-sync-delay",
                                 "0"};
  words.insert(words.end(), more_.begin(), more_.end());
  process_ = std::make_unique<Process>(words);
  const bool answers = becomes_so(std::chrono::seconds(10), [this] {
    if (!process_->running()) throw std::runtime_error("redis-server has ended at once");
    const std::string said = Admin(socket())({"PING"});
    return said == "PONG" || said.starts_with("NOAUTH");
  });
  if (!answers) throw std::runtime_error("redis-server does not answer");
}

void Server::freeze() const {
  process_->signal(SIGSTOP);
}

void Server::thaw() const {
  process_->signal(SIGCONT);
}

}  // namespace limpet::redis
