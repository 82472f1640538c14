// What sessions are found by and keep: sids, their table, the handshake.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "backend/engine/server.h"
#include "backend/engine/session_table.h"
#include "backend/engine/sids.h"

namespace limpet::engine {
namespace {

struct Named {
  std::string name;
  std::string_view sid() const { return name; }
};

TEST(Sids, EndWithTheNodesTag) {
  Sids sids("ws1");
  EXPECT_EQ(sids.tag(), "_9OrFaYU");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    char sid[Sids::kSize];
    sids.next(sid);
    const std::string text(sid, sizeof sid);
    EXPECT_EQ(text.substr(12), "_9OrFaYU");
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Sids, EveryPlaceVaries) {
  Sids sids("ws2");
  std::set<char> at[Sids::kRandom];
  for (int i = 0; i < 2000; ++i) {
    char sid[Sids::kSize];
    sids.next(sid);
    for (std::size_t k = 0; k < Sids::kRandom; ++k) at[k].insert(sid[k]);
  }
  for (const auto& digits : at) EXPECT_EQ(digits.size(), 64u);
}

TEST(SessionTable, AgainstAMap) {
  SessionTable<Named> table;
  std::map<std::string, std::unique_ptr<Named>> model;
  std::mt19937 random(7);
  Sids sids("ws1");
  EXPECT_EQ(table.find("01234567890123456789"), nullptr);
  for (int step = 0; step < 20'000; ++step) {
    if (model.empty() || random() % 100 < 55) {
      char sid[Sids::kSize];
      sids.next(sid);
      auto made = std::make_unique<Named>(std::string(sid, sizeof sid));
      table.add(*made);
      model.emplace(made->name, std::move(made));
    } else {
      const auto any = std::next(model.begin(), static_cast<long>(random() % model.size()) % 50);
      table.remove(*any->second);
      EXPECT_EQ(table.find(any->first), nullptr);
      model.erase(any);
    }
    ASSERT_EQ(table.size(), model.size());
    for (const auto& [name, session] : model) {
      ASSERT_EQ(table.find(name), session.get());
      break;
    }
    if (step % 1000 == 0) {
      for (const auto& [each, of] : model) ASSERT_EQ(table.find(each), of.get());
    }
  }
}

TEST(SessionTable, AnotherSidWithTheSameBeginningIsAnother) {
  SessionTable<Named> table;
  Named one{"aaaaaaaaaaaaaaaaaaaa"}, other{"aaaaaaaabbbbbbbbbbbb"};
  table.add(one);
  EXPECT_EQ(table.find(other.name), nullptr);
  EXPECT_EQ(table.find("aaaaaaa"), nullptr);
  table.add(other);
  table.remove(one);
  EXPECT_EQ(table.find(other.name), &other);
  table.remove(one);  // it is not there
  EXPECT_EQ(table.size(), 1u);
}

TEST(SessionTable, AWalkThatRemovesMeetsEverybody) {
  SessionTable<Named> table;
  std::vector<std::unique_ptr<Named>> all;
  Sids sids("ws1");
  for (int i = 0; i < 500; ++i) {
    char sid[Sids::kSize];
    sids.next(sid);
    table.add(*all.emplace_back(std::make_unique<Named>(std::string(sid, sizeof sid))));
  }
  std::size_t place = 0, met = 0;
  while (Named* each = table.next_from(place)) {
    table.remove(*each);
    ++met;
  }
  EXPECT_EQ(met, 500u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(HandshakeTexts, AreKeptWhole) {
  const auto kept =
      Handshake::make({"/socket.io/?EIO=4", "10.0.0.1", "http://a", "agent", "io=1", "10.1.1.1"}, 77, true);
  EXPECT_EQ(kept->target(), "/socket.io/?EIO=4");
  EXPECT_EQ(kept->address(), "10.0.0.1");
  EXPECT_EQ(kept->origin(), "http://a");
  EXPECT_EQ(kept->user_agent(), "agent");
  EXPECT_EQ(kept->cookie(), "io=1");
  EXPECT_EQ(kept->forwarded_for(), "10.1.1.1");
  EXPECT_EQ(kept->time_ms(), 77);
  EXPECT_TRUE(kept->secure());
}

TEST(HandshakeTexts, OnesThatAreTooLongAreLeftOut) {
  const std::string long_one(4096, 'c'), longer(4097, 'c'), agent(513, 'u');
  const auto kept = Handshake::make({longer, "a", "", agent, long_one, "f"}, 0, false);
  EXPECT_EQ(kept->target(), "");
  EXPECT_EQ(kept->address(), "a");
  EXPECT_EQ(kept->user_agent(), "");
  EXPECT_EQ(kept->cookie(), long_one);
  EXPECT_EQ(kept->forwarded_for(), "f");
}

}  // namespace
}  // namespace limpet::engine
