#include "backend/socketio/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace limpet::socketio {

std::string_view Ids::next() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (used_ + kBytes > random_.size()) {
    for (std::size_t have = 0; have < random_.size();) {
      const ssize_t got = getrandom(random_.data() + have, random_.size() - have, 0);
      if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
      if (got > 0) have += static_cast<std::size_t>(got);
    }
    used_ = 0;
  }
  const unsigned char* bytes = random_.data() + used_;
  used_ += kBytes;
  for (std::size_t i = 0; i < kLength; i += 4, bytes += 3) {
    const unsigned bits = bytes[0] << 16U | bytes[1] << 8U | bytes[2];
    for (std::size_t j = 0; j < 4; ++j) text_[i + j] = kAlphabet[bits >> (18U - 6U * j) & 63U];
  }
  return {text_.data(), text_.size()};
}

}  // namespace limpet::socketio
