// By itself: <filesystem> brings std::quoted(), which a call with a std::string would take before ours.
#include <filesystem>

#include "proxy/config/values.h"

namespace limpet::config {

std::string normal_path(std::string_view path) {
  return std::filesystem::path(path).lexically_normal();
}

}  // namespace limpet::config
