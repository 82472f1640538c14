#include "backend/codec/args.h"

#include <boost/json/object.hpp>

namespace limpet::codec {

const boost::json::value& Args::operator[](std::size_t i) const {
  static const boost::json::value kNull;
  return i < values_.size() ? values_[i] : kNull;
}

boost::json::value Args::attach(std::string bytes) {
  binaries_.push_back(std::move(bytes));
  return {{"_placeholder", true}, {"num", binaries_.size() - 1}};
}

const std::string* Args::binary(const boost::json::value& value) const {
  if (binaries_.empty() || !value.is_object()) return nullptr;
  const boost::json::object& object = value.get_object();
  const boost::json::value* mark = object.if_contains("_placeholder");
  const boost::json::value* num = object.if_contains("num");
  if (mark == nullptr || num == nullptr || !mark->is_bool() || !mark->get_bool()) return nullptr;
  std::uint64_t index = binaries_.size();
  if (num->is_int64() && num->get_int64() >= 0) index = static_cast<std::uint64_t>(num->get_int64());
  if (num->is_uint64()) index = num->get_uint64();
  return index < binaries_.size() ? &binaries_[index] : nullptr;
}

}  // namespace limpet::codec
