// Polling: what carries a session by requests: the poll that waits, the body that comes in, the packets
// between polls.
//
// Part of its LiveSession while that has no WebSocket. At most one poll and one body at a time; what else
// comes ends the session, as the protocol wants it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "backend/engine/payload.h"
#include "backend/engine/query.h"
#include "backend/http/server.h"
#include "proxy/net/loop.h"

namespace limpet::engine {

class LiveSession;

class Polling {
 public:
  Polling(LiveSession& session, const Query& query);
  ~Polling();  // requests that are left lose their connections
  Polling(const Polling&) = delete;

  void on_request(http::Exchange& exchange);
  void send(const ws::MessageRef& packet);      // leaves with the poll that waits, else with the next one
  void send_now(const ws::MessageRef& packet);  // to the poll that waits: writable()
  bool writable() const { return poll_ != nullptr; }
  bool empty() const { return queue_.empty(); }
  std::vector<ws::MessageRef> take_queue();
  // The session is closing and its queue is empty: the next poll brings the news. Nobody waits for it for
  // ever.
  void close_with_next_poll();
  // The session has ended: the poll that waits is answered with `farewell`, a body that still comes is cut.
  void end(const ws::MessageRef& farewell);

 private:
  struct PollWatcher final : http::Watcher {
    explicit PollWatcher(Polling& owner) : polling(owner) {}
    void on_gone() override;
    Polling& polling;
  };
  struct BodyWatcher final : http::Watcher {
    explicit BodyWatcher(Polling& owner) : polling(owner) {}
    void on_body(std::string_view body) override;
    void on_body_too_large() override;
    void on_gone() override;
    Polling& polling;
  };

  void on_poll(http::Exchange& exchange);
  void on_post(http::Exchange& exchange);
  void take(std::string_view body);
  void take_packets(Form form, std::string_view payload);
  void flush();
  void answer_poll(std::span<const ws::MessageRef> packets);
  Form form_of(std::span<const ws::MessageRef> packets) const;
  void on_close_deadline();

  LiveSession& session_;
  http::Exchange* poll_ = nullptr;  // gone when the watcher says so
  http::Exchange* post_ = nullptr;
  PollWatcher poll_watcher_{*this};
  BodyWatcher body_watcher_{*this};
  std::vector<ws::MessageRef> queue_;
  std::size_t queued_ = 0;  // bytes
  net::Timer close_deadline_;
  bool base64_;  // the client takes no binary
  bool jsonp_;
  bool first_ = true;       // no poll was answered yet: the next answer may set a cookie
  bool octets_ = false;     // of the body under way
  bool close_due_ = false;  // close_with_next_poll()
  std::uint8_t index_digits_;
  char index_[Query::kMostDigits];  // of JSONP
};

}  // namespace limpet::engine
