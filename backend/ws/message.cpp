#include "backend/ws/message.h"

#include <cstring>
#include <new>

#include "backend/budget/share.h"
#include "backend/ws/deflate.h"

namespace limpet::ws {
namespace {

constexpr std::uint8_t first_byte(Kind kind, bool compressed) {
  const auto opcode = kind == Kind::text ? wire::Opcode::text : wire::Opcode::binary;
  return static_cast<std::uint8_t>(opcode) | wire::kFin | (compressed ? wire::kRsv1 : 0);
}

}  // namespace

Message::Message(Kind kind, std::size_t head, std::size_t size)
    : head_(static_cast<std::uint8_t>(head)),
      kind_(kind),
      compressible_(head > 0 && size >= kDeflateFrom),
      size_(size) {}

Message::~Message() {
  budget::refund(sizeof(Message) + head_ + size_ + deflated_size_);
  delete[] deflated_;
}

MessageRef Message::allocate(Kind kind, std::string_view head, std::size_t size, char*& body) {
  auto* message = new (::operator new(sizeof(Message) + head.size() + size)) Message(kind, head.size(), size);
  budget::charge(sizeof(Message) + head.size() + size);
  body = reinterpret_cast<char*>(message + 1);
  if (!head.empty()) std::memcpy(body, head.data(), head.size());
  body += head.size();
  return MessageRef(message);
}

MessageRef Message::make(Kind kind, std::initializer_list<std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  char head[wire::kMostFrameHead];
  const std::size_t length = wire::write_frame_head(head, first_byte(kind, false), size);
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
  return raw(Kind::binary, {frame, head + body.size()});
}

MessageRef Message::compressed(Kind kind, std::string_view deflated) {
  char head[wire::kMostFrameHead];
  const std::size_t length = wire::write_frame_head(head, first_byte(kind, true), deflated.size());
  char* body;
  MessageRef message = allocate(kind, {}, length + deflated.size(), body);
  std::memcpy(body, head, length);
  std::memcpy(body + length, deflated.data(), deflated.size());
  return message;
}

MessageRef Message::raw(Kind kind, std::string_view bytes) {
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
  const std::string_view body = Deflater::shared().deflate(this->body());
  char head[wire::kMostFrameHead];
  const std::size_t length = wire::write_frame_head(head, first_byte(kind_, true), body.size());
  if (length + body.size() >= frame().size()) return;
  deflated_ = new char[length + body.size()];
  deflated_size_ = length + body.size();
  budget::charge(deflated_size_);
  std::memcpy(deflated_, head, length);
  std::memcpy(deflated_ + length, body.data(), body.size());
}

void MessageRef::release() {
  if (message_ == nullptr || --message_->count_ > 0) return;
  message_->~Message();
  ::operator delete(const_cast<Message*>(message_));
}

}  // namespace limpet::ws
