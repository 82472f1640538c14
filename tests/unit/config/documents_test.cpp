// The program, examples/limpet.toml and limpet.toml(5) name the same keys, with the same defaults.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "proxy/config/load.h"

namespace limpet::config {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(LIMPET_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<std::string> program_keys() {
  std::set<std::string> keys;
  for (const KeyDoc& each : known_keys()) keys.insert(std::string(each.table) + "." + std::string(each.key));
  return keys;
}

// "[pool.ws.cookie]" and "[[listener]]" to the names of known_keys().
std::string table_name(std::string line) {
  line = line.substr(line.find_first_not_of('['));
  line = line.substr(0, line.find(']'));
  const std::string pool = "pool.ws";
  return line.starts_with(pool) ? "pool.NAME" + line.substr(pool.size()) : line;
}

struct Example {
  std::set<std::string> keys;
  std::map<std::string, std::string> defaults;  // of the lines that are commented out
};

// A default is a line that begins with "#" and a lower-case letter.
Example example_keys() {
  Example example;
  std::istringstream lines(read("examples/limpet.toml"));
  std::string line, table;
  while (std::getline(lines, line)) {
    if (line.starts_with('[')) {
      table = table_name(line);
      continue;
    }
    const bool commented = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
    const std::string body = commented ? line.substr(1) : line;
    const std::size_t equals = body.find(" = ");
    if (body.empty() || body[0] == '#' || equals == std::string::npos) continue;
    example.keys.insert(table + "." + body.substr(0, equals));
    if (commented) example.defaults[table + "." + body.substr(0, equals)] = body.substr(equals + 3);
  }
  for (const char* key : {"id", "address", "weight", "max_connections", "backup"}) {
    EXPECT_NE(read("examples/limpet.toml").find(std::string(key) + " = "), std::string::npos) << key;
    example.keys.insert(std::string("pool.NAME.servers.") + key);
  }
  return example;
}

std::set<std::string> manual_keys() {
  const std::map<std::string, std::string> sections = {{"PROXY", "proxy"},
                                                       {"LISTENER", "listener"},
                                                       {"ROUTE", "route"},
                                                       {"POOL", "pool.NAME"},
                                                       {"SERVERS", "pool.NAME.servers"},
                                                       {"COOKIE", "pool.NAME.cookie"},
                                                       {"LIMITS", "limits"},
                                                       {"HEALTH", "pool.NAME.health"},
                                                       {"TIMEOUTS", "pool.NAME.timeouts"},
                                                       {"LOG", "log"},
                                                       {"ADMIN", "admin"},
                                                       {"BUNDLE", "bundle"},
                                                       {"NODE", "node"}};
  std::set<std::string> keys;
  std::istringstream lines(read("man/limpet.toml.5"));
  std::string line, table;
  while (std::getline(lines, line)) {
    if (line.starts_with(".Sh ")) {
      const auto found = sections.find(line.substr(4));
      table = found == sections.end() ? "" : found->second;
    } else if (line.starts_with(".It Ic ") && !table.empty()) {
      const std::string rest = line.substr(7);
      keys.insert(table + "." + rest.substr(0, rest.find(' ')));
    }
  }
  return keys;
}

TEST(Documents, ExampleNamesEveryKeyAndNoOther) {
  EXPECT_EQ(example_keys().keys, program_keys());
}

TEST(Documents, ManualNamesEveryKeyAndNoOther) {
  EXPECT_EQ(manual_keys(), program_keys());
}

TEST(Documents, DefaultsOfTheExampleAreTheProgrammes) {
  const Example example = example_keys();
  for (const KeyDoc& each : known_keys()) {
    const auto found = example.defaults.find(std::string(each.table) + "." + std::string(each.key));
    if (found == example.defaults.end() || each.standard.empty()) continue;
    EXPECT_EQ(found->second, each.standard) << found->first;
  }
}

TEST(Documents, DefaultsOfTheManualAreTheProgrammes) {
  const std::string manual = read("man/limpet.toml.5");
  for (const KeyDoc& each : known_keys()) {
    const bool plain = each.standard.size() > 2 && each.standard.front() == '"';
    std::string shown = plain ? "Qq " + std::string(each.standard.substr(1, each.standard.size() - 2))
                              : std::string(each.standard);
    if (shown.ends_with(':')) shown += "\\&";  // or it would be the macro's punctuation
    if (each.standard.empty() || each.key == "affinity") continue;
    EXPECT_NE(manual.find(".It Ic " + std::string(each.key) + " Pq " + shown + "\n"), std::string::npos)
        << each.table << "." << each.key;
  }
}

TEST(Documents, ExampleLoadsAsItIsAndWithEveryDefaultWrittenOut) {
  const std::string text = read("examples/limpet.toml");
  EXPECT_TRUE(load_text(text, "example").config);
  std::istringstream lines(text);
  std::string line, full;
  while (std::getline(lines, line)) {
    const bool commented = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
    full += (commented ? line.substr(1) : line) + "\n";
  }
  // With [bundle] some of [node] is the bundle's to say: each is loaded without the other.
  const std::size_t bundle = full.find("\n[bundle]"), node = full.find("\n[node]");
  ASSERT_LT(bundle, node);
  ASSERT_LT(node, full.size());
  for (const std::string& each : {full.substr(0, node), full.substr(0, bundle) + full.substr(node)}) {
    for (const Problem& problem : load_text(each, "full").problems) ADD_FAILURE() << format("full", problem);
  }
}

TEST(Documents, NothingThatIsNotSupportedYetIsDocumented) {
  for (const std::string file : {"examples/limpet.toml", "man/limpet.toml.5"}) {
    const std::string text = read(file);
    for (const char* word : {"proxy_protocol", "key_file"}) {
      EXPECT_EQ(text.find(word), std::string::npos) << file << ": " << word;
    }
  }
}

}  // namespace
}  // namespace limpet::config
