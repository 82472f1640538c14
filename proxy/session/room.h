// Room: what a connection needs while a request is under way and not while it idles: buffers, field lists,
// the memory of its Exchange. A session borrows one from its worker with the first byte of a request and
// gives it back, emptied but with its capacity, once it idles: in the steady state a request allocates
// nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "proxy/wire/head.h"

namespace limpet::session {

struct Room {
  std::string in;     // the client's bytes: the current message and what came with it
  std::string ahead;  // bytes of it that were read while an answer was waited for

  // Of the exchange:
  wire::FieldList fields;
  wire::FieldList answer_fields;
  std::string up_head;       // kept until the first byte of an answer, for a second attempt
  std::string up_pending;    // body that the server has not taken
  std::string answer_in;     // head bytes so far
  std::string down_pending;  // bytes that the client has not taken
  std::unique_ptr<std::byte[]> exchange;

  void clear_exchange() {
    for (std::string* each : {&up_head, &up_pending, &answer_in, &down_pending}) each->clear();
  }
};

// Only on one thread. Bounded, so that memory after a burst is memory at rest.
class Rooms {
 public:
  static constexpr std::size_t kMostKept = 1024 * 1024;
  static constexpr std::size_t kMostBuffer = 16 * 1024;  // of one that is kept

  std::unique_ptr<Room> take();
  void give_back(std::unique_ptr<Room> room);
  std::size_t kept() const { return kept_; }  // bytes

 private:
  std::vector<std::unique_ptr<Room>> spare_;
  std::size_t kept_ = 0;
};

}  // namespace limpet::session
