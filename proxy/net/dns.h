// DnsQuestion: one host name asked for at DNS servers, its A and AAAA records with their TTLs. By c-ares,
// whose sockets and deadlines are the loop's: nothing waits. Of /etc/hosts and nsswitch.conf nothing is read.
// The search list of resolv.conf(5) is walked here: addresses of both kinds are those of one and the same
// name, the first that has any. Once one kind is there the other has a second more.
//
// On the loop's thread. Every question has a channel, and so a source port, of its own, and reads
// /etc/resolv.conf anew.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/net/loop.h"

namespace limpet::net {

// What has come of the records of one kind.
struct DnsRecords {
  enum class Outcome : std::uint8_t {
    found,
    none,   // a server says so: the name does not exist, or has none of this kind
    failed  // nobody could tell
  };
  Outcome outcome = Outcome::failed;
  std::vector<wire::IpAddress> addresses;
  std::uint32_t ttl_s = 0;  // the least of all records, those of aliases included
  std::string error;        // if nothing was found: why
};

struct DnsAnswer {
  DnsRecords v4;
  DnsRecords v6;
};

class DnsQuestion {
 public:
  // `servers`: none are those of the system. `then` is called once, never from within the constructor, and
  // may destroy the question; destroyed before that, the question is withdrawn.
  using Then = std::function<void(const DnsAnswer& answer)>;
  DnsQuestion(Loop& loop, const std::string& host, std::span<const Address> servers, Then then);
  ~DnsQuestion();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::net
