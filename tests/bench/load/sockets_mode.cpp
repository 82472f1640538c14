#include "tests/bench/load/sockets_mode.h"

#include <stdexcept>

#include "tests/bench/load/ledger.h"

namespace limpet::bench {

void SocketsMode::open_all(std::uint32_t at_once) {
  clients_.clear();
  for (std::uint32_t i = 0; i < count_; ++i) clients_.push_back(std::make_unique<Client>(load_, *this, i));
  next_ = opened_ = failed_ = 0;
  closing_ = false;
  for (std::uint32_t i = 0; i < at_once; ++i) open_next();
  load_.loop(*this, [this] { return opened_ + failed_ >= count_; });
  if (opened_ == 0) throw std::runtime_error("no socket could be opened");
}

void SocketsMode::open_next() {
  while (next_ < clients_.size()) {
    Client& client = *clients_[next_++];
    if (client.connect(request_)) return;
    ++failed_;
    load_.error(client.why());
  }
}

void SocketsMode::on_head(Client& client) {
  if (as_expected(client)) count_as_open(client);
}

bool SocketsMode::as_expected(Client& client) {
  if (!websockets_ || client.upgraded()) return true;
  client.fail("200 instead of 101");
  return false;
}

void SocketsMode::count_as_open(Client& client) {
  client.ready = true;
  ++opened_;
  ++open_;
  open_next();
}

void SocketsMode::on_end(Client& client, std::string_view why) {
  if (client.ready) {
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

void SocketsMode::measure_memory(const std::function<void()>& open,
                                 const std::function<void(Ledger&)>& stages) {
  Ledger ledger(load_);
  for (std::uint32_t i = 0; i < load_.options().cycles; ++i) {
    open();
    if (i == 0) stages(ledger);
    close_all(true);
    load_.loop_for(*this, load_.options().seconds);
    if (i == 0) ledger.stage("after_close", opened());
    ledger.cycle();
  }
}

void SocketsMode::idle_window() {
  load_.begin_window();
  load_.unit(opened());
  load_.loop_for(*this, load_.options().seconds);
  load_.end_window();
}

}  // namespace limpet::bench
