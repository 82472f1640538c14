// Questions to a DNS server that says what a test tells it to. (A real one: tests/e2e/http/names.test.mjs.)
#include "proxy/net/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "proxy/net/fd.h"

namespace limpet::net {
namespace {

using Outcome = DnsRecords::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t kA = 1, kCname = 5, kAaaa = 28;

void put16(std::string& out, std::uint32_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

class DnsServer {
 public:
  struct Record {
    std::uint16_t type;
    std::uint32_t ttl;
    std::string data;       // of the address, or of a name
    bool of_alias = false;  // its owner is the name in the record before
  };
  struct Reply {
    int code = 0;  // 2: SERVFAIL, 3: NXDOMAIN
    std::vector<Record> records{};
    bool silent = false;
    bool nonsense = false;
  };

  DnsServer() {
    Address any = Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0);
    ::bind(socket_.get(), any.raw(), any.length());
    address.set_length(Address::kCapacity);
    socklen_t length = Address::kCapacity;
    ::getsockname(socket_.get(), address.raw(), &length);
    address.set_length(length);
    thread_ = std::thread([this] { run(); });
  }
  ~DnsServer() {
    stop_ = true;
    thread_.join();
  }
  // `name`: of that one; empty: of every other.
  void says(std::uint16_t type, Reply reply, const std::string& name = "") {
    const std::lock_guard lock(mutex_);
    replies_[{name, type}] = std::move(reply);
  }
  std::vector<std::string> names() {  // that were asked for, A alone
    const std::lock_guard lock(mutex_);
    return names_;
  }

  Address address;
  std::atomic<int> questions{0};

 private:
  void run() {
    pollfd ready{socket_.get(), POLLIN, 0};
    while (!stop_) {
      if (::poll(&ready, 1, 20) != 1) continue;
      char bytes[512];
      Address from;
      socklen_t length = Address::kCapacity;
      const ssize_t got = ::recvfrom(socket_.get(), bytes, sizeof(bytes), 0, from.raw(), &length);
      if (got < 17) continue;
      ++questions;
      const std::string answer = answer_to({bytes, static_cast<std::size_t>(got)});
      if (!answer.empty()) ::sendto(socket_.get(), answer.data(), answer.size(), 0, from.raw(), length);
    }
  }
  std::string answer_to(std::string_view question) {
    const std::size_t name_end = question.find('\0', 12) + 1;
    const auto type = static_cast<std::uint16_t>(question[name_end + 1]);
    std::string name;
    for (std::size_t i = 12; question[i] != '\0'; i += static_cast<std::size_t>(question[i]) + 1) {
      name += (name.empty() ? "" : ".") +
              std::string(question.substr(i + 1, static_cast<std::size_t>(question[i])));
    }
    const std::lock_guard lock(mutex_);
    if (type == kA) names_.push_back(name);
    const auto own = replies_.find({name, type});
    const Reply& reply = own != replies_.end() ? own->second : replies_[{"", type}];
    if (reply.silent) return {};
    if (reply.nonsense) return std::string(question.substr(0, 2)) + "\x81\x80 what";
    std::string out(question.substr(0, 2));
    put16(out, 0x8180 + static_cast<std::uint32_t>(reply.code));
    put16(out, 1);
    put16(out, static_cast<std::uint32_t>(reply.records.size()));
    put16(out, 0);
    put16(out, 0);
    out += question.substr(12, name_end + 4 - 12);
    std::uint32_t alias = 0;
    for (const Record& each : reply.records) {
      put16(out, 0xc000 | (each.of_alias ? alias : 12));
      put16(out, each.type);
      put16(out, 1);
      put16(out, each.ttl >> 16);
      put16(out, each.ttl & 0xffff);
      put16(out, static_cast<std::uint32_t>(each.data.size()));
      alias = static_cast<std::uint32_t>(out.size());
      out += each.data;
    }
    return out;
  }

  Fd socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::mutex mutex_;
  std::map<std::pair<std::string, std::uint16_t>, Reply> replies_;
  std::vector<std::string> names_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

DnsServer::Record record(std::uint16_t type, std::string_view address, std::uint32_t ttl) {
  const auto ip = *wire::IpAddress::parse(address);
  return {type, ttl, std::string(reinterpret_cast<const char*>(ip.bytes().data()), ip.bytes().size())};
}

struct Asking : testing::Test {
  Loop loop;
  DnsServer server;
  std::unique_ptr<DnsQuestion> question;
  DnsAnswer answer;
  int answers = 0;

  void ask(const std::vector<Address>& servers, const std::string& host = "ws.test.") {
    question = std::make_unique<DnsQuestion>(loop, host, servers, [this](const DnsAnswer& given) {
      ++answers;
      answer = given;
      question.reset();  // as its owner does
      loop.stop();
    });
  }
  void hear(const std::string& host = "ws.test.") {
    ask({server.address}, host);
    loop.run();
    EXPECT_EQ(answers, 1);
  }
  static std::vector<std::string> texts(const DnsRecords& records) {
    std::vector<std::string> out;
    for (const wire::IpAddress& each : records.addresses) out.push_back(each.text());
    return out;
  }
};

TEST_F(Asking, AddressesOfBothKindsWithTheirTtl) {
  server.says(kA, {0, {record(kA, "10.0.0.1", 60), record(kA, "10.0.0.2", 50)}});
  server.says(kAaaa, {0, {record(kAaaa, "fd00::1", 40)}});
  hear();
  EXPECT_EQ(answer.v4.outcome, Outcome::found);
  EXPECT_THAT(texts(answer.v4), testing::UnorderedElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_EQ(answer.v4.ttl_s, 50u);
  EXPECT_THAT(texts(answer.v6), ElementsAre("fd00::1"));
  EXPECT_EQ(answer.v6.ttl_s, 40u);
}

TEST_F(Asking, AnAliasCountsWithItsTtl) {
  DnsServer::Record alias{kCname, 3, std::string("\5other\4test\0", 12)};
  DnsServer::Record address = record(kA, "10.0.0.1", 60);
  address.of_alias = true;
  server.says(kA, {0, {alias, address}});
  hear();
  EXPECT_THAT(texts(answer.v4), ElementsAre("10.0.0.1"));
  EXPECT_EQ(answer.v4.ttl_s, 3u);
}

TEST_F(Asking, NobodyOfThatNameIsAnAnswer) {
  server.says(kA, {3, {}});
  server.says(kAaaa, {3, {}});
  hear();
  EXPECT_EQ(answer.v4.outcome, Outcome::none);
  EXPECT_EQ(answer.v4.error, "the name does not exist");
  EXPECT_EQ(answer.v6.outcome, Outcome::none);
}

TEST_F(Asking, AServerThatFailsForOneKindSaysNothingOfIt) {
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}});
  server.says(kAaaa, {2, {}});
  hear();
  EXPECT_EQ(answer.v4.outcome, Outcome::found);
  EXPECT_EQ(answer.v6.outcome, Outcome::failed);
  EXPECT_FALSE(answer.v6.error.empty());
}

TEST_F(Asking, OneKindAloneIsAWholeAnswer) {
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}});
  hear();
  EXPECT_EQ(answer.v6.outcome, Outcome::none);
  EXPECT_EQ(answer.v6.error, "the name has no address");
}

