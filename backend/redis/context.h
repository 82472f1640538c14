// Context: what all links of one Redis share. One loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "backend/redis/redis.h"
#include "backend/redis/tls.h"
#include "proxy/net/resolver.h"

namespace limpet::redis {

// What a command counts as in Totals.
enum class Tally : std::uint8_t { none, command, publish };

struct Context {
  Context(net::Loop& its_loop, Settings its_settings)
      : loop(its_loop), settings(std::move(its_settings)), resolver(loop), tls(settings.tls) {}

  void asked(Tally tally) {
    if (tally != Tally::none) ++totals.commands;
    if (tally == Tally::publish) ++totals.published;
  }
  void answered(Tally tally, bool ok) {
    if (ok || tally == Tally::none) return;
    ++totals.failed;
    if (tally == Tally::publish) ++totals.publishes_failed;
  }
  // The n-th delay, so that nodes that lost one Redis at once do not come back at once.
  std::uint64_t retry_ms(unsigned n) {
    std::uint64_t most = settings.first_retry_ms;
    while (n-- > 0 && most < settings.last_retry_ms) most *= 2;
    most = most < settings.last_retry_ms ? most : settings.last_retry_ms;
    return most / 2 + std::uniform_int_distribution<std::uint64_t>(0, most - most / 2)(random);
  }

  net::Loop& loop;
  const Settings settings;
  net::Resolver resolver;
  TlsContext tls;
  Totals totals;
  std::minstd_rand random{std::random_device{}()};
};

}  // namespace limpet::redis
