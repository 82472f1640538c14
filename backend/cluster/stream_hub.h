// StreamHub: what the streams adapters of a process share: the readers of its streams, which serve all
// namespaces, and the look at whether anybody else is there. On the loop's thread; it lives as long as an
// adapter does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/cluster/cluster.h"
#include "backend/cluster/stream_entry.h"
#include "backend/cluster/stream_reader.h"
#include "backend/names/hash.h"

namespace limpet::cluster {

class StreamHub final : private StreamReader::Sink {
 public:
  // One namespace.
  class Receiver {
   public:
    virtual void on_entry(const StreamEntry& entry) = 0;
    virtual std::string_view uid() const = 0;

   protected:
    ~Receiver() = default;
  };

  StreamHub(redis::Redis& redis, StreamsSettings settings, Tally tally);
  StreamHub(const StreamHub&) = delete;

  // The first opens the streams, the last that goes closes them.
  const StreamReader& add(std::string_view nsp, net::Loop& loop, Receiver& receiver);
  void remove(std::string_view nsp, const Receiver& receiver);
  void on_nodes(std::size_t count, std::uint64_t now_ms);  // as Redis counts them

  const StreamsSettings& settings() const { return settings_; }
  redis::Redis& redis() { return redis_; }
  const Tally& tally() const { return tally_; }
  EntryWriter& writer() { return writer_; }

 private:
  void on_entry(const StreamReader& from, const StreamEntry& entry) override;
  void on_gap(const StreamReader&) override { ++tally_->gaps; }
  // What a namespace hears, and where it writes.
  struct Heard {
    Receiver* receiver = nullptr;
    const StreamReader* own = nullptr;
  };
  StreamReader& open(const std::string& stream, net::Loop& loop);
  void warn(bool& once, const std::string& what);

  redis::Redis& redis_;
  const StreamsSettings settings_;
  const Tally tally_;
  EntryWriter writer_;
  std::map<std::string, std::unique_ptr<StreamReader>> readers_;                    // by stream
  std::unordered_map<std::string, Heard, names::Hash, std::equal_to<>> receivers_;  // by namespace
  bool heard_others_ = false, warned_alone_ = false, warned_elsewhere_ = false;
  std::uint64_t alone_since_ms_ = 0;  // with others counted; 0: not so
};

}  // namespace limpet::cluster
