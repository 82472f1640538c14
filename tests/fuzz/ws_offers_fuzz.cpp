// What a client offers of permessage-deflate: an answer says nothing that was not offered, and reads as it
// is.
#include <cassert>
#include <string>

#include "backend/ws/deflate.h"
#include "proxy/wire/ws_deflate.h"

using namespace limpet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view offers(reinterpret_cast<const char*>(data), size);
  wire::DeflateOffers list(offers);
  wire::DeflateOffer offer;
  const bool any = list.next(offer);
  for (const auto mode : {ws::Deflate::off, ws::Deflate::shared, ws::Deflate::dedicated}) {
    const ws::Agreement agreement = ws::negotiate(offers, mode);
    const std::string answer = ws::answer_of(agreement);
    assert(answer.empty() == (agreement.mode == ws::Deflate::off));
    if (answer.empty()) continue;
    assert(any && agreement.mode == mode);
    wire::DeflateOffers again(answer);
    wire::DeflateOffer said;
    assert(again.next(said));
    assert(said.server_no_context_takeover == !agreement.we_keep_context);
    assert(said.client_no_context_takeover == !agreement.client_keeps_context);
    assert(said.server_max_window_bits == (agreement.window_bits < 15 ? agreement.window_bits : 0));
    assert(said.client_max_window_bits == 0);
  }
  return 0;
}
