#include "backend/engine/sids.h"

#include <algorithm>

#include "routing/server.h"

namespace limpet::engine {

Sids::Sids(std::string_view node_id) : tag_(routing::server_tag(node_id)) {}

void Sids::next(char (&sid)[kSize]) {
  random_.write(std::span(sid).first<kRandom>());
  std::ranges::copy(tag_, sid + kRandom);
}

}  // namespace limpet::engine
