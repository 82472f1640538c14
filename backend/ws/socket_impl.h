// The inside of Socket. Included by ws's .cpp files alone.
//
// Lives on when its Socket is destroyed from within a call to the receiver, until that call has returned, and
// when there is still something to write: then the Hub has it.
#pragma once

#include <memory>
#include <string>

#include "backend/budget/share.h"
#include "backend/ws/hub.h"
#include "backend/ws/queue.h"
#include "backend/ws/reader.h"
#include "backend/ws/socket.h"

namespace limpet::ws {

struct Socket::Impl {
  // open -> closing (we have sent a Close and wait for the peer's) -> parting (the receiver has been told;
  // what is queued goes out, the peer is given time to read it) -> over (no connection). Any may be skipped.
  enum class Phase : std::uint8_t { open, closing, parting, over };

  // Bytes that nobody has looked at yet.
  struct Held {
    explicit Held(std::string_view from) : bytes(from) { share.set(sizeof(Held) + bytes.capacity()); }
    std::string bytes;
    budget::Share share;
  };

  // Of a connection that has its own windows.
  struct Codec {
    Codec(Hub& hub, const Agreement& agreement)
        : deflater(hub.deflated_, agreement.window_bits, agreement.we_keep_context),
          inflater(hub.inflated_, agreement.client_keeps_context) {}
    Deflater deflater;
    Inflater inflater;
  };

  Impl(Hub& in, net::Stream from, const Options& options, Receiver& to, std::string_view early,
       std::string_view unsent);
  ~Impl();

  void send(const MessageRef& message);
  bool offer(const MessageRef& message);
  void enqueue(const MessageRef& message);
  std::size_t holds() const { return queue.weight() + reader.holds() + (held ? held->share.bytes() : 0); }
  bool too_much_queued() const { return queue.weight() > max_queued && !queue.only_one(); }
  void send_close(std::uint16_t code, std::string_view reason);
  void leave();  // by its owner

  // From the loop, each within a Visit.
  void on_readable();
  void on_writable();
  void on_turn_end();
  void on_deadline();

  void read();
  void read_to_the_end();
  void take(std::span<char> in);
  void take_event(const Reader::Event& event);
  void watch_cut(bool anew);
  void discard();
  void wait_for_bytes();
  void flush();
  bool write();  // false: the connection is broken

  void close_answered(const Reader::Event& event);
  void refuse(std::uint16_t code);
  void lost();
  void part(bool linger);
  void doom(End how);
  void hang_up();
  void tell_end(const Ending& ending);
  void at_turn_end() { hub.loop().at_end_of_turn(turn_end); }
  void deadline_in(std::uint64_t delay_ms);

  // What sending touches comes first: a broadcast goes through many of us.
  Hub& hub;
  Receiver* receiver;  // until it has been told the end
  net::Stream stream;
  Queue queue;
  std::uint32_t max_queued;
  Phase phase = Phase::open;
  bool visited = false;
  bool owned = true;     // by a Socket
  bool blocked = false;  // the kernel takes no more until it says so
  net::Deferred turn_end{net::delegate<&Impl::on_turn_end>(this)};
  std::unique_ptr<Held> held;
  std::unique_ptr<Codec> codec;
  Reader reader;
  std::unique_ptr<net::Timer> deadline;  // once it closes, and for the rest of a message
  std::size_t cut_size = 0;              // of that message, when the deadline was set
  std::size_t place = 0;                 // in the Hub
  std::uint32_t max_message;
  std::uint16_t close_code = 0;       // of our Close
  End doomed = End::connection_lost;  // how, if `over` and the receiver has not been told
  bool check_utf8;
  bool tell_drained;
  bool deflates;
  bool paused = false;
  bool lingers = false;  // parting: waits for the peer's end
};

}  // namespace limpet::ws
