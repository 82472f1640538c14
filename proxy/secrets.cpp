#include "proxy/secrets.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "backend/app/small_file.h"
#include "proxy/config/node_keys.h"

namespace limpet {
namespace {

constexpr std::string_view kPasswordFlag = "--redis-sentinel-password";

std::variant<std::string, Unreadable> of_file(const std::string& path) {
  auto file = app::read_small_file(path);
  if (auto* why = std::get_if<std::string>(&file)) return Unreadable{std::move(*why)};
  std::string& bytes = std::get<app::SmallFile>(file).bytes;
  if (bytes.ends_with('\n')) bytes.pop_back();
  if (bytes.ends_with('\r')) bytes.pop_back();
  if (bytes.empty()) return Unreadable{path + " is empty"};
  return std::move(bytes);
}

// redis://user:PASSWORD@host: what is between the first colon after "://" and the last "@".
void hide_password(char* argument) {
  const std::string_view text(argument);
  const std::size_t scheme = text.find("://");
  const std::size_t end = text.rfind('@');
  if (scheme == std::string_view::npos || end == std::string_view::npos) return;
  const std::size_t colon = text.find(':', scheme + 3);
  if (colon < end) std::fill(argument + colon + 1, argument + end, '*');
}

}  // namespace

std::variant<std::string, Unreadable> read_secret(std::string_view text) {
  if (text.starts_with(config::kFromFile)) return of_file(std::string(text.substr(config::kFromFile.size())));
  if (!text.starts_with(config::kFromVariable)) return std::string(text);
  const std::string name(text.substr(config::kFromVariable.size()));
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return Unreadable{name + " is not set"};
  if (*value == '\0') return Unreadable{name + " is empty"};
  return std::string(value);
}

std::string without_password(std::string text) {
  hide_password(text.data());
  return text;
}

void hide_secrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    hide_password(argv[i]);
    const std::string_view text(argv[i]);
    if (text.starts_with(kPasswordFlag) && text.substr(kPasswordFlag.size()).starts_with('='))
      std::fill(argv[i] + kPasswordFlag.size() + 1, argv[i] + text.size(), '*');
    else if (text == kPasswordFlag && i + 1 < argc)
      std::fill(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]), '*');
  }
}

}  // namespace limpet
