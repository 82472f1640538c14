// What a publisher on Redis may say on the channels of the sharded and the streams adapter: it is used or
// counted, and nothing else happens.
#include <cstdint>
#include <string_view>

#include "tests/fuzz/family_probe.h"

using namespace limpet;
using namespace limpet::cluster;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (auto said = family::read(body)) broadcast_stays(std::move(*said));
  ProbeWorld world;
  world.probe->broadcast_with_ack(
      {"x", {}}, {}, [](std::size_t) {}, [](const codec::Args&) {});
  world.probe->on_message("socket.io#/#", body);
  world.host.answer({1});
  return 0;
}
