// Any bytes as a configuration: a Config or problems, never both, and no control byte of the file in a
// message. What the bundle's children read is made of every such Config's text, and is a configuration as
// well.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/config/derive.h"
#include "proxy/config/load.h"

namespace config = limpet::config;

namespace {

void derive(std::string_view text, const config::Bundle& owners) {
  config::BundleProxy bundle;
  bundle.servers = {{"n1", "unix:/run/x/n1.sock"}, {"n2", "127.0.0.1:3002"}};
  bundle.listener = "127.0.0.1:8080";
  bundle.admin = "unix:/run/x/proxy.sock";
  bundle.drain_timeout = std::chrono::seconds(30);
  bundle.cookie = !owners.command.empty();
  for (const bool quiet : {false, true}) {
    bundle.quiet = quiet;
    const auto proxy = config::load_text(config::proxy_document(text, bundle), "proxy").config;
    if (!proxy || proxy->bundle || proxy->find_pool(config::Bundle::kPool)->servers.size() != 2) std::abort();
  }
  const std::string redis = owners.redis.value_or("unix:/run/x/redis.sock");
  if (!config::load_text(config::node_document(text, redis, owners.adapter), "node").config) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::Loaded loaded = config::load_text(text, "fuzz.toml");
  if ((loaded.config != nullptr) != loaded.problems.empty()) std::abort();
  for (const auto* list : {&loaded.problems, &loaded.warnings}) {
    for (const config::Problem& each : *list) {
      if (each.line < 1 || each.column < 1) std::abort();
      for (const char c : config::format("fuzz.toml", each)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
      }
    }
  }
  if (loaded.config && loaded.config->bundle) derive(text, *loaded.config->bundle);
  return 0;
}
