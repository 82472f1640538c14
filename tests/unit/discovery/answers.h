// The words of discovery's tests: addresses and answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/net/dns.h"

namespace limpet::discovery {

using Addresses = std::vector<wire::IpAddress>;

inline Addresses ips(const std::vector<std::string>& texts) {
  Addresses out;
  for (const std::string& each : texts) out.push_back(*wire::IpAddress::parse(each));
  return out;
}
inline std::vector<std::string> texts(std::span<const wire::IpAddress> all) {
  std::vector<std::string> out;
  for (const wire::IpAddress& each : all) out.push_back(each.text());
  return out;
}

inline net::DnsRecords found(const std::vector<std::string>& addresses, std::uint32_t ttl_s = 5) {
  return {net::DnsRecords::Outcome::found, ips(addresses), ttl_s, {}};
}
inline net::DnsRecords none(const std::string& error = "the name has no address") {
  return {net::DnsRecords::Outcome::none, {}, 0, error};
}
inline net::DnsRecords failed(const std::string& error = "nobody answers") {
  return {net::DnsRecords::Outcome::failed, {}, 0, error};
}

}  // namespace limpet::discovery
