// Which streams there are, and which one a namespace's messages are written to. Pure.
//
// With several, a namespace chooses by a hash that JavaScript's remainder leaves negative for half of them:
// Node.js writes those to NAME--1 and the like, and reads NAME-0 and up alone. We write where it writes, and
// read both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::cluster {

std::string stream_of(std::string_view nsp, const std::string& name, std::uint32_t count);
std::vector<std::string> streams_that_are_read(const std::string& name, std::uint32_t count);  // by Node.js

}  // namespace limpet::cluster
