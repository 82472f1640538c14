// One entry of a stream: fields `uid`, `nsp`, `type` (in digits) and `data` (JSON, or base64 of MessagePack).
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/cluster/family_wire.h"
#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"
#include "backend/redis/reply.h"

namespace limpet::cluster {

// Its fields, as views into Redis' answer.
struct StreamEntry {
  std::string_view id, uid, nsp, type, data;
};
// Of [id, [field, value, ...]]. Without an id: it is not that.
StreamEntry read_entry(const redis::Reply& entry);
// Nothing: not what a peer writes.
std::optional<family::Incoming> read_message(const StreamEntry& entry);

// Writes `data`; keeps its memory.
class EntryWriter {
 public:
  explicit EntryWriter(bool only_plaintext) : only_plaintext_(only_plaintext) {}
  std::string_view data_of(const family::Outgoing& what);  // good until it is called again

 private:
  bool only_plaintext_;
  TextWriter text_;
  codec::msgpack::Writer binary_;
  std::string base64_;
};

}  // namespace limpet::cluster
