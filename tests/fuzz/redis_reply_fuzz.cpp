// What Redis says, in any split: the same replies, within the bound, and what is made of them.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/redis/reader.h"
#include "backend/redis/slots.h"

using namespace limpet::redis;

namespace {

constexpr std::size_t kMost = 64 * 1024;

void describe(const Reply& reply, std::string& out, int depth = 0) {
  if (depth > 64) return;
  out += reply.is_nil() ? "nil" : reply.is_error() ? "-" : reply.is_array() ? "[" : "";
  out += reply.text();
  if (const auto number = reply.integer()) out += std::to_string(*number);
  for (std::size_t i = 0; i < reply.size(); ++i) describe(reply[i], out, depth + 1);
  out += ';';
}

// Replies, as texts; ends with what broke it.
std::vector<std::string> read_all(const std::uint8_t* data, std::size_t size, std::size_t step) {
  Reader reader(kMost);
  std::vector<std::string> all;
  const Endpoint asked{"h", 1};
  for (std::size_t at = 0; at < size; at += step) {
    const std::size_t piece = step < size - at ? step : size - at;
    reader.feed({reinterpret_cast<const char*>(data) + at, piece});
    while (const auto reply = reader.next()) {
      describe(*reply, all.emplace_back());
      (void)read_slots(*reply, asked);
      (void)read_redirect(reply->text(), asked);
    }
  }
  if (!reader.broken().empty()) all.push_back("broken");
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[0] + 1u;
  const auto whole = read_all(data + 1, size - 1, size);
  const auto split = read_all(data + 1, size - 1, step);
  if (whole != split) std::abort();
  slot_of({reinterpret_cast<const char*>(data), size});
  return 0;
}
