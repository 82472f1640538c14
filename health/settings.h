// Settings: how the servers of one pool are probed. Times in milliseconds. The defaults are limpet.toml(5)'s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpet::health {

struct Settings {
  enum class Type : std::uint8_t { http, tcp, off } type = Type::http;
  std::string path = "/health";
  std::string method = "GET";
  std::optional<std::string> host;  // of the Host field; unset: the server's address
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> expect{{200, 200}};  // inclusive
  std::optional<std::string> body;                                          // a part of the first 16 KiB
  std::optional<std::uint16_t> port;                                        // unset: the server's
  std::uint64_t interval_ms = 2'000;
  std::uint64_t fast_interval_ms = 500;
  std::uint64_t timeout_ms = 1'000;
  std::uint64_t slow_start_ms = 10'000;
  double jitter = 0.10;
  std::uint32_t rise = 2;
  std::uint32_t fall = 3;
};

}  // namespace limpet::health
