#include "backend/ws/message.h"

#include <cstring>
#include <new>

namespace limpet::ws {
namespace {

constexpr std::size_t kDeflateFrom = 1024;  // bytes; below that it costs more than it saves

}  // namespace

Message::Message(Kind kind, std::size_t head, std::size_t size)
    : head_(static_cast<std::uint8_t>(head)),
      kind_(kind),
      compressible_(head > 0 && size >= kDeflateFrom),
      size_(size) {}

Message::~Message() {
  delete[] deflated_;
}

MessageRef Message::allocate(Kind kind, std::string_view head, std::size_t size, char*& body) {
  auto* message = new (::operator new(sizeof(Message) + head.size() + size)) Message(kind, head.size(), size);
  body = reinterpret_cast<char*>(message + 1);
  std::memcpy(body, head.data(), head.size());
  body += head.size();
  return MessageRef(message);
}

MessageRef Message::make(Kind kind, std::initializer_list<std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  const auto opcode = kind == Kind::text ? wire::Opcode::text : wire::Opcode::binary;
  char head[wire::kMostFrameHead];
  const std::size_t length =
      wire::write_frame_head(head, wire::kFin | static_cast<std::uint8_t>(opcode), size);
  char* body;
  MessageRef message = allocate(kind, {head, length}, size, body);
  for (const std::string_view piece : pieces) {
    if (!piece.empty())
      body = static_cast<char*>(std::memcpy(body, piece.data(), piece.size())) + piece.size();
  }
  return message;
}

MessageRef Message::control(wire::Opcode opcode, std::string_view body) {
  char frame[2 + wire::kMostControlBody];
  body = body.substr(0, wire::kMostControlBody);
  const std::size_t head =
      wire::write_frame_head(frame, wire::kFin | static_cast<std::uint8_t>(opcode), body.size());
  if (!body.empty()) std::memcpy(frame + head, body.data(), body.size());
  return finished(Kind::binary, {frame, head + body.size()});
}

MessageRef Message::finished(Kind kind, std::string_view bytes) {
  char* body;
  MessageRef message = allocate(kind, {}, bytes.size(), body);
  if (!bytes.empty()) std::memcpy(body, bytes.data(), bytes.size());
  return message;
}

std::string_view Message::deflated_frame() const {
  if (compressible_) deflate();
  return deflated_ != nullptr ? std::string_view(deflated_, deflated_size_) : frame();
}

void Message::deflate() const {
  compressible_ = false;
}

void MessageRef::release() {
  if (message_ == nullptr || --message_->count_ > 0) return;
  message_->~Message();
  ::operator delete(const_cast<Message*>(message_));
}

}  // namespace limpet::ws
