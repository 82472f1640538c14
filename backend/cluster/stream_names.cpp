#include "backend/cluster/stream_names.h"

#include "backend/cluster/javascript_text.h"

namespace limpet::cluster {

std::string stream_of(std::string_view nsp, const std::string& name, std::uint32_t count) {
  if (count <= 1) return name;
  return name + '-' + std::to_string(std::int64_t{hash_of(nsp)} % std::int64_t{count});
}

std::vector<std::string> streams_that_are_read(const std::string& name, std::uint32_t count) {
  if (count <= 1) return {name};
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) names.push_back(name + '-' + std::to_string(i));
  return names;
}

}  // namespace limpet::cluster
