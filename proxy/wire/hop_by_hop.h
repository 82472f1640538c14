// Which fields end at the proxy (RFC 9110, 7.6.1). Internal to proxy/wire.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::wire {

class HopByHop {
 public:
  explicit HopByHop(std::span<const Field> fields);
  // True if this field concerns one connection only. Trailer is judged by the caller: it belongs to chunked.
  // Connection removes no field that limpet knows and none that describes the content: naming those is an
  // attack (an X-Forwarded-For that vanishes) or a mistake.
  bool ends_here(const Field& field) const;

 private:
  bool named(std::string_view name) const;
  std::span<const Field> fields_;
  bool names_any_ = false;  // besides close, keep-alive, upgrade
};

inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_framing(std::string& out, const Body& body);

}  // namespace limpet::wire
