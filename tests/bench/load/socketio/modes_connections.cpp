// Modes of Socket.IO sessions from open to close: io-connect (over WebSocket) and io-polling (over HTTP
// alone).
#include <array>

#include "tests/bench/load/modes.h"
#include "tests/bench/load/socketio/sessions.h"

namespace limpet::bench {
namespace {

// --in-flight clients at once, each again and again. The unit is all of a session, the server's closing
// included; the latency is up to where the application would be told that it is connected.
class Again : public Handler {
 public:
  explicit Again(Load& load) : load_(load) {
    for (std::uint32_t i = 0; i < load.options().in_flight; ++i) {
      clients_.push_back(std::make_unique<Client>(load, *this, i));
    }
  }

  void run() {
    for (const auto& each : clients_) begin(*each);
    load_.window(*this);
    for (const auto& each : clients_) each->close();
  }

  void on_end(Client& client, std::string_view why) override {
    if (!client.ready) {
      load_.error(why.empty() ? "closed in the middle" : why);
    } else {
      load_.unit();
    }
    begin(client);
  }

 protected:
  virtual void begin(Client& client) = 0;
  void connect(Client& client, const Pattern& request) {
    if (!client.connect(request)) load_.error(client.why());
  }
  void is_connected(const Client& client) {
    if (load_.measuring()) load_.latency(now_ns() - client.started);
  }
  Load& load_;

 private:
  std::vector<std::unique_ptr<Client>> clients_;
};

// TCP connect, upgrade, open packet, CONNECT, answer; DISCONNECT and a Close frame, then the end of the
// connection.
class WebSocketSessions : public Again {
 public:
  explicit WebSocketSessions(Load& load)
      : Again(load),
        upgrade_(load.upgrade_request(socket_io_path(load)), 0),
        connect_(packet("40")),
        close_(masked_frame(kText, "41") + masked_frame(kClose, ""), 0),
        readers_(load.options().in_flight) {}

  void on_head(Client& client) override {
    if (!client.upgraded()) client.fail("not upgraded");
  }

  void on_bytes(Client& client, std::span<char> bytes) override {
    std::string_view text;
    for (;;) {
      const auto got = readers_[client.index].next(client.frames, bytes, text);
      if (got == TextReader::Got::nothing) return;
      if (got == TextReader::Got::close && client.ready) continue;  // its end follows
      if (got != TextReader::Got::text || client.ready) return client.fail("a frame that was not expected");
      if (text.starts_with("0{")) {
        client.send(connect_, 1);
      } else if (text.starts_with("40{")) {
        is_connected(client);
        client.ready = true;
        client.send(close_, 1);
      } else {
        return client.fail("a packet that was not expected");
      }
    }
  }

 private:
  void begin(Client& client) override {
    readers_[client.index] = {};
    connect(client, upgrade_);
  }

  const Pattern upgrade_, connect_, close_;
  std::vector<TextReader> readers_;
};

// On one connection: GET (open), POST (CONNECT), GET (its answer), POST (DISCONNECT and close), then its end.
class PollingSessions : public Again {
 public:
  explicit PollingSessions(Load& load)
      : Again(load),
        path_(load.options().path.empty() ? "/socket.io/?EIO=4&transport=polling" : load.options().path),
        open_(load.plain_request("GET", path_), 0),
        states_(load.options().in_flight) {}

  void on_head(Client& client) override {
    if (!client.has_length) return client.fail("an answer without Content-Length");
    states_[client.index].body.clear();
  }

  void on_bytes(Client& client, std::span<char> bytes) override {
    if (bytes.size() > client.body_left) return client.fail("more bytes than announced");
    client.body_left -= bytes.size();
    State& state = states_[client.index];
    state.body.append(bytes.data(), bytes.size());
    if (client.body_left == 0) on_answer(client, state);
  }

 private:
  struct State {
    std::string body;
    std::string sid;
    std::size_t step = 0;
    Pattern request;
  };
  static constexpr std::array<std::string_view, 4> kExpected = {"0{\"sid\":\"", "ok", "40{", "ok"};

  void begin(Client& client) override {
    states_[client.index].step = 0;
    connect(client, open_);
  }

  void on_answer(Client& client, State& state) {
    const std::string_view expected = kExpected[state.step];
    if (!state.body.starts_with(expected)) return client.fail("another answer: " + state.body.substr(0, 60));
    switch (state.step++) {
      case 0:
        state.sid =
            state.body.substr(expected.size(), state.body.find('"', expected.size()) - expected.size());
        return request(client, state, "POST", "40");
      case 1: return request(client, state, "GET", "");
      case 2:
        is_connected(client);
        return request(client, state, "POST",
                       "41\x1e"
                       "1");
      case 3: client.ready = true; return client.finish();
    }
  }

  void request(Client& client, State& state, std::string_view method, std::string_view body) {
    const std::string more = body.empty() ? ""
                                          : "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: " +
                                                std::to_string(body.size()) + "\r\n";
    std::string text = load_.plain_request(method, path_ + "&sid=" + state.sid, more);
    state.request = Pattern(text.append(body), 0);
    client.expect_head();
    client.send(state.request, 1);
  }

  const std::string path_;
  const Pattern open_;
  std::vector<State> states_;
};

}  // namespace

void run_io_connect(Load& load) {
  WebSocketSessions(load).run();
}
void run_io_polling(Load& load) {
  PollingSessions(load).run();
}

}  // namespace limpet::bench
