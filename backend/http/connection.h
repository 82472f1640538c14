// Connection: one client connection from accept to close, and its Exchange while a request is under way.
//
// Owned by its Server, on whose thread it lives. Every event of the loop ends in settle(), which alone calls
// handlers and Watchers and may destroy *this: nothing may follow it. Calls from elsewhere (an answer to a
// long poll) call nobody; what they make due waits for the loop.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "backend/http/room.h"
#include "backend/http/server.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace limpet::http {

// In one of its Server's lists of those who wait for a request, while it does.
class Connection final : public Exchange, public boost::intrusive::list_base_hook<> {
 public:
  Connection(Server::Impl& server, net::Stream stream, const net::Address& peer);
  ~Connection();
  Connection(const Connection&) = delete;

  void start();
  void drain();     // ends when idle, else with the answer under way
  void end_told();  // at once; the Watcher is told
  void evict();     // soon, with a reset; the Watcher is told

  const wire::RequestHead& head() const override { return room_->request; }
  const net::Address& peer() const override { return peer_; }
  net::Loop& loop() override;
  void watch(Watcher* watcher) override { watcher_ = watcher; }
  void read_body(std::uint64_t most) override;
  void answer(const Answer& answer) override;
  void destroy() override;
  Upgraded upgrade(std::string_view fields) override;
  void write_and_close(std::string_view bytes) override;

 private:
  friend struct Server::Impl;
  using Waiting = boost::intrusive::list<Connection>;
  enum class Phase : std::uint8_t {
    idle,       // between requests
    head,       // a byte of one was seen
    exchange,   // the handler has it
    answering,  // the answer is on its way
    lingering,  // the last one was sent; what still comes is dropped
    closed,
  };
  // The body of the request under way.
  enum class Intake : std::uint8_t {
    done,       // there is none, or it was taken
    untouched,  // nobody has asked for it
    wanted,     // until it is whole
    dropping,   // nobody wants it any more
  };
  enum class Step : std::uint8_t { again, wait };

  // Of the loop.
  void on_readable();
  void on_writable();
  void on_deadline();
  void set_deadline(std::uint64_t ms);  // not of one that is evicted; nor the next
  void cancel_deadline();
  void read_some();
  void drop_input();
  void want_read();
  void poke();

  // Of settle(): each looks at what there is and says whether to look again.
  void settle();
  Step read_head();
  Step serve();   // phase exchange
  Step finish();  // phase answering
  void begin(std::string_view head);
  enum class Got : std::uint8_t { more, whole, too_large, bad };
  Got take_body();
  Got take_length();
  Got take_chunks();
  void deliver();
  void next_message();

  void move_to(Phase next);
  void wait_for_request();
  void stop_waiting();
  bool has_something_to_read();
  std::size_t holds() const { return room_ ? room_->share.bytes() : 0; }
  bool may_keep() const;
  void send(std::initializer_list<std::string_view> pieces);
  void flush();
  void count_unsent();
  void last_wait();
  void broken();
  void finish_call();
  void refuse(wire::Fault fault);
  void refuse(int status, std::string_view text, std::string_view fields = {});
  void fail(int status, std::string_view text);
  void gone();
  void linger();
  void give_room_back();

  Server::Impl& server_;
  net::Stream stream_;
  net::Address peer_;
  net::Timer deadline_;
  wire::HeadScanner scanner_;
  std::unique_ptr<Room> room_;  // none while it idles
  Watcher* watcher_ = nullptr;
  std::uint64_t most_ = 0;      // of the body
  std::size_t unsent_ = 0;      // of the answer, as the Server has counted it
  std::uint64_t renewed_ = 0;   // bytes that have left since the answer's deadline was set
  std::uint64_t since_ms_ = 0;  // how long it waits for a request
  Phase phase_ = Phase::idle;
  Intake intake_ = Intake::done;
  bool inside_ = false;  // settle() is on the stack
  bool keep_ = false;    // the connection survives the answer under way
  bool ended_ = false;   // the client has sent its end
  bool draining_ = false;
  bool served_ = false;     // a request was read from this connection
  bool continued_ = false;  // 100 Continue was sent, or need not be
  bool waits_ = false;      // the deadline of the answer under way is set
  bool evicted_ = false;
  Connection* prev_ = nullptr;
  Connection* next_ = nullptr;
};

}  // namespace limpet::http
