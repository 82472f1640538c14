#include "proxy/discovery/name.h"

#include <algorithm>

#include "proxy/config/values.h"

namespace limpet::discovery {
namespace {

using Outcome = net::DnsRecords::Outcome;
using Addresses = std::vector<wire::IpAddress>;

bool before(const wire::IpAddress& a, const wire::IpAddress& b) {
  if (a.is_v4() != b.is_v4()) return a.is_v4();
  const auto left = a.bytes(), right = b.bytes();
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
}

// Without 0.0.0.0 and ::, which filters answer; to connect there is to connect here. If there is nothing
// else, nobody has told what the name's addresses are.
net::DnsRecords believable(net::DnsRecords records) {
  std::erase_if(records.addresses, config::is_wildcard);
  if (records.outcome == Outcome::found && records.addresses.empty()) {
    records.outcome = Outcome::failed;
    records.error = "its addresses stand for nobody";
  }
  return records;
}

std::string count_text(std::size_t count) {
  return count == 1 ? "its address is kept" : "its " + std::to_string(count) + " addresses are kept";
}

// That a name does not exist says less than that a server is broken.
const std::string& why(const net::DnsAnswer& answer) {
  return answer.v4.outcome == Outcome::failed || answer.v6.outcome != Outcome::failed ? answer.v4.error
                                                                                      : answer.v6.error;
}

}  // namespace

std::uint64_t clamp_ttl_ms(std::uint32_t ttl_s) {
  return std::clamp<std::uint64_t>(std::uint64_t{ttl_s} * 1000, kLeastTtlMs, kMostTtlMs);
}

std::uint64_t back_off_ms(std::uint32_t failures, double random) {
  const std::uint32_t doublings = std::min(failures, 6u) - 1;
  const std::uint64_t whole = std::min<std::uint64_t>(1'000ull << doublings, kMostBackOffMs);
  return whole - static_cast<std::uint64_t>(static_cast<double>(whole) / 10 * random);
}

Name::Step Name::on_answer(const net::DnsAnswer& given, double random) {
  const net::DnsAnswer answer{believable(given.v4), believable(given.v6)};
  const bool v4 = answer.v4.outcome == Outcome::found;
  const bool v6 = answer.v6.outcome == Outcome::found;
  if (!v4 && !v6) return fail(answer, random);
  Step step{kMostTtlMs, false, {}};
  if (v4) step.ask_again_ms = std::min(step.ask_again_ms, clamp_ttl_ms(answer.v4.ttl_s));
  if (v6) step.ask_again_ms = std::min(step.ask_again_ms, clamp_ttl_ms(answer.v6.ttl_s));
  if (std::exchange(failures_, 0) != 0)
    step.said.push_back({false, host_ + (addresses_.empty() ? " resolves" : " resolves again")});
  Addresses fresh = merge(answer, step);
  cut(fresh, step);
  step.changed = fresh != addresses_;
  addresses_ = std::move(fresh);
  return step;
}

Name::Step Name::fail(const net::DnsAnswer& answer, double random) {
  Step step{back_off_ms(++failures_, random), false, {}};
  if (failures_ == 1) {
    const std::string then =
        addresses_.empty() ? "there is no server of it until it resolves" : count_text(addresses_.size());
    step.said.push_back({true, host_ + ": " + why(answer) + "; " + then});
  }
  return step;
}

// Where nobody could tell of one kind, those that it had stay.
Addresses Name::merge(const net::DnsAnswer& answer, Step& step) {
  Addresses all;
  std::size_t kept = 0;
  std::string error;
  for (const bool v4 : {true, false}) {
    const net::DnsRecords& records = v4 ? answer.v4 : answer.v6;
    all.insert(all.end(), records.addresses.begin(), records.addresses.end());
    if (records.outcome != Outcome::failed) continue;
    for (const wire::IpAddress& each : addresses_) {
      if (each.is_v4() != v4) continue;
      all.push_back(each);
      ++kept;
    }
    error = std::string(v4 ? " (A): " : " (AAAA): ") + records.error;
  }
  if (begins(half_said_, kept != 0)) step.said.push_back({true, host_ + error + "; " + count_text(kept)});
  std::sort(all.begin(), all.end(), before);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void Name::cut(Addresses& all, Step& step) {
  const std::size_t had = all.size();
  if (begins(cut_said_, had > kMostAddresses)) {
    step.said.push_back({true, host_ + " has " + std::to_string(had) + " addresses; " +
                                   std::to_string(kMostAddresses) + " of them are servers"});
  }
  if (had <= kMostAddresses) return;
  std::stable_partition(all.begin(), all.end(), [this](const wire::IpAddress& each) {
    return std::binary_search(addresses_.begin(), addresses_.end(), each, before);
  });
  all.resize(kMostAddresses);
  std::sort(all.begin(), all.end(), before);
}

}  // namespace limpet::discovery
