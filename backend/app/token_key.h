// The inside of TokenVerifier: what checks a signature. The only files of app that see OpenSSL are
// token_key's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "backend/app/token.h"

namespace limpet::app {

struct TokenVerifier::Key {
  virtual ~Key() = default;
  virtual std::string_view algorithm() const = 0;
  virtual std::size_t bits() const = 0;
  virtual bool is_secret() const = 0;
  virtual bool signs(std::string_view signed_part, std::string_view signature) const = 0;
  static std::variant<std::unique_ptr<Key>, std::string> make(std::string_view bytes);
};

}  // namespace limpet::app
