// getaddrinfo() on short-lived threads: a name server that does not answer holds a thread, never the loop.
#include "proxy/net/resolver.h"

#include <netdb.h>
#include <pthread.h>

#include <deque>
#include <mutex>
#include <thread>

namespace limpet::net {

// Shared with the threads, which may outlive the Resolver (a lookup can take half a minute).
struct Resolver::Impl : std::enable_shared_from_this<Resolver::Impl> {
  static constexpr int kMostThreads = 4;
  struct Question {
    std::string host;
    std::uint16_t port;
    Answer then;
  };

  std::mutex mutex;
  Loop* loop;  // nullptr once the Resolver is gone
  std::deque<Question> waiting;
  int threads = 0;

  explicit Impl(Loop& l) : loop(&l) {}
  void ask(Question question);
  void work();
  void deliver(Question& question, std::vector<Address> addresses, std::string error);
};

namespace {

std::pair<std::vector<Address>, std::string> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return {{}, ::gai_strerror(failed)};
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    addresses.push_back(Address::from(each->ai_addr, each->ai_addrlen));
  }
  ::freeaddrinfo(found);
  return {std::move(addresses), {}};
}

}  // namespace

void Resolver::Impl::ask(Question question) {
  std::lock_guard lock(mutex);
  waiting.push_back(std::move(question));
  if (threads >= kMostThreads) return;
  ++threads;
  std::thread([self = shared_from_this()] {
    ::pthread_setname_np(::pthread_self(), "limpet-names");
    self->work();
  }).detach();
}

void Resolver::Impl::work() {
  std::unique_lock lock(mutex);
  while (loop != nullptr && !waiting.empty()) {
    Question question = std::move(waiting.front());
    waiting.pop_front();
    lock.unlock();
    auto [addresses, error] = look_up(question.host, question.port);
    lock.lock();
    deliver(question, std::move(addresses), std::move(error));
  }
  --threads;
}

void Resolver::Impl::deliver(Question& question, std::vector<Address> addresses, std::string error) {
  if (loop == nullptr) return;  // the mutex is held: the loop cannot go while we post
  loop->post([self = weak_from_this(), then = std::move(question.then), addresses = std::move(addresses),
              error = std::move(error)]() mutable {
    if (self.lock()) then(std::move(addresses), std::move(error));
  });
}

Resolver::Resolver(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Resolver::~Resolver() {
  std::lock_guard lock(impl_->mutex);
  impl_->loop = nullptr;
  impl_->waiting.clear();
}

void Resolver::resolve(const std::string& host, std::uint16_t port, Answer then) {
  impl_->ask({host, port, std::move(then)});
}

}  // namespace limpet::net
