// What known_keys() says is the default is what config.h has: written out, it changes nothing. The manual and
// the example are held to known_keys() by documents_test, so that all four agree.
#include <map>

#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

// The least document that has every table. Headers as in known_keys(), but for the server's.
std::string document(std::string_view table = "", std::string_view line = "") {
  const std::string server_key =
      table == "pool.NAME.servers" && !line.empty() ? ", " + std::string(line) : std::string();
  const std::pair<std::string_view, std::string> tables[] = {
      {"proxy", "[proxy]\n"},
      {"listener", "[[listener]]\naddress = \"127.0.0.1:80\"\n"},
      {"route", "[[route]]\npool = \"ws\"\n"},
      {"pool.NAME", "[pool.ws]\nservers = [{ id = \"a\", address = \"10.0.0.1:1\"" + server_key +
                        " }, \"b=10.0.0.2:1\"]\n"},
      {"pool.NAME.cookie", "[pool.ws.cookie]\n"},
      {"pool.NAME.health", "[pool.ws.health]\n"},
      {"pool.NAME.timeouts", "[pool.ws.timeouts]\n"},
      {"limits", "[limits]\n"},
      {"log", "[log]\n"},
      {"admin", "[admin]\n"},
      {"bundle", "[bundle]\n"},
      {"node", "[node]\n"}};
  std::string text;
  bool found = table.empty() || table == "pool.NAME.servers";
  for (const auto& [name, begin] : tables) {
    if (name == "bundle" && table == "node") continue;  // which says some of it itself
    text += begin;
    if (name != table) continue;
    text += std::string(line) + "\n";
    found = true;
  }
  EXPECT_TRUE(found) << table;
  return text;
}

TEST(Defaults, WrittenOutChangeNothing) {
  for (const KeyDoc& each : known_keys()) {
    if (each.standard.empty()) continue;
    const Loaded without = load_text(document(each.table), "f");
    ASSERT_TRUE(without.config);
    const std::string line = std::string(each.key) + " = " + std::string(each.standard);
    const Loaded with = load_text(document(each.table, line), "f");
    ASSERT_TRUE(with.config) << each.table << ": " << line << ": "
                             << testing::PrintToString(printed(with.problems));
    Config config = *with.config;
    // That a limit was set by hand is known, for the warning when the machine cannot hold it; the limit is
    // the same.
    if (each.table == "pool.NAME.servers") config.pools[0].servers[0].max_connections_set = false;
    EXPECT_TRUE(config == *without.config) << each.table << ": " << line;
  }
}

TEST(Defaults, AreNotEqualToWhatDiffers) {
  const auto without = load_text(document(), "f").config;
  for (const auto& [table, line] :
       std::map<std::string, std::string>{{"proxy", "via = true"},
                                          {"route", "path = \"/x\""},
                                          {"pool.NAME", "max_connections = 1"},
                                          {"pool.NAME.servers", "weight = 2"},
                                          {"pool.NAME.cookie", "name = \"x\""},
                                          {"pool.NAME.health", "rise = 3"},
                                          {"pool.NAME.timeouts", "connect = \"2s\""},
                                          {"limits", "head_fields = 99"},
                                          {"log", "query = \"on\""}}) {
    const auto with = load_text(document(table, line), "f").config;
    ASSERT_TRUE(with) << line;
    EXPECT_FALSE(*with == *without) << line;
  }
}

TEST(Defaults, MillisecondsAreCounted) {
  EXPECT_EQ(ms(std::chrono::seconds(2)), 2000u);
}

}  // namespace
}  // namespace limpet::config
