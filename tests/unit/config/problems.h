// What load_text() says of a text, as `limpet check` prints it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/load.h"

namespace limpet::config {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kShortest = R"([[listener]]
address = "0.0.0.0:80"

[pool.ws]
servers = ["ws1=10.0.1.1:3000", "ws2=10.0.1.2:3000", "ws3=ws3.internal:3000"]
)";

inline std::vector<std::string> printed(const std::vector<Problem>& all) {
  std::vector<std::string> lines;
  for (const Problem& each : all) lines.push_back(format("f", each));
  return lines;
}
inline std::vector<std::string> problems(std::string_view text) {
  return printed(load_text(text, "f").problems);
}
inline std::vector<std::string> warnings(std::string_view text) {
  return printed(load_text(text, "f").warnings);
}
// What lines added to the shortest file bring: to its pool, whose sixth line they begin at, or after it.
inline std::vector<std::string> in_pool(const std::string& line) {
  return problems(std::string(kShortest) + line + "\n");
}
inline std::vector<std::string> warned(const std::string& line) {
  return warnings(std::string(kShortest) + line + "\n");
}
inline std::vector<std::string> with(const std::string& more) {
  return in_pool(more);
}
inline std::shared_ptr<const Config> loaded(const std::string& more) {
  return load_text(std::string(kShortest) + more + "\n", "f").config;
}

}  // namespace limpet::config
