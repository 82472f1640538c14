// StreamsWorld: nodes of the streams adapter, a hand that writes entries, and clients that come back.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/cluster/family_world.h"

namespace limpet::cluster {

class StreamsWorld : public FamilyWorld {
 protected:
  std::string add_entry(const std::string& type, const std::string& data, const std::string& uid = "peer",
                        const std::string& nsp = "/", const std::string& stream = "socket.io") {
    return (*server)({"XADD", stream, "*", "uid", uid, "nsp", nsp, "type", type, "data", data});
  }
  std::string add_event(const std::string& name, const std::string& opts = "{}") {
    return add_entry("3", R"({"packet":{"type":2,"data":[")" + name + R"("]},"opts":)" + opts + "}");
  }
  // Reads from here on.
  void until_reading(Node& node) {
    FakeSocket& probe = node.host.add("probe");
    ASSERT_TRUE(until([&] {
      add_event("probe", R"({"rooms":["probe"]})");
      return !probe.heard.empty();
    }));
    node.host.rooms().remove(probe);
  }
  static StreamsSettings recovery(bool eager = false) {
    StreamsSettings settings;
    settings.max_disconnection_ms = 60'000;
    settings.eager = eager;
    return settings;
  }
  static std::string text(const adapter::Encoded& packet) { return std::string(packet.head->body()); }
  struct Back {
    int times = 0;
    std::optional<adapter::Restored> restored;
    std::vector<std::string> missed;
    bool done() const { return times > 0; }
    auto take() {
      return [this](std::optional<adapter::Restored> found) {
        ++times;
        restored = std::move(found);
        if (!restored) return;
        for (const auto& packet : restored->missed) missed.push_back(text(packet));
      };
    }
  };
  static std::string offset_of(const std::string& heard) {
    const auto end = heard.rfind('"');
    const auto begin = heard.rfind('"', end - 1);
    return heard.substr(begin + 1, end - begin - 1);
  }
};

}  // namespace limpet::cluster
