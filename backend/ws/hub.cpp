#include "backend/ws/hub.h"

#include "backend/ws/socket_impl.h"

namespace limpet::ws {

Hub::Hub(net::Loop& loop, std::uint64_t linger_ms)
    : loop_(loop), linger_ms_(linger_ms), scratch_(new char[kScratch]) {}

Hub::~Hub() {
  while (!leaving_.empty()) delete leaving_.back();
}

void Hub::give_back() {
  if (inflated_.size() > kScratch) std::vector<char>().swap(inflated_);
  if (deflated_.size() > kScratch) std::vector<char>().swap(deflated_);
}

void Hub::adopt(Socket::Impl& socket) {
  socket.place = leaving_.size();
  leaving_.push_back(&socket);
}

void Hub::forget(Socket::Impl& socket) {
  leaving_.back()->place = socket.place;
  leaving_[socket.place] = leaving_.back();
  leaving_.pop_back();
}

}  // namespace limpet::ws
