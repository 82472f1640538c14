// Any bytes as a configuration: a Config or problems, never both, and no control byte of the file in a
// message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/config/load.h"

namespace config = limpet::config;

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
  return 0;
}
