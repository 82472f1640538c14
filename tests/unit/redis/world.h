// World: a loop that runs until something is so, and what a test keeps of what it was told.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/redis/redis.h"
#include "tests/unit/redis/servers.h"

namespace limpet::redis {

inline Settings settings_of(const std::string& url) {
  auto parsed = parse_url(url);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) throw std::runtime_error(*wrong);
  return std::get<Settings>(parsed);
}

// As the test may keep it.
struct Answer {
  int times = 0;
  std::string error, text;
  bool sent = true;
  bool done() const { return times > 0; }
  Done take() {
    return [this](const Result& result) {
      ++times;
      error = result.error;
      sent = result.sent;
      text = result.reply.text();
      if (const auto number = result.reply.integer()) text = std::to_string(*number);
      for (std::size_t i = 0; i < result.reply.size(); ++i) {
        const auto each = result.reply[i].integer();
        text += (i > 0 ? " " : "") + (each ? std::to_string(*each) : std::string(result.reply[i].text()));
      }
    };
  }
};

struct Ear : Listener {
  std::vector<std::string> heard;  // "channel payload"
  int subscribed = 0, gaps = 0;
  std::function<void()> then;
  void on_message(std::string_view channel, std::string_view payload) override {
    heard.push_back(std::string(channel) + " " + std::string(payload));
    if (then) then();
  }
  void on_subscribed() override {
    ++subscribed;
    if (then) then();
  }
  void on_gap() override {
    ++gaps;
    if (then) then();
  }
};

struct World : testing::Test {
  net::Loop loop;
  std::vector<std::string> events;

  void SetUp() override {
    ASSERT_TRUE(have_redis_server()) << "redis-server or redis-cli is missing: tests/install test";
  }

  bool until(std::function<bool()> so, std::uint64_t within_ms = 30'000) {
    struct Look {
      net::Loop& loop;
      std::function<bool()>& so;
      std::uint64_t end_ms;
      net::Timer timer{loop, net::delegate<&Look::on_time>(this)};
      void on_time() {
        if (so() || net::now_ms() >= end_ms) return loop.stop();
        timer.after(1);
      }
    } look{loop, so, net::now_ms() + within_ms};
    look.on_time();
    look.timer.after(1);
    loop.run();
    return so();
  }

  std::unique_ptr<Redis> connect(Settings settings) {
    auto redis = begin(std::move(settings));
    EXPECT_TRUE(until([&] { return redis->up(); })) << testing::PrintToString(events);
    return redis;
  }
  std::unique_ptr<Redis> begin(Settings settings) {
    auto redis = std::make_unique<Redis>(loop, std::move(settings));
    redis->on_event = [this](bool bad, std::string_view what) {
      events.push_back((bad ? "bad: " : "") + std::string(what));
    };
    redis->start();
    return redis;
  }
  bool told(const std::string& part) const {
    for (const auto& each : events) {
      if (each.find(part) != std::string::npos) return true;
    }
    return false;
  }
  // What Redis says to a command; its error if there is one.
  std::string ask(Redis& redis, std::initializer_list<std::string_view> words, std::string_view key = {}) {
    Answer answer;
    redis.command(words, answer.take(), key);
    EXPECT_TRUE(until([&] { return answer.done(); }));
    EXPECT_EQ(answer.times, 1);
    return answer.error.empty() ? answer.text : answer.error;
  }
};

// Short clocks, for faults.
inline Settings hasty(Settings settings) {
  settings.connect_timeout_ms = 1'000;
  settings.answer_timeout_ms = 1'000;
  settings.ping_interval_ms = 100;
  settings.first_retry_ms = 10;
  settings.last_retry_ms = 50;
  return settings;
}

}  // namespace limpet::redis
