// Room: what a connection needs while a request is under way and not while it idles.
//
// A connection borrows one with the first byte of a request and gives it back once it idles, so an idle one
// holds no buffer and a request allocates nothing in the steady state.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/budget/share.h"
#include "proxy/wire/chunked.h"
#include "proxy/wire/head.h"

namespace limpet::http {

struct Room {
  std::string in;  // bytes of the client that nobody has taken yet, from `taken` on
  std::size_t taken = 0;
  std::string head;  // of the request under way: its own, so that views of it stay valid
  wire::FieldList fields;
  wire::RequestHead request;
  std::string body;  // decoded, of a chunked one
  std::string out;   // of the answer, what the kernel did not take, from `sent` on
  std::size_t sent = 0;
  std::optional<wire::ChunkReader> chunks;
  budget::Share share;

  void count() { share.set(in.size() + head.size() + body.size() + out.size()); }

  std::string_view rest() const { return std::string_view(in).substr(taken); }
  void append(std::string_view bytes) {
    in.erase(0, taken);
    taken = 0;
    in.append(bytes);
    count();
  }
  void drop_input() {
    in.clear();
    taken = 0;
    count();
  }
  // What was long is not kept by a connection that lives on.
  void drop_output();
  void end_request();  // what came after it stays
  void clear();        // what is kept for the next holder is small
};

class Rooms {
 public:
  std::unique_ptr<Room> take();
  void give_back(std::unique_ptr<Room> room);

 private:
  std::vector<std::unique_ptr<Room>> spare_;
};

}  // namespace limpet::http