// One of the two kinds is dropped on its way, as some firewalls do.
TEST_F(Asking, AKindThatIsThereDoesNotWaitLongForTheOther) {
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}});
  server.says(kAaaa, {.silent = true});
  const std::uint64_t begun = now_ms();
  hear();
  EXPECT_LT(now_ms() - begun, 5'000u);
  EXPECT_THAT(texts(answer.v4), ElementsAre("10.0.0.1"));
  EXPECT_EQ(answer.v6.outcome, Outcome::failed);
  EXPECT_EQ(answer.v6.error, "no answer in time");
}

struct Searching : Asking {
  Searching() { ::setenv("LOCALDOMAIN", "near.example far.example", 1); }
  ~Searching() override { ::unsetenv("LOCALDOMAIN"); }
};

// A domain further down has an address for whatever is asked.
TEST_F(Searching, AddressesOfBothKindsAreOfOneName) {
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}}, "ws.test");
  server.says(kAaaa, {0, {}}, "ws.test");
  server.says(kAaaa, {0, {record(kAaaa, "fd00::bad", 60)}}, "ws.test.far.example");
  hear("ws.test");
  EXPECT_THAT(texts(answer.v4), ElementsAre("10.0.0.1"));
  EXPECT_EQ(answer.v6.outcome, Outcome::none);
}

TEST_F(Searching, TheFirstNameThatHasAnAddressIsMeant) {
  server.says(kA, {3, {}});
  server.says(kAaaa, {3, {}});
  server.says(kAaaa, {0, {record(kAaaa, "fd00::1", 60)}}, "ws.far.example");
  hear("ws");
  EXPECT_THAT(server.names(), ElementsAre("ws.near.example", "ws.far.example"));
  EXPECT_THAT(texts(answer.v6), ElementsAre("fd00::1"));
}

