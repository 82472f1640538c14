// Socket.IO packets: whatever is read can be written, and what is written is read as the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/socketio/packet.h"

using namespace limpet::socketio;

namespace {

// Empty: refused, or of a kind that has no arguments.
std::string rewritten(std::string_view text) {
  const Bounds bounds;
  const auto header = read_header(text, bounds);
  if (!header) return {};
  PacketWriter writer;
  EventData event;
  std::string room;
  boost::json::value data;
  if (header->type == Type::event || header->type == Type::binary_event) {
    if (header->payload.empty() || !read_event(*header, bounds, room, event)) return {};
  } else if (header->type == Type::ack || header->type == Type::binary_ack) {
    if (!header->id || !read_ack(*header, bounds, event.args)) return {};
  } else {
    (void)read_payload(*header, bounds, data);
    return {};
  }
  for (std::uint32_t i = 0; i < header->attachments; ++i)
    (void)event.args.attach(std::string(1, static_cast<char>(i)));
  if (!placeholders_fit(event.args.values(), header->attachments, bounds.attachments)) return {};
  if (header->type == Type::event || header->type == Type::binary_event) {
    writer.event(header->nsp, header->id, event.name, event.name_is_number, event.args);
  } else {
    writer.ack(header->nsp, *header->id, event.args);
  }
  return writer.attachments().size() <= bounds.attachments ? std::string(writer.text()) : std::string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string once = rewritten({reinterpret_cast<const char*>(data), size});
  if (!once.empty() && rewritten(once) != once) std::abort();
  return 0;
}
