#include "proxy/wire/ws_deflate.h"

#include <utility>

#include "proxy/wire/bytes.h"
#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

struct Parameter {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

// A value may be quoted; what is in the quotes is a token all the same (RFC 6455, 9.1).
Parameter read_parameter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return {text, {}, false};
  std::string_view value = trim(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return {trim(text.substr(0, equals)), value, true};
}

// 8 to 15, no leading zero (7.1.2.1); else 0.
std::uint8_t window_bits(std::string_view value) {
  if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
    return static_cast<std::uint8_t>(10 + value[1] - '0');
  }
  return 0;
}

bool set_flag(bool& flag, const Parameter& parameter) {
  return !parameter.has_value && !std::exchange(flag, true);
}

bool set_bits(std::uint8_t& bits, std::uint8_t value) {
  return std::exchange(bits, value) == 0 && value != 0;
}

bool take(DeflateOffer& offer, const Parameter& parameter) {
  const auto is = [&](std::string_view name) { return equal_ignoring_case(parameter.name, name); };
  if (is("server_no_context_takeover")) return set_flag(offer.server_no_context_takeover, parameter);
  if (is("client_no_context_takeover")) return set_flag(offer.client_no_context_takeover, parameter);
  if (is("server_max_window_bits"))
    return set_bits(offer.server_max_window_bits, window_bits(parameter.value));
  if (!is("client_max_window_bits")) return false;
  const std::uint8_t bits = parameter.has_value ? window_bits(parameter.value) : 15;
  return set_bits(offer.client_max_window_bits, bits);
}

bool read_offer(std::string_view extension, DeflateOffer& offer) {
  offer = {};
  const std::size_t end = extension.find(';');
  if (!equal_ignoring_case(trim(extension.substr(0, end)), "permessage-deflate")) return false;
  ListReader parameters(end == extension.npos ? std::string_view() : extension.substr(end + 1), ';');
  for (std::string_view parameter; parameters.next(parameter);) {
    if (!take(offer, read_parameter(parameter))) return false;
  }
  return true;
}

}  // namespace

bool DeflateOffers::next(DeflateOffer& offer) {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find(',');
    const std::string_view extension = trim(rest_.substr(0, end));
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    if (read_offer(extension, offer)) return true;
  }
  return false;
}

}  // namespace limpet::wire
