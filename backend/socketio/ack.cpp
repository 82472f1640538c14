#include "backend/socketio/ack.h"

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {

struct Ack::Shared {
  std::uint32_t count = 1;
  bool used = false;
};

Ack::Ack(Socket& socket, std::uint64_t id) : socket_(&socket), id_(id) {
  intrusive_ptr_add_ref(socket_);
}

Ack::Ack(const Ack& other) : socket_(other.socket_), id_(other.id_) {
  if (socket_ == nullptr) return;
  intrusive_ptr_add_ref(socket_);
  if (other.shared_ == nullptr) other.shared_ = new Shared{1, other.used_};
  shared_ = other.shared_;
  ++shared_->count;
}

Ack::Ack(Ack&& other) noexcept
    : socket_(std::exchange(other.socket_, nullptr)),
      id_(other.id_),
      shared_(std::exchange(other.shared_, nullptr)),
      used_(other.used_) {}

Ack& Ack::operator=(Ack other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(id_, other.id_);
  std::swap(shared_, other.shared_);
  std::swap(used_, other.used_);
  return *this;
}

Ack::~Ack() {
  if (shared_ != nullptr && --shared_->count == 0) delete shared_;
  if (socket_ != nullptr) intrusive_ptr_release(socket_);
}

bool Ack::first() const {
  bool& used = shared_ != nullptr ? shared_->used : used_;
  return !std::exchange(used, true);
}

void Ack::send(const Args& args) const {
  if (socket_ != nullptr && first()) socket_->answer(id_, args);
}

std::string_view text_of(NoAnswer why) {
  switch (why) {
    case NoAnswer::none: break;
    case NoAnswer::timed_out: return "operation has timed out";
    case NoAnswer::disconnected: return "socket has been disconnected";
    case NoAnswer::too_many: return "too many questions are open";
  }
  return "";
}

}  // namespace limpet::socketio
