#include "backend/codec/args.h"

#include <boost/json/object.hpp>

namespace limpet::codec {
namespace {

bool marked(const boost::json::object& object) {
  const boost::json::value* mark = object.if_contains("_placeholder");
  return mark != nullptr && mark->is_bool() && mark->get_bool();
}

std::size_t attachments_in(const Args& args, const boost::json::value& value) {
  if (args.binary(value) != nullptr) return 1;
  if (args.dangles(value)) return 0;
  std::size_t count = 0;
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) count += attachments_in(args, element);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) count += attachments_in(args, member.value());
  }
  return count;
}

}  // namespace

const boost::json::value& Args::operator[](std::size_t i) const {
  static const boost::json::value kNull;
  return i < values_.size() ? values_[i] : kNull;
}

boost::json::value Args::attach(std::string bytes) {
  binaries_.push_back(std::move(bytes));
  return {{"_placeholder", true}, {"num", binaries_.size() - 1}};
}

boost::json::value Args::adopt(const Args& from, const boost::json::value& value) {
  if (from.binaries().empty()) return value;
  if (const std::string* bytes = from.binary(value)) return attach(*bytes);
  if (const auto* array = value.if_array()) {
    boost::json::array copy;
    copy.reserve(array->size());
    for (const auto& element : *array) copy.push_back(adopt(from, element));
    return copy;
  }
  if (const auto* object = value.if_object()) {
    boost::json::object copy;
    copy.reserve(object->size());
    for (const auto& member : *object) copy.emplace(member.key(), adopt(from, member.value()));
    return copy;
  }
  return value;
}

const std::string* Args::binary(const boost::json::value& value) const {
  if (binaries_.empty() || !value.is_object()) return nullptr;
  const boost::json::object& object = value.get_object();
  const boost::json::value* num = object.if_contains("num");
  if (num == nullptr || !marked(object)) return nullptr;
  std::uint64_t index = binaries_.size();
  if (num->is_int64() && num->get_int64() >= 0) index = static_cast<std::uint64_t>(num->get_int64());
  if (num->is_uint64()) index = num->get_uint64();
  return index < binaries_.size() ? &binaries_[index] : nullptr;
}

std::size_t Args::attachments() const {
  std::size_t count = 0;
  if (binaries_.empty()) return count;
  for (const auto& value : values_) count += attachments_in(*this, value);
  return count;
}

bool Args::dangles(const boost::json::value& value) const {
  return !binaries_.empty() && value.is_object() && marked(value.get_object()) && binary(value) == nullptr;
}

}  // namespace limpet::codec
