// A Redis URL: refused, or read; what is shown of it reads the same again and has no password in it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "backend/redis/settings.h"

using namespace limpet::redis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse_url({reinterpret_cast<const char*>(data), size});
  const auto* settings = std::get_if<Settings>(&parsed);
  if (settings == nullptr) return 0;
  const std::string text = shown(*settings);
  const bool plain =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+:/.,-_[]?=") ==
      std::string::npos;
  if (!plain) return 0;  // a path or a master that would have to be encoded
  const auto again = parse_url(text);
  const auto* same = std::get_if<Settings>(&again);
  const bool path = settings->endpoints[0].host.starts_with('/');
  if (path && text.find('?') != text.rfind('?')) return 0;
  if (settings->kind == Kind::sentinel && settings->master.find_first_of("/?") != std::string::npos) return 0;
  if (path && settings->endpoints[0].host.find('?') != std::string::npos) return 0;
  if (same == nullptr || same->endpoints != settings->endpoints || same->kind != settings->kind ||
      same->master != settings->master || same->db != settings->db || same->tls.on != settings->tls.on ||
      !same->password.empty()) {
    std::abort();
  }
  return 0;
}
