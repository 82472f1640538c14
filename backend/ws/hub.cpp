#include "backend/ws/hub.h"

#include <algorithm>
#include <cstring>

#include "backend/ws/socket_impl.h"

namespace limpet::ws {

Hub::Hub(net::Loop& loop, std::uint64_t linger_ms, std::uint64_t cut_ms)
    : loop_(loop),
      linger_ms_(linger_ms),
      cut_ms_(cut_ms),
      scratch_(new char[kScratch]),
      joined_(new char[kJoined]) {}

Hub::~Hub() {
  while (!leaving_.empty()) delete leaving_.back();
}

std::span<const char> Hub::join(std::span<const iovec> pieces, std::size_t size) {
  if (size > std::min(kJoined, pieces.size() * kSmall)) return {};
  char* to = joined_.get();
  for (const iovec& each : pieces)
    to = static_cast<char*>(std::memcpy(to, each.iov_base, each.iov_len)) + each.iov_len;
  return {joined_.get(), size};
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

void Hub::weigh(budget::Census& census) const {
  for (const Socket::Impl* each : leaving_) census.count(each->holds());
}

void Hub::evict(budget::Eviction& eviction) {
  for (std::size_t i = leaving_.size(); i > 0; --i) {  // the last one takes the place of one that goes
    Socket::Impl* const socket = leaving_[i - 1];
    if (!eviction.take(socket->holds())) continue;
    socket->stream.reset();
    delete socket;
  }
}

}  // namespace limpet::ws
