// SidTable against a map that forgets nothing: what is found is what was last learned and is alive, what is
// missing was forgotten, has expired or was evicted, the bounds hold, and in the end the table can be emptied
// to the last.
//
// Input: a byte for the size of the table, then operations of three bytes: what, which sid, how.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "routing/sid_table.h"

namespace {

using limpet::routing::ClientKey;
using limpet::routing::SidTable;

struct Known {
  std::uint32_t serial;
  std::uint32_t life_ms;
  std::uint64_t touched;
  bool pinned;
};

void require(bool fact) {
  if (!fact) std::abort();
}

ClientKey source(std::uint8_t number) {
  const std::uint8_t address[4] = {10, 0, 0, number};
  return ClientKey::of(address);
}

class Model {
 public:
  explicit Model(std::size_t most) : table_(most) {}

  void step(std::uint8_t what, std::uint8_t which, std::uint8_t how) {
    const std::string sid = "s" + std::to_string(which) + (what & 0x80 ? "x" : "");
    switch (what & 7) {
      case 0:
      case 1: learn(sid, how); break;
      case 2:
      case 3:
      case 4: touch(sid); break;
      case 5: pin(sid); break;
      case 6:
        table_.forget(sid);
        known_.erase(sid);
        break;
      default: now_ += how * std::uint64_t{how}; break;
    }
    require(table_.size() <= table_.most());
    require(table_.on_probation() <= table_.size());
    require(table_.size() <= known_.size());
    require(missing_ <= table_.evicted());
  }

  void finish() {
    while (!known_.empty()) {
      table_.forget(known_.begin()->first);
      known_.erase(known_.begin());
    }
    require(table_.size() == 0 && table_.on_probation() == 0);
  }

 private:
  void learn(const std::string& sid, std::uint8_t how) {
    const std::uint32_t life = 1u << (how & 15);
    table_.learn(sid, ++serial_, source(how >> 4), life, now_);
    known_[sid] = {serial_, life, now_, false};
  }
  void touch(const std::string& sid) {
    const auto found = table_.touch(sid, now_);
    const auto at = known_.find(sid);
    if (!found) {
      if (at == known_.end()) return;
      const bool expired = !at->second.pinned && now_ - at->second.touched > at->second.life_ms;
      if (!expired) ++missing_;  // evicted, and counted so
      known_.erase(at);
      return;
    }
    require(at != known_.end());
    Known& known = at->second;
    require(known.serial == found->server_serial && known.life_ms == found->life_ms);
    // A pinned one may have been evicted or dropped before the pin: then it was not found at all.
    require(known.pinned || now_ - known.touched <= known.life_ms);
    known.touched = now_;
  }
  void pin(const std::string& sid) {
    table_.pin(sid);
    const auto at = known_.find(sid);
    if (at == known_.end()) return;
    if (now_ - at->second.touched > at->second.life_ms && !at->second.pinned) {
      table_.forget(sid);  // expired: whether it was still there to be pinned is the table's affair
      known_.erase(at);
      return;
    }
    at->second.pinned = true;
  }

  SidTable table_;
  std::map<std::string, Known> known_;
  std::uint64_t now_ = 1000;
  std::uint64_t missing_ = 0;
  std::uint32_t serial_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Model model(std::max<std::size_t>(data[0], 1));
  for (std::size_t i = 1; i + 3 <= size; i += 3) model.step(data[i], data[i + 1], data[i + 2]);
  model.finish();
  return 0;
}
