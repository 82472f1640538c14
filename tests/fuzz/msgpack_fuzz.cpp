// MessagePack: whatever is read can be written, and what is written is read as the same. JSON, too, passes
// through it unchanged.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"
#include "backend/codec/msgpack.h"

using namespace limpet::codec;

namespace {

std::string written(const Args& args) {
  msgpack::Writer writer;
  writer.value(args[0], args);
  return std::string(writer.bytes());
}
std::string json(const Args& args) {
  std::string text;
  write_json_with_buffers(text, args[0], args);
  return text;
}
void stays(const Args& args) {
  const std::string once = written(args);
  const auto again = msgpack::read(once);
  if (!again || written(*again) != once || json(*again) != json(args)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto args = msgpack::read(bytes)) stays(*args);
  (void)msgpack::read(bytes, {.depth = 3, .elements = 20});
  if (const auto value = JsonReader(bytes, 64).read()) {
    // Lone surrogates, which UTF-8 cannot have, become U+FFFD on their way.
    msgpack::Writer writer;
    writer.value(*value, {});
    const auto read = msgpack::read(writer.bytes());
    if (!read) std::abort();
    stays(*read);
  }
  return 0;
}
