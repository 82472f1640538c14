// Polling: what carries a session by requests: the poll that waits, the body that comes in, the packets
// between polls.
//
// Part of its LiveSession while that has no WebSocket. At most one poll and one body at a time; what else
// comes ends the session, as the protocol wants it. A long body is worked through in pieces, one a turn of
// the loop, and a long queue leaves in several answers: one client must not hold up or fill up a node.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/budget/share.h"
#include "backend/engine/payload.h"
#include "backend/engine/query.h"
#include "backend/http/server.h"
#include "proxy/net/loop.h"

namespace limpet::engine {

class LiveSession;

// In the server's list of those that nobody has asked for, until somebody does.
class Polling final : public boost::intrusive::list_base_hook<> {
 public:
  Polling(LiveSession& session, const Query& query);
  ~Polling();  // requests that are left lose their connections
  Polling(const Polling&) = delete;

  void on_request(http::Exchange& exchange);
  void asked();                                 // for more than its opening: somebody is there
  void expire();                                // nobody is
  void send(const ws::MessageRef& packet);      // leaves with the poll that waits, else with the next one
  void send_now(const ws::MessageRef& packet);  // to the poll that waits: writable()
  bool writable() const { return poll_ != nullptr; }
  bool empty() const { return queue_.empty(); }
  bool takes_body() const { return post_ != nullptr; }
  std::size_t holds() const { return queued_ + (rest_ ? rest_->share.bytes() : 0); }
  std::vector<ws::MessageRef> take_queue();
  // The session is closing and its queue is empty: the next poll brings the news. Nobody waits for it for
  // ever.
  void close_with_next_poll();
  void resume();  // of a body that is worked through
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
  // Packets of a body that are still to come.
  struct Rest {
    Rest(Polling& owner, Form form, std::string_view payload)
        : bytes(payload), reader(form, bytes), turn_end(net::delegate<&Polling::on_rest>(&owner)) {
      share.set(sizeof(Rest) + bytes.capacity());
    }
    std::string bytes;
    budget::Share share;
    PayloadReader reader;
    net::Deferred turn_end;
  };
  void take(std::string_view body);
  void take_packets(Form form, std::string_view payload);
  void take_some(PayloadReader& reader);
  void on_rest();
  void go_on_with_rest();
  void body_done();
  void flush();
  void stop_waiting();
  void count_places();
  void answer_poll(std::span<const ws::MessageRef> packets);
  Form form_of(std::span<const ws::MessageRef> packets) const;

  LiveSession& session_;
  http::Exchange* poll_ = nullptr;  // gone when the watcher says so
  http::Exchange* post_ = nullptr;
  PollWatcher poll_watcher_{*this};
  BodyWatcher body_watcher_{*this};
  std::vector<ws::MessageRef> queue_;
  std::size_t queued_ = 0;  // bytes
  budget::Share places_;    // in the queue; what stands in them counts itself
  std::unique_ptr<Rest> rest_;
  net::Timer deadline_;  // for the second request, and for the poll that brings the close
  bool base64_;          // the client takes no binary
  bool jsonp_;
  bool first_ = true;       // no poll was answered yet: the next answer may set a cookie
  bool octets_ = false;     // of the body under way
  bool close_due_ = false;  // close_with_next_poll()
  bool taking_ = false;     // a body's packets are being handed up
  std::uint8_t index_digits_;
  char index_[Query::kMostDigits];  // of JSONP
};

}  // namespace limpet::engine
