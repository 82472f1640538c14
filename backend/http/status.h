// Reason phrases, as Node.js writes them.
#pragma once

#include <string_view>

namespace limpet::http {

std::string_view reason_phrase(int status);

}  // namespace limpet::http
