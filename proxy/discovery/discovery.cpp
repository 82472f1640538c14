#include "proxy/discovery/discovery.h"

#include <algorithm>
#include <utility>

#include "proxy/discovery/found.h"
#include "proxy/log/log.h"

namespace limpet::discovery {
namespace {

constexpr std::uint64_t kFirstRoundMs = 1'000;

std::vector<net::Address> addresses_of(const std::vector<config::Endpoint>& resolvers) {
  std::vector<net::Address> out;
  for (const config::Endpoint& each : resolvers) {
    if (const auto ip = wire::IpAddress::parse(each.host)) out.push_back(net::Address::ip(*ip, each.port));
  }
  return out;
}

}  // namespace

struct Discovery::Entry {
  Entry(Discovery& d, const std::string& host)
      : discovery(d), name(host), again(d.loop_, net::delegate<&Entry::on_time>(this)) {}
  void on_time() { discovery.ask(*this); }

  Discovery& discovery;
  Name name;
  net::Timer again;
  std::unique_ptr<net::DnsQuestion> question;  // while one is asked
  bool answered = false;
};

Discovery::Discovery(net::Loop& loop)
    : loop_(loop), first_round_(loop, net::delegate<&Discovery::end_first_round>(this)) {}
Discovery::~Discovery() = default;

void Discovery::follow(std::shared_ptr<const config::Config> written) {
  written_ = std::move(written);
  servers_ = addresses_of(written_->proxy.resolvers);
  auto before = std::exchange(entries_, {});
  for (const config::Pool& pool : written_->pools) {
    for (const config::Server& name : pool.names) {
      auto& entry = entries_[name.address.host];
      if (entry) continue;
      if (const auto known = before.find(name.address.host); known != before.end()) {
        entry = std::move(known->second);
      } else {
        entry = std::make_unique<Entry>(*this, name.address.host);
        ask(*entry);
      }
    }
  }
}

void Discovery::stop() {
  first_round_.cancel();
  for (const auto& [host, entry] : entries_) {
    entry->again.cancel();
    entry->question.reset();
  }
}

void Discovery::ask(Entry& entry) {
  entry.question = std::make_unique<net::DnsQuestion>(
      loop_, entry.name.host(), servers_,
      [this, &entry](const net::DnsAnswer& answer) { on_answer(entry, answer); });
}

// What is told of it may end the entry: nothing of it is touched after that.
void Discovery::on_answer(Entry& entry, const net::DnsAnswer& answer) {
  entry.question.reset();
  entry.answered = true;
  const double random = std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
  const Name::Step step = entry.name.on_answer(answer, random);
  entry.again.after(step.ask_again_ms);
  for (const Name::Line& each : step.said)
    log::write(each.warning ? log::Level::warn : log::Level::info, "dns: " + each.text);
  if (first_answers_) {
    if (all_answered()) end_first_round();
  } else if (step.changed && on_change) {
    on_change();
  }
}

bool Discovery::all_answered() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const auto& each) { return each.second->answered; });
}

void Discovery::when_first_answers(std::function<void()> then) {
  first_answers_ = std::move(then);
  if (all_answered()) return end_first_round();
  first_round_.after(kFirstRoundMs);
}

void Discovery::end_first_round() {
  first_round_.cancel();
  if (const auto then = std::exchange(first_answers_, {})) then();
}

std::shared_ptr<const config::Config> Discovery::whole() {
  Whole whole = with_found(written_, [this](const std::string& host) {
    const auto entry = entries_.find(host);
    return entry == entries_.end() ? std::span<const wire::IpAddress>()
                                   : std::span(entry->second->name.addresses());
  });
  std::set<std::string> told(whole.left_out.begin(), whole.left_out.end());
  for (const std::string& each : told) {
    if (!left_out_.contains(each)) log::warn("dns: {}", each);
  }
  left_out_ = std::move(told);
  return std::move(whole.config);
}

}  // namespace limpet::discovery
