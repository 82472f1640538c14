// Name: what is known of one host name: the addresses that it has, and when it is asked for again. Pure:
// answers in, steps out.
//
//              found                     nothing found, or nobody could tell
//   asked ---> its addresses,      ----> those that are known stay,
//              again at its TTL          again after 1, 2, 4, ... 30 s
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/dns.h"

namespace limpet::discovery {

constexpr std::uint64_t kLeastTtlMs = 1'000;
constexpr std::uint64_t kMostTtlMs = 30'000;
constexpr std::uint64_t kMostBackOffMs = 30'000;
constexpr std::size_t kMostAddresses = 256;

std::uint64_t clamp_ttl_ms(std::uint32_t ttl_s);
// After the n-th failure in a row, n from 1; `random` in [0, 1) takes up to a tenth off, so that proxies do
// not ask together.
std::uint64_t back_off_ms(std::uint32_t failures, double random);

class Name {
 public:
  explicit Name(std::string host) : host_(std::move(host)) {}

  struct Line {
    bool warning;
    std::string text;
  };
  struct Step {
    std::uint64_t ask_again_ms;
    bool changed = false;
    std::vector<Line> said;  // for the log: each trouble once, and its end
  };
  Step on_answer(const net::DnsAnswer& given, double random);

  const std::string& host() const { return host_; }
  // In order, each once. Those that were in the answer before come first if it had to be cut.
  const std::vector<wire::IpAddress>& addresses() const { return addresses_; }

 private:
  Step fail(const net::DnsAnswer& answer, double random);
  std::vector<wire::IpAddress> merge(const net::DnsAnswer& answer, Step& step);
  void cut(std::vector<wire::IpAddress>& all, Step& step);
  // True if `now` is news.
  static bool begins(bool& state, bool now) { return std::exchange(state, now) != now && now; }

  const std::string host_;
  std::vector<wire::IpAddress> addresses_;
  std::uint32_t failures_ = 0;  // in a row
  bool half_said_ = false;      // one kind of records failed, and its addresses are kept
  bool cut_said_ = false;
};

}  // namespace limpet::discovery
