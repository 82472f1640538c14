// Link: one connection to Redis, made again with back-off and jitter whenever it is lost, until end().
//
// Held by a shared_ptr so that it outlasts whatever its callbacks destroy; touched on the loop's thread only.
// Commands of one turn leave in one write and are answered in order. While it is not up they fail at once.
//
//   waiting -> resolving -> connecting -> securing -> greeting -> up
//      ^________________________________________________________|   and `ended` from everywhere
//
// greeting: AUTH, SELECT and PING are answered as they should be; an accept() alone proves nothing. A link
// that is silent while an answer is due is taken for dead; an idle one is asked by PING.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/redis/context.h"
#include "backend/redis/reader.h"
#include "backend/redis/request.h"
#include "backend/redis/transport.h"
#include "proxy/net/connect.h"

namespace limpet::redis {

// What a connection begins with.
struct Greeting {
  std::string user = {}, password = {};
  std::uint32_t db = 0;
  bool tls = false;
  bool master = false;  // it has to be one: ROLE is asked
};

// A command's other half: what becomes of its answer.
struct Asked {
  Done done = {};
  Tally tally = Tally::none;
  std::uint16_t before = 0;     // answers that come before the one that counts: MULTI's, ASKING's
  bool unsubscribes = false;    // SUNSUBSCRIBE, whose answer Redis sends unasked, too
  std::uint64_t blocks_ms = 0;  // for so long Redis may keep silent by the command's own wish
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  enum class Use : std::uint8_t { commands, subscriptions };
  enum class Phase : std::uint8_t { waiting, resolving, connecting, securing, greeting, up, ended };

  // Who holds it. May end() or drop() it, and destroy everything else, from within any of these.
  class Owner {
   public:
    virtual std::optional<Endpoint> link_target(const Link& link) = 0;  // nothing: not known; wake() later
    virtual void on_link_up(Link& link) = 0;
    // An established one was lost, or (`was_up` false) none could be made.
    virtual void on_link_lost(Link& link, bool was_up, std::string_view why) = 0;
    virtual void on_link_error(Link&, std::string_view) {}  // a command was answered by this error
    // `name` is what was subscribed to: the channel itself, or a pattern that it matches.
    virtual void on_link_message(Link&, Subscribed, std::string_view /*name*/, std::string_view /*channel*/,
                                 std::string_view /*payload*/) {}
    virtual void on_link_sunsubscribed(Link&, std::string_view /*channel*/) {}

   protected:
    ~Owner() = default;
  };

  Link(std::shared_ptr<Context> context, Owner& owner, Use use, Greeting greeting);
  ~Link();

  void wake();                      // at once: at first, and when the target is known now, or another
  void end();                       // for good: what is owed fails, the owner hears nothing more
  void drop(std::string_view why);  // gives this connection up and makes another

  bool up() const { return phase_ == Phase::up; }
  Phase phase() const { return phase_; }
  const Endpoint& endpoint() const { return endpoint_; }  // of this connection, or of the last
  bool dead_silent() const { return silent_; }            // it was lost because it did not answer
  bool untried() const { return !was_ever_up_ && failures_ == 0; }

  void send(Words words, Asked asked);
  void send_encoded(std::string_view bytes, Asked asked);  // whole commands, `before` + 1 of them

 private:
  struct Owed {
    Asked asked;
    std::uint64_t begins = 0;  // its first byte, counted from the connection's first
    std::size_t cost = 0;
  };

  void move_to(Phase next);
  void on_clock();
  void begin();
  void resolve();
  void connect(std::vector<net::Address> addresses);
  void on_connect_ended();
  void secure();
  void greet();
  void greet_by(std::initializer_list<std::string_view> words, void (Link::*check)(const Reply&));
  void check_auth(const Reply& reply);
  void check_select(const Reply& reply);
  void check_role(const Reply& reply);
  void check_ping(const Reply& reply);
  void come_up();

  void lose(std::string_view why);
  void fail(Owed& owed, std::string_view why, std::uint64_t written);
  bool admit(std::size_t cost, Asked& asked);
  void put(Words words, Asked asked);
  void owe(Asked asked, std::uint64_t begins, std::size_t cost);
  void watch();

  void on_readable();
  void on_writable();
  void flush();
  void on_reply(const Reply& reply);
  bool on_pushed(const Reply& reply);
  void on_answer(const Reply& reply);

  std::shared_ptr<Context> context_;
  Owner* owner_;  // outlives us, or has called end()
  const Use use_;
  const Greeting greeting_;
  Phase phase_ = Phase::waiting;
  bool silent_ = false, was_ever_up_ = false;
  unsigned failures_ = 0;      // in a row: how long we wait
  std::uint64_t attempt_ = 0;  // of connections: whose answer a resolver's is

  Endpoint endpoint_;
  net::Timer clock_;  // the next try; the connect's deadline; the watch over an established link
  net::Connect connect_;
  Transport transport_;
  net::Deferred flush_, more_;
  std::unique_ptr<Reader> reader_;

  std::string out_;
  std::size_t out_at_ = 0;
  std::uint64_t queued_ = 0, written_ = 0;  // bytes of this connection
  std::deque<Owed> owed_;
  std::string before_error_;  // the first error among the answers before the front's own
  std::uint64_t up_since_ms_ = 0, last_byte_ms_ = 0;
  std::uint64_t front_since_ms_ = 0;                 // since when the front's answer is what comes next
  std::uint64_t measured_at_ = 0, measured_us_ = 0;  // one command at a time, by where it begins
  bool measuring_ = false;
};

}  // namespace limpet::redis
