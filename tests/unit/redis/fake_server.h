// FakeServer: speaks as a test wants, on a port of 127.0.0.1, in a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace limpet::redis {

class FakeServer {
 public:
  // What to answer to the bytes of one read; kHangUp at its end: and close.
  using Speak = std::function<std::string(const std::string& heard)>;
  static constexpr char kHangUp = '\x7f';

  explicit FakeServer(Speak speak);
  ~FakeServer();
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  std::string heard() const;  // all of it

  // Greets as Redis does, then answers everything by `answer`.
  static Speak after_greeting(std::string answer);

 private:
  void serve();
  bool talk(int fd);

  Speak speak_;
  std::uint16_t port_ = 0;
  int listening_ = -1;
  std::atomic<bool> over_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::string heard_;
  std::thread thread_;
};

}  // namespace limpet::redis
