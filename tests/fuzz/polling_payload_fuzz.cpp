// Payloads of long polling: whatever is read can be written in its form, and reads the same again.
#include <cassert>
#include <string>
#include <vector>

#include "backend/engine/payload.h"
#include "backend/engine/text.h"

using namespace limpet;
using namespace limpet::engine;

namespace {

struct Read {
  Type type;
  ws::Kind kind;
  std::string data;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read(Form form, std::string_view body) {
  std::vector<Read> all;
  PayloadReader reader(form, body);
  Packet packet;
  while (reader.next(packet) == PayloadReader::Step::packet) {
    all.push_back({packet.type, packet.kind, std::string(packet.data)});
  }
  assert(reader.next(packet) == PayloadReader::Step::end);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto form = static_cast<Form>(data[0] % 3);
  std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string room;
  if (form != Form::bytes) body = as_utf8(body, room);
  assert(form == Form::bytes || valid_utf8(body));

  std::vector<Read> wanted;
  std::vector<ws::MessageRef> packets;
  for (Read& each : read(form, body)) {
    // Binary packets of other types are read, and written never.
    if (each.kind == ws::Kind::binary && each.type != Type::message) continue;
    const char type = static_cast<char>('0' + static_cast<int>(each.type));
    packets.push_back(each.kind == ws::Kind::binary ? ws::Message::make(each.kind, {each.data})
                                                    : ws::Message::make(each.kind, {{&type, 1}, each.data}));
    wanted.push_back(std::move(each));
  }
  if (packets.empty()) return 0;
  std::string written;
  append_payload(written, form, packets);
  assert(read(form, written) == wanted);
  return 0;
}
