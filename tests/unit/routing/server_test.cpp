#include "routing/server.h"

#include <gtest/gtest.h>

namespace limpet::routing {
namespace {

TEST(Server, TagsAreThoseOfTheDesign) {
  EXPECT_EQ(server_tag("ws1"), "_9OrFaYU");
  EXPECT_EQ(server_tag("ws2"), "aqV2S1-o");
  EXPECT_EQ(Server("p", "ws1").tag, "_9OrFaYU");
}

TEST(Server, SerialsAreNeverUsedTwice) {
  EXPECT_NE(Server("p", "a").serial, Server("p", "a").serial);
}

TEST(Server, CountersOfWorkersLieApartFromWhatIsRead) {
  const Server server("p", "a");
  const auto at = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p); };
  EXPECT_EQ(at(&server.load) % 64, 0u);
  EXPECT_GE(at(&server.load) - at(&server.serial), sizeof server.serial);
  EXPECT_GE(at(&server.view) - at(&server.load), 64u);
}

struct Row {
  State state;
  Wanted wanted;
  bool takes_new;
  bool serves_old;
};

TEST(Server, TakesNewAndServesOldSessionsByTheTable) {
  const Row rows[] = {
      {State::up, Wanted::serving, true, true},         {State::suspect, Wanted::serving, false, true},
      {State::refusing, Wanted::serving, false, true},  {State::down, Wanted::serving, false, false},
      {State::up, Wanted::draining, false, true},       {State::suspect, Wanted::draining, false, true},
      {State::refusing, Wanted::draining, false, true}, {State::down, Wanted::draining, false, false},
      {State::up, Wanted::maintenance, false, false},   {State::suspect, Wanted::maintenance, false, false},
      {State::down, Wanted::maintenance, false, false},
  };
  Server server("p", "a");
  for (const Row& row : rows) {
    server.view.state = row.state;
    server.view.wanted = row.wanted;
    EXPECT_EQ(server.takes_new(), row.takes_new) << int(row.state) << int(row.wanted);
    EXPECT_EQ(server.serves_old(), row.serves_old) << int(row.state) << int(row.wanted);
  }
}

}  // namespace
}  // namespace limpet::routing
