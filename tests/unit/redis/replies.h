// Replies: a Reader that is fed a text, for tests of what is made of answers.
#pragma once

#include <optional>
#include <string_view>

#include "backend/redis/reader.h"

namespace limpet::redis {

struct Read {
  explicit Read(std::string_view bytes, std::size_t most = 1 << 20) : reader(most) {
    reader.feed({bytes.data(), bytes.size()});
    if (const auto next = reader.next()) reply = *next;
  }
  Reader reader;
  Reply reply;
};

}  // namespace limpet::redis
