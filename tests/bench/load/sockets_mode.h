// SocketsMode: a mode whose connections stay: opens as many as were asked for, some at a time, and closes
// them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load/load.h"

namespace limpet::bench {

class Ledger;

class SocketsMode : public Handler {
 public:
  // `more`: sockets beside those that were asked for.
  SocketsMode(Load& load, std::string_view request, std::uint32_t more = 0)
      : load_(load),
        request_(request, 0),
        websockets_(request.find("\r\nUpgrade:") != request.npos),
        count_(load.options().sockets + more) {}

  // Returns when each is open or has failed.
  void open_all(std::uint32_t at_once = 256);
  // Ends them all; with `wait`, until the other side has ended each, too.
  void close_all(bool wait);

  void on_head(Client& client) override;
  void on_end(Client& client, std::string_view why) override;

 protected:
  std::vector<std::unique_ptr<Client>>& clients() { return clients_; }
  std::uint32_t opened() const { return opened_; }
  bool closing() const { return closing_; }
  bool as_expected(Client& client);    // the head of its answer; fails it if not
  void count_as_open(Client& client);  // with the head of its answer, unless a mode says otherwise
  // What all of them cost while they are open and once they have gone: opens and closes them --cycles times;
  // the first time `stages` look at them in between.
  void measure_memory(const std::function<void()>& open, const std::function<void(Ledger&)>& stages);
  void idle_window();  // the CPU that silent connections cost
  Load& load_;

 private:
  void open_next();

  const Pattern request_;
  const bool websockets_;
  const std::uint32_t count_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint32_t next_ = 0;
  std::uint32_t opened_ = 0, failed_ = 0, open_ = 0;
  bool closing_ = false;
};

}  // namespace limpet::bench
