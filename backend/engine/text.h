// Text as JavaScript counts and decodes it: UTF-16 lengths, bytes that are no UTF-8, form encoding. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backend/codec/utf8.h"

namespace limpet::engine {

using codec::utf16_length;

// How many bytes of valid UTF-8 hold `units` UTF-16 units; npos if there are fewer, or if the last one is
// half a character.
std::size_t bytes_of_units(std::string_view utf8, std::size_t units);

bool valid_utf8(std::string_view text);

// `text`, if it is valid UTF-8; else `room`, with U+FFFD for what is not, as decoders of the web do it (the
// longest beginning of a character counts as one).
std::string_view as_utf8(std::string_view text, std::string& room);

// A component of application/x-www-form-urlencoded: `encoded` itself, if nothing in it is encoded, else
// `room`. A `%` that is not followed by two digits stands for itself.
std::string_view form_decoded(std::string_view encoded, std::string& room);

}  // namespace limpet::engine
