// What JavaScript sees in a text: units of UTF-16. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace limpet::cluster {

std::size_t utf16_size(std::string_view text);  // each byte that is not of UTF-8 is one
// The hash by which namespaces choose their streams: h * 31 + unit, in 32 bits with a sign.
std::int32_t hash_of(std::string_view utf8);

}  // namespace limpet::cluster
