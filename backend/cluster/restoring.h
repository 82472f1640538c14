// Restoring: one client that has come back: its session is fetched, and what it has missed is read from the
// stream. Held by its adapter and by the answers that it waits for; on the loop's thread.
//
//   MULTI GET DEL EXEC of the session, and XRANGE of the offset, at once; then pages of the stream to its
//   end.
//
// What comes live begins where this ends: entries that the stream's reader has not come to yet are left to
// it, and as long as the reader is ahead there is one more page. This node's own are delivered when they are
// written, so they count as missed like any other's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/adapter/room_set.h"
#include "backend/cluster/cluster.h"
#include "backend/cluster/saved_session.h"
#include "backend/cluster/stream_reader.h"
#include "backend/redis/redis.h"

namespace limpet::cluster {

class Restoring : public std::enable_shared_from_this<Restoring> {
 public:
  struct Settings {
    std::string stream, key, uid;  // the adapter's own uid
    std::uint64_t max_length;      // of the stream, about
  };
  struct Found {
    adapter::Restored restored;
    std::string node;  // where the socket may still live
  };
  // Called once, at the latest by cancel().
  using Done = std::function<void(const std::shared_ptr<Restoring>& which, std::optional<Found>)>;

  Restoring(adapter::Host& host, redis::Redis& redis, const StreamReader& reader, Settings settings,
            Tally tally, Done done);
  void start(StreamId offset);
  void cancel() { finish(std::nullopt); }

 private:
  struct Missed {
    StreamId id;
    bool own;
    adapter::Encoded packet;
  };
  void on_session(const redis::Result& result);
  void on_offset(const redis::Result& result);
  void begin_if_known();
  void next_page();
  void on_page(const redis::Result& result);
  bool is_at_the_end(std::size_t size, std::size_t asked);
  bool take(const StreamEntry& entry, const StreamId& id);
  void complete();
  void finish(std::optional<Found> found);

  adapter::Host& host_;
  redis::Redis& redis_;
  const StreamReader& reader_;
  const Settings settings_;
  const Tally tally_;
  Done done_;  // empty once it has ended: then nothing above may be touched
  StreamId offset_, last_;
  std::optional<SavedSession> saved_;
  bool offset_known_ = false, was_empty_ = false;
  adapter::RoomSet rooms_;  // of saved_
  std::vector<Missed> missed_;
  std::size_t bytes_ = 0;  // of what was missed
  std::size_t page_;       // entries to be asked for next
  std::size_t read_bytes_ = 0;
  std::uint64_t entries_ = 0;
  std::uint32_t waits_ = 0;
};

}  // namespace limpet::cluster
