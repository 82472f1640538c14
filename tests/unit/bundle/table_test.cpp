// The live table of `limpet up`, and how it comes off a terminal.
#include "proxy/bundle/table.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "proxy/bundle/meter.h"
#include "proxy/bundle/screen.h"

namespace limpet::bundle {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

ChildView child(std::string id, Kind kind, State state) {
  ChildView out;
  out.id = std::move(id);
  out.kind = kind;
  out.state = state;
  out.since_ms = 1'000;
  out.health = kind == Kind::redis ? "PING: +PONG" : "GET /health: 200";
  out.address = "127.0.0.1:8080";
  return out;
}

Overview with_nodes(int nodes) {
  Overview out;
  out.stage = Overview::Stage::serving;
  out.children.push_back(child("redis", Kind::redis, State::ready));
  for (int i = 1; i <= nodes; ++i)
    out.children.push_back(child("n" + std::to_string(i), Kind::node, State::ready));
  out.children.push_back(child("proxy", Kind::proxy, State::ready));
  return out;
}

TEST(Table, ShowsEveryChild) {
  Overview overview = with_nodes(2);
  overview.children[2].state = State::held;
  overview.children[2].restarts = 7;
  overview.children[2].health = "connect: Connection refused";
  const Readings readings{{"n1", {250, 1234.4}}, {"proxy", {251, std::nullopt}}};
  EXPECT_THAT(
      table(overview, readings, 13'000, {100, 24, false}),
      ElementsAre("limpet up: serving 127.0.0.1:8080",
                  "name     state    connections messages/s restarts   for  health",
                  "redis    ready              -          -        0   12s  PING: +PONG",
                  "n1       ready            250       1234        0   12s  GET /health: 200",
                  "n2       held               -          -        7   12s  connect: Connection refused",
                  "proxy    ready            251          -        0   12s  GET /health: 200"));
}

TEST(Table, FitsFortyColumns) {
  const Readings readings{{"n1", {123'456, 99'999.0}}};
  EXPECT_THAT(
      table(with_nodes(1), readings, 13'000, {40, 24, false}),
      ElementsAre("limpet up: serving 127.0.0.1:8080", "name   state      conns  msgs/s restarts",
                  "redis  ready          -       -        0", "n1     ready       123k   99999        0",
                  "proxy  ready          -       -        0"));
}

TEST(Table, IsNeverWiderOrHigherThanItsPaper) {
  Overview overview = with_nodes(40);
  overview.operation = {1, "restart", 3, 40, {}};
  overview.children[0].health = std::string(500, 'x');
  overview.children.back().address = std::string(500, 'y');
  for (std::size_t width = 0; width <= 200; ++width) {
    for (const std::size_t height : {0, 1, 3, 4, 5, 6, 24, 44, 45, 46, 100}) {
      for (const bool colours : {false, true}) {
        const auto rows = table(overview, {}, 5'000, {width, height, colours});
        EXPECT_TRUE(rows.empty() || rows.size() < height) << width << "x" << height;
        for (const std::string& row : rows) EXPECT_LE(columns(row), width) << row;
        EXPECT_EQ(rows.empty(), width < 40 || height < 4) << width << "x" << height;
      }
    }
  }
}

TEST(Table, LeavesOutWhoIsWellFirst) {
  Overview overview = with_nodes(20);
  overview.children[18].state = State::hung;
  const auto rows = table(overview, {}, 5'000, {80, 8, false});
  EXPECT_EQ(rows.size(), 7u);
  EXPECT_THAT(rows, Contains(StartsWith("n18      hung")));
  EXPECT_THAT(rows.back(), "and 18 more");
}

TEST(Table, SaysWhatIsUnderWayAndWhatFailed) {
  Overview overview = with_nodes(2);
  overview.operation = {1, "restart", 1, 2, {}};
  EXPECT_EQ(table(overview, {}, 5'000, {80, 24, false}).back(), "restart: 1 of 2 nodes");
  overview.operation = {};
  overview.last_operation = {1, "scale", 0, 4, "n3 did not become ready"};
  EXPECT_EQ(table(overview, {}, 5'000, {80, 24, false}).back(), "scale: given up: n3 did not become ready");
  overview.last_operation.error.clear();
  EXPECT_THAT(table(overview, {}, 5'000, {80, 24, false}).back(), StartsWith("proxy"));
  overview.stage = Overview::Stage::stopping;
  EXPECT_EQ(table(overview, {}, 5'000, {80, 24, false}).front(), "limpet up: shutting down");
}

TEST(Table, ColoursAreAsked) {
  EXPECT_THAT(table(with_nodes(1), {}, 5'000, {80, 24, false}), Each(Not(HasSubstr("\x1b"))));
  EXPECT_THAT(table(with_nodes(1), {}, 5'000, {80, 24, true}), Contains(HasSubstr("\x1b[32mready")));
}

TEST(Table, WhatAChildSaysMovesNoCursor) {
  Overview overview = with_nodes(1);
  overview.children[1].health = "GET /health: \x1b[2J\xc3\xa9\n";
  for (const std::string& row : table(overview, {}, 5'000, {100, 24, false})) {
    EXPECT_TRUE(std::ranges::all_of(row, [](char c) { return c >= 0x20 && c < 0x7f; })) << row;
  }
}

TEST(Table, NumbersAndTimesAreShort) {
  EXPECT_EQ(short_number({}), "-");
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(99'999.4), "99999");
  EXPECT_EQ(short_number(99'999.5), "100k");
  EXPECT_EQ(short_number(999'499), "999k");
  EXPECT_EQ(short_number(999'500), "1.0M");
  EXPECT_EQ(short_number(99.95e6), "100M");
  EXPECT_EQ(short_number(1e30), "9999M");
  EXPECT_EQ(short_time(99'999), "99s");
  EXPECT_EQ(short_time(100'000), "1m");
  EXPECT_EQ(short_time(100 * 60'000), "1h");
  EXPECT_EQ(short_time(72 * 3'600'000), "3d");
  EXPECT_EQ(short_time(UINT64_MAX), "9999d");
}

TEST(TakeOff, CountsRowsThatHaveWrapped) {
  EXPECT_EQ(take_off({}, 80), "");
  EXPECT_EQ(take_off({10}, 80), "\r\x1b[J");
  EXPECT_EQ(take_off({10, 0, 80}, 80), "\r\x1b[2A\x1b[J");
  EXPECT_EQ(take_off({10, 0, 80}, 40), "\r\x1b[3A\x1b[J");
  EXPECT_EQ(take_off({81, 80}, 40), "\r\x1b[4A\x1b[J");
}

TEST(Meter, ReadsConnectionsOfTheBundlesPool) {
  EXPECT_THAT(
      read_connections(R"({"connections":9,"pools":[{"name":"other","servers":[{"id":"x","sessions":1}]},
      {"name":"nodes","servers":[{"id":"n1","sessions":4},{"id":"n2","sessions":5}]}]})"),
      UnorderedElementsAre(Pair("proxy", 9), Pair("n1", 4), Pair("n2", 5)));
  for (const char* wrong :
       {"", "{", "[]", "{}", R"({"connections":-1,"pools":[]})", R"({"connections":1,"pools":3})"})
    EXPECT_THAT(read_connections(wrong), IsEmpty()) << wrong;
}

TEST(Meter, AddsUpMessages) {
  EXPECT_EQ(read_messages("# HELP limpet_node_events_total x\nlimpet_node_events_total{direction=\"in\"} 3\n"
                          "limpet_node_events_total{direction=\"out\"} 1e2\nlimpet_node_events_total_more 5\n"
                          "limpet_node_raw_messages_total{direction=\"in\"} 4"),
            107);
  EXPECT_EQ(
      read_messages("limpet_node_events_total\nlimpet_node_events_total x\nlimpet_node_events_total -1\n"
                    "limpet_node_events_total nan\n"),
      std::nullopt);
  EXPECT_EQ(read_messages(""), std::nullopt);
}

}  // namespace
}  // namespace limpet::bundle
