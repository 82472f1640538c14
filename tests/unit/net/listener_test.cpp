#include "proxy/net/listener.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "proxy/net/cpus.h"

namespace limpet::net {
namespace {

// Which of the sockets gets a connection that comes in on `cpu`: on loopback, the client's own.
std::size_t chosen(const BoundListener& listener, Cpu cpu) {
  std::thread([&] {
    run_on(cpu);
    const Fd client(::socket(listener.address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), listener.address.raw(), listener.address.length()), 0);
  }).join();
  std::vector<pollfd> waits;
  for (const Fd& each : listener.sockets) waits.push_back({each.get(), POLLIN, 0});
  EXPECT_EQ(::poll(waits.data(), waits.size(), 5'000), 1);
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].revents == 0) continue;
    const Fd accepted(::accept(waits[i].fd, nullptr, nullptr));
    return i;
  }
  return ~std::size_t{0};
}

TEST(Cpus, AreAtLeastOneAndABoundThreadHasThatAlone) {
  const std::vector<Cpu> cpus = usable_cpus();
  ASSERT_FALSE(cpus.empty());
  std::thread([&] {
    run_on(cpus.back());
    EXPECT_EQ(usable_cpus(), std::vector<Cpu>{cpus.back()});
  }).join();
  EXPECT_EQ(usable_cpus(), cpus);
}

TEST(BalanceByCpu, EachSocketGetsWhatComesInOnItsCpu) {
  const std::vector<Cpu> cpus = usable_cpus();
  for (const char* address : {"127.0.0.1", "::1"}) {
    BoundListener listener = bind_listener(Address::ip(*wire::IpAddress::parse(address), 0), 8);
    ASSERT_EQ(listener.error, "");
    // Worker 0 on the last CPU, and none of the others on any that there is.
    std::vector<Cpu> places{cpus.back()};
    for (Cpu nowhere = 5000; places.size() < 8; ++nowhere) places.push_back(nowhere);
    ASSERT_EQ(balance_by_cpu(listener, places), "");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(chosen(listener, cpus.back()), 0u);
    std::swap(places[0], places[7]);
    ASSERT_EQ(balance_by_cpu(listener, places), "");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(chosen(listener, cpus.back()), 7u);
  }
}

TEST(BalanceByCpu, WhatComesInElsewhereGoesByHash) {
  const std::vector<Cpu> cpus = usable_cpus();
  const BoundListener listener = bind_listener(Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 2);
  const std::vector<Cpu> nowhere{5000, 5001};
  ASSERT_EQ(balance_by_cpu(listener, nowhere), "");
  std::size_t counts[2] = {0, 0};
  for (int i = 0; i < 60; ++i) ++counts[chosen(listener, cpus.front())];
  EXPECT_GT(counts[0], 0u);
  EXPECT_GT(counts[1], 0u);
}

}  // namespace
}  // namespace limpet::net
