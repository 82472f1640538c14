#include "routing/server.h"

#include <utility>

#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

std::uint32_t next_serial() {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Server::Server(std::string pool_name, std::string server_id)
    : pool(std::move(pool_name)),
      id(std::move(server_id)),
      tag(server_tag(id)),
      id_hash(XXH3_64bits(id.data(), id.size())),
      serial(next_serial()) {}

std::string server_tag(std::string_view id) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::uint64_t hash = XXH3_64bits(id.data(), id.size());
  std::string tag(8, '\0');
  for (int i = 0; i < 8; ++i) tag[static_cast<std::size_t>(i)] = digits[(hash >> (58 - 6 * i)) & 63];
  return tag;
}

}  // namespace limpet::routing
