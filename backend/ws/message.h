// Message: one WebSocket message to be sent, encoded once and shared by all who are due it.
//
// The bytes are a finished, unmasked frame, so that any number of connections can send them as they are.
// Immutable but for the compressed form, which is made when it is first asked for. One thread's: the count is
// no atomic. What it takes is counted once (budget/share.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "proxy/wire/ws_frame.h"

namespace limpet::ws {

enum class Kind : std::uint8_t { text, binary };

class MessageRef;

class Message {
 public:
  // The pieces are joined; together they are the body.
  static MessageRef make(Kind kind, std::initializer_list<std::string_view> pieces);
  static MessageRef control(wire::Opcode opcode, std::string_view body);  // at most 125 bytes
  // One whose body has been compressed for one connection.
  static MessageRef compressed(Kind kind, std::string_view deflated);
  // Bytes that go out as they are: a frame made elsewhere, what is left of a 101.
  static MessageRef raw(Kind kind, std::string_view bytes);

  Kind kind() const { return kind_; }
  bool is_raw() const { return head_ == 0; }  // or compressed: body() is the frame
  std::string_view body() const { return {bytes() + head_, size_}; }
  std::string_view frame() const { return {bytes(), head_ + size_}; }
  // The frame compressed on its own (RFC 7692 without context takeover). The plain frame of a message of less
  // than 1024 bytes, and if that is not longer.
  std::string_view deflated_frame() const;

 private:
  friend class MessageRef;
  static MessageRef allocate(Kind kind, std::string_view head, std::size_t size, char*& body);
  Message(Kind kind, std::size_t head, std::size_t size);
  ~Message();
  void deflate() const;
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  mutable std::uint32_t count_ = 0;
  std::uint8_t head_;  // bytes of the frame's head: 2, 4 or 10; 0: all is raw
  Kind kind_;
  mutable bool compressible_;  // and not yet tried
  std::size_t size_;
  mutable char* deflated_ = nullptr;
  mutable std::size_t deflated_size_ = 0;
};

// A counted reference.
class MessageRef {
 public:
  MessageRef() = default;
  explicit MessageRef(const Message* message) : message_(message) { retain(); }
  MessageRef(const MessageRef& other) : message_(other.message_) { retain(); }
  MessageRef(MessageRef&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  MessageRef& operator=(MessageRef other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~MessageRef() { release(); }

  explicit operator bool() const { return message_ != nullptr; }
  const Message& operator*() const { return *message_; }
  const Message* operator->() const { return message_; }

 private:
  void retain() {
    if (message_ != nullptr) ++message_->count_;
  }
  void release();  // frees the message with its last reference
  const Message* message_ = nullptr;
};

}  // namespace limpet::ws
