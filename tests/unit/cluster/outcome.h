// Outcome: what a question to other nodes has come to: the sockets that were found, or the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"
#include "tests/unit/cluster/fake_host.h"

namespace limpet::cluster {

struct Outcome {
  int times = 0;
  std::string error, answers;
  std::vector<adapter::RemoteSocket> sockets;
  bool done() const { return times > 0; }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& each : sockets) all.push_back(each.id);
    return all;
  }
  auto found() {
    return [this](std::string_view what, std::vector<adapter::RemoteSocket> all) {
      ++times;
      error = what;
      sockets = std::move(all);
    };
  }
  auto answered() {
    return [this](std::string_view what, const codec::Args& all) {
      ++times;
      error = what;
      answers = FakeHost::json(all);
    };
  }
};

}  // namespace limpet::cluster
