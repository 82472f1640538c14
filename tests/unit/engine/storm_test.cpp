// Clients and an application that do anything at any time. Whatever they do: each session ends once, what is
// counted is what there is, and the sanitizers have nothing to say.
#include <cstdlib>
#include <random>

#include "tests/unit/engine/world.h"

namespace limpet::engine {
namespace {

using namespace std::string_literals;

Options hasty() {
  Options options;
  options.ping_interval_ms = 150;
  options.ping_timeout_ms = 150;
  options.upgrade_timeout_ms = 100;
  options.max_sessions = 25;
  options.max_queued = 20'000;
  options.max_buffered = 150'000;
  options.max_payload = 2'000;
  options.allow_eio3 = true;
  options.compression_threshold = 200;
  options.cors = {.enabled = true, .origins = {"http://a"}};
  options.cookie.name = "io";
  return options;
}

class Storm {
 public:
  explicit Storm(unsigned seed) : world_(hasty()), random_(seed) {
    world_.app.on_opened = [this](Seen& seen) { at_random(seen); };
    world_.app.on_said = [this](Seen& seen, std::string_view) { at_random(seen); };
  }
  void run() {
    for (int step = 0; step < 1'000; ++step) {
      act();
      if (below(3) == 0) world_.run_for(below(2));
      while (world_.clients.size() > 60) world_.clients.pop_front();
    }
    if (below(2) == 0) world_.server->drain(below(100));
    world_.run_for(below(60));
    world_.server->close_all();
    world_.clients.clear();
    EXPECT_TRUE(
        world_.until([&] { return world_.server->leaving() == 0 && world_.http->connections() == 0; }));
    check();
  }

 private:
  unsigned below(unsigned most) { return random_() % most; }
  template <std::size_t n>
  std::string one_of(const std::string (&choices)[n]) {
    return choices[below(n)];
  }

  // What an application does from within a call, to the session it was called for or to another one.
  void at_random(Seen& told) {
    Seen& seen =
        below(4) == 0 ? world_.app.sessions[below(static_cast<unsigned>(world_.app.sessions.size()))] : told;
    if (seen.session == nullptr) return;
    switch (below(26)) {
      case 0: return seen.session->close();
      case 1: return seen.session->discard(Reason::forced_close);
      case 2: return seen.session->send(packet_of(Kind::binary, {std::string(below(400), 'b')}));
      case 3: return seen.session->send(packet_of(Kind::text, {std::string(below(40'000), 't')}));
      case 4:
        for (int i = 0; i < 50 && seen.session != nullptr; ++i) seen.send("many");
        return;
      case 5:
        seen.session->pause();
        paused_.push_back(&seen);
        return;
      case 6: return resume_one();
      default: return seen.send("a€𝄞");
    }
  }

  void resume_one() {
    if (paused_.empty()) return;
    Seen* const seen = paused_[below(static_cast<unsigned>(paused_.size()))];
    if (seen->session != nullptr) seen->session->resume();
  }

  std::string query() {
    const Session* session = below(4) == 0 ? nullptr : any_session();
    const std::string transport = one_of({"polling"s, "polling"s, "polling"s, "websocket"s, "x"s});
    const std::string extra = one_of({""s, ""s, ""s, "&b64=1"s, "&j=3"s, "&sid=aaaaaaaaaaaa_9OrFaYU"s});
    if (session == nullptr || below(8) == 0) {
      return "EIO=" + one_of({"4"s, "4"s, "3"s}) + "&transport=" + transport + extra;
    }
    return "EIO=" + std::to_string(session->revision()) + "&transport=" + transport +
           "&sid=" + std::string(session->sid());
  }

  // One that lives; nullptr: none does.
  Session* any_session() {
    std::vector<Session*> live;
    for (const Seen& seen : world_.app.sessions) {
      if (seen.session != nullptr) live.push_back(seen.session);
    }
    return live.empty() ? nullptr : live[below(static_cast<unsigned>(live.size()))];
  }

  std::string packet() {
    return one_of({"4a"s,
                   "4a"s,
                   "4a"s,
                   "4"s,
                   "2"s,
                   "2probe"s,
                   "2probe"s,
                   "3"s,
                   "3"s,
                   "5"s,
                   "5"s,
                   "1"s,
                   "6"s,
                   "bAQID"s,
                   "9"s,
                   ""s,
                   "2:4a1:2"s,
                   "4a\x1e"
                   "4b"s,
                   "3:4€"s,
                   "d=4a"s,
                   "\0\2\xff"
                   "4a"s,
                   "\xff"s,
                   "4" + std::string(2'500, 'x')});
  }

  void send_if_it_can(http::Client& client, std::string_view bytes) {
    if (client.fd() >= 0) [[maybe_unused]]
      const ssize_t sent = ::send(client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  http::Client& any() { return world_.clients[below(static_cast<unsigned>(world_.clients.size()))]; }

  void act() {
    const unsigned what = world_.clients.empty() ? below(9) : below(22);
    if (what < 4) {
      world_.start_get(query(), below(2) == 0 ? "Accept-Encoding: gzip\r\nOrigin: http://a\r\n" : "");
    } else if (what < 7) {
      world_.start_post(query(), packet(), below(9) == 0 ? "Content-Type: application/octet-stream\r\n" : "");
    } else if (what < 9) {
      const Session* session = below(3) == 0 ? any_session() : nullptr;
      world_.websocket(session == nullptr ? "EIO=" + one_of({"4"s, "3"s}) + "&transport=websocket"
                                          : with_sid(session->sid(), "websocket"));
    } else if (what == 9) {
      any().close();
    } else if (what == 10) {
      any().shut();
    } else if (what == 11) {
      send_if_it_can(
          any(), "POST /socket.io/?" + query() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4half");
    } else {
      send_if_it_can(any(), masked_frame(below(9) == 0 ? 2 : 1, packet()));
    }
    if (below(9) == 0 && !world_.app.sessions.empty()) at_random(world_.app.sessions.back());
  }

  void check() {
    const Totals& totals = world_.server->totals();
    EXPECT_EQ(world_.server->sessions(), 0u);
    EXPECT_EQ(totals.opened, world_.app.sessions.size());
    EXPECT_EQ(totals.closed, totals.opened);
    EXPECT_EQ(totals.websockets, 0u);
    EXPECT_EQ(totals.pollings, 0u);
    std::uint64_t reasons = 0;
    for (const std::uint64_t each : totals.by_reason) reasons += each;
    EXPECT_EQ(reasons, totals.closed);
    for (const Seen& seen : world_.app.sessions) EXPECT_EQ(seen.closed.size(), 1u);
    EXPECT_GT(totals.opened, 10u);
    EXPECT_GT(totals.packets_in, 10u);
  }

  World world_;
  std::vector<Seen*> paused_;
  std::mt19937 random_;
};

TEST(EngineStorm, EverySessionEndsOnce) {
  const char* seeds = std::getenv("STORM_SEEDS");
  for (unsigned seed = 1; seed <= (seeds == nullptr ? 2u : static_cast<unsigned>(std::atoi(seeds))); ++seed) {
    SCOPED_TRACE(seed);
    Storm(seed).run();
  }
}

}  // namespace
}  // namespace limpet::engine
