// StreamReader: one stream, read from its end on, for all namespaces of a process.
//
// Owned by the adapters' shared part, on the loop's thread. It learns where the stream ends before anybody
// has written to it on this node's account, so that nothing between the start and the first XREAD is missed,
// and goes on from the last id that it has seen: after a lost link too. When the stream was deleted
// meanwhile, or another server has fewer entries than we have seen, it goes on from what there is; what may
// have been missed then is told as a gap. So is an entry that is too large for an answer of Redis: others
// that are too large together are asked for by fewer at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backend/cluster/stream_entry.h"
#include "backend/cluster/stream_id.h"
#include "backend/redis/redis.h"
#include "proxy/net/loop.h"

namespace limpet::cluster {

class StreamReader {
 public:
  class Sink {
   public:
    virtual void on_entry(const StreamReader& from, const StreamEntry& entry) = 0;
    virtual void on_gap(const StreamReader& from) = 0;

   protected:
    ~Sink() = default;
  };
  struct Settings {
    std::string stream;
    std::uint32_t count;     // entries at once
    std::uint64_t block_ms;  // how long Redis waits for one
  };

  StreamReader(redis::Redis& redis, net::Loop& loop, Settings settings, Sink& sink);
  ~StreamReader();
  StreamReader(const StreamReader&) = delete;

  const std::string& stream() const { return settings_.stream; }
  bool knows_its_place() const { return knows_end_; }
  const StreamId& last() const { return last_; }  // it, and all before it, has been told

 private:
  void on_link(bool up);
  void look();
  void on_end_known(const redis::Reply& newest);
  void on_start_known(const redis::Reply& oldest);
  void read();
  void on_read(const redis::Reply& streams);
  void on_failed(std::string_view error);
  void try_later();
  bool shy() const { return at_once_ < settings_.count; }
  void skip();
  // Of a callback that may come when it has gone, or when another has taken its place.
  template <class Then>
  redis::Done then(Then call);

  const Settings settings_;
  const std::string block_;
  std::uint32_t at_once_;  // entries that are asked for: fewer after an answer that was too large
  bool must_skip_ = false;
  Sink& sink_;
  bool knows_end_ = false;
  StreamId last_;
  std::shared_ptr<std::uint64_t> round_ = std::make_shared<std::uint64_t>(0);  // a link's; null once gone
  net::Timer retry_;
  std::unique_ptr<redis::Dedicated> link_;
};

}  // namespace limpet::cluster