TEST_F(Searching, WhatNoDomainHasIsAskedForAsItIs) {
  server.says(kA, {3, {}});
  server.says(kAaaa, {3, {}});
  hear("ws");
  EXPECT_THAT(server.names(), ElementsAre("ws.near.example", "ws.far.example", "ws"));
  EXPECT_EQ(answer.v4.error, "the name does not exist");
}

TEST_F(Searching, ANameWithADotAtItsEndIsWhole) {
  server.says(kA, {3, {}});
  server.says(kAaaa, {3, {}});
  hear("ws.test.");
  EXPECT_THAT(server.names(), ElementsAre("ws.test"));
}

TEST_F(Searching, WhereNobodyCanTellNoOtherNameIsTried) {
  server.says(kA, {2, {}}, "ws.near.example");
  server.says(kAaaa, {2, {}}, "ws.near.example");
  server.says(kA, {0, {record(kA, "10.0.0.66", 60)}}, "ws.far.example");
  hear("ws");
  EXPECT_EQ(answer.v4.outcome, Outcome::failed);
  EXPECT_THAT(server.names(), testing::Each("ws.near.example"));
}

TEST_F(Searching, ANameThatDoesNotExistIsNotWaitedFor) {
  server.says(kA, {3, {}}, "ws.near.example");
  server.says(kAaaa, {.silent = true});
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}}, "ws.far.example");
  const std::uint64_t begun = now_ms();
  hear("ws");
  EXPECT_LT(now_ms() - begun, 6'000u);
  EXPECT_THAT(texts(answer.v4), ElementsAre("10.0.0.1"));
}

TEST_F(Asking, NonsenseIsNoAnswer) {
  server.says(kA, {.nonsense = true});
  server.says(kAaaa, {.nonsense = true});
  hear();
  EXPECT_EQ(answer.v4.outcome, Outcome::failed);
}

TEST_F(Asking, TheNextServerIsAskedWhereOneRefuses) {
  Address closed;
  { closed = DnsServer().address; }
  server.says(kA, {0, {record(kA, "10.0.0.1", 60)}});
  ask({closed, server.address});
  loop.run();
  EXPECT_THAT(texts(answer.v4), ElementsAre("10.0.0.1"));
}

TEST_F(Asking, AClosedPortIsKnownSoonerThanSilence) {
  Address closed;
  { closed = DnsServer().address; }
  ask({closed});
  const std::uint64_t begun = now_ms();
  loop.run();
  EXPECT_EQ(answer.v4.outcome, Outcome::failed);
  EXPECT_EQ(answer.v6.outcome, Outcome::failed);
  EXPECT_LT(now_ms() - begun, 6'000u);
}

TEST_F(Asking, ANameThatCannotBeAskedForIsAFailureThatComesLater) {
  ask({server.address}, std::string(300, 'a'));
  EXPECT_EQ(answers, 0);
  loop.run();
  EXPECT_NE(answer.v4.outcome, Outcome::found);
  EXPECT_EQ(server.questions, 0);
}

TEST_F(Asking, WhoIsSilentIsGivenUpAfterSevenSeconds) {
  server.says(kA, {.silent = true});
  server.says(kAaaa, {.silent = true});
  ask({server.address});
  const std::uint64_t begun = now_ms();
  loop.run();
  EXPECT_EQ(answer.v4.outcome, Outcome::failed);
  EXPECT_THAT(answer.v4.error, HasSubstr("Timeout"));
  EXPECT_GE(now_ms() - begun, 6'500u);
  EXPECT_LT(now_ms() - begun, 12'000u);
  EXPECT_EQ(server.questions, 6);
}

TEST_F(Asking, AQuestionThatIsWithdrawnIsNotAnswered) {
  server.says(kA, {.silent = true});
  server.says(kAaaa, {0, {record(kAaaa, "fd00::1", 1)}});
  struct Withdrawing {
    Asking& test;
    Timer timer{test.loop, delegate<&Withdrawing::on_time>(this)};
    bool withdrawn = false;
    void on_time() {
      if (withdrawn) return test.loop.stop();
      withdrawn = true;
      test.question.reset();
      timer.after(50);
    }
  } withdrawing{*this};
  ask({server.address});
  withdrawing.timer.after(100);
  loop.run();
  EXPECT_EQ(answers, 0);
  ask({server.address});
  question.reset();  // before the loop has seen it
}

}  // namespace
}  // namespace limpet::net
