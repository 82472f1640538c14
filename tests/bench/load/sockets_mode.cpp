#include "tests/bench/load/sockets_mode.h"

#include <stdexcept>

namespace limpet::bench {

void SocketsMode::open_all(std::uint32_t at_once) {
  const std::uint32_t count = load_.options().sockets;
  clients_.clear();
  for (std::uint32_t i = 0; i < count; ++i) clients_.push_back(std::make_unique<Client>(load_, *this, i));
  next_ = opened_ = failed_ = 0;
  opening_ = true;
  closing_ = false;
  for (std::uint32_t i = 0; i < at_once; ++i) open_next();
  load_.loop(*this, [this, count] { return opened_ + failed_ >= count; });
  opening_ = false;
  if (opened_ == 0) throw std::runtime_error("no socket could be opened");
}

void SocketsMode::open_next() {
  while (next_ < clients_.size() && !clients_[next_++]->connect(request_)) ++failed_;
}

void SocketsMode::on_head(Client&) {
  ++opened_;
  ++open_;
  open_next();
}

void SocketsMode::on_end(Client& client, std::string_view why) {
  if (client.status == 101 || client.status == 200) {
    --open_;
    if (closing_ && why.empty()) return;
    load_.error(why.empty() ? "closed by the other side" : why);
    return;
  }
  ++failed_;
  load_.error(why);
  open_next();
}

void SocketsMode::close_all(bool wait) {
  closing_ = true;
  for (const auto& each : clients_) {
    if (!each->open()) continue;
    if (wait) {
      each->finish();
    } else {
      each->close();
    }
  }
  if (!wait) return;
  load_.loop(
      *this, [this] { return open_ == 0; }, now_ns() + 10 * kSecond);
  if (open_ > 0) load_.error(std::to_string(open_) + " connections did not end within 10 s");
}

}  // namespace limpet::bench
