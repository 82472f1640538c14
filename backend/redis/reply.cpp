#include "backend/redis/reply.h"

#include <hiredis/hiredis.h>

#include <charconv>

namespace limpet::redis {

bool Reply::is_nil() const {
  return raw_ == nullptr || raw_->type == REDIS_REPLY_NIL;
}

bool Reply::is_error() const {
  return raw_ != nullptr && raw_->type == REDIS_REPLY_ERROR;
}

bool Reply::is_array() const {
  return raw_ != nullptr && raw_->type == REDIS_REPLY_ARRAY;
}

std::optional<std::int64_t> Reply::integer() const {
  if (raw_ != nullptr && raw_->type == REDIS_REPLY_INTEGER) return raw_->integer;
  if (is_error()) return std::nullopt;
  const std::string_view digits = text();
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::string_view Reply::text() const {
  if (raw_ == nullptr) return {};
  const bool textual =
      raw_->type == REDIS_REPLY_STRING || raw_->type == REDIS_REPLY_STATUS || raw_->type == REDIS_REPLY_ERROR;
  return textual ? std::string_view(raw_->str, static_cast<std::size_t>(raw_->len)) : std::string_view{};
}

std::size_t Reply::size() const {
  return is_array() ? static_cast<std::size_t>(raw_->elements) : 0;
}

Reply Reply::operator[](std::size_t i) const {
  return i < size() ? Reply(raw_->element[i]) : Reply();
}

}  // namespace limpet::redis
