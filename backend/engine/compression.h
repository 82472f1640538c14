// Compression of polls: which coding a client takes, and the bytes. Pure but for zlib's memory, one a thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::engine {

enum class Coding : std::uint8_t { identity, gzip, deflate };

// Of Accept-Encoding, as Node.js servers choose: the higher quality, then a named coding before `*`, then the
// client's order.
Coding choose_coding(std::string_view accept_encoding);
std::string_view name_of(Coding coding);

// Appends; false if zlib has no memory.
bool compress(std::string& out, Coding coding, std::string_view body);

}  // namespace limpet::engine
