// The offers of permessage-deflate in a Sec-WebSocket-Extensions field (RFC 7692, 5 and 7.1). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::wire {

struct DeflateOffer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = 0;  // 8 to 15; 0: not given
  std::uint8_t client_max_window_bits = 0;  // 15 also where it came without a value; 0: not given
};

// Walks the offers of a list (several fields: joined by ","), in the client's order of preference. Other
// extensions are passed over, and so are offers that have to be declined: an unknown parameter, one given
// twice, a bad value (7.1).
class DeflateOffers {
 public:
  explicit DeflateOffers(std::string_view extensions) : rest_(extensions) {}
  bool next(DeflateOffer& offer);

 private:
  std::string_view rest_;
};

}  // namespace limpet::wire
