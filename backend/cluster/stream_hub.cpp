#include "backend/cluster/stream_hub.h"

#include <utility>

#include "backend/cluster/stream_names.h"

namespace limpet::cluster {
namespace {

constexpr std::uint64_t kAloneMs = 60'000;
constexpr std::string_view kEmitter = "emitter";  // the uid of programs that only write

}  // namespace

StreamHub::StreamHub(redis::Redis& redis, StreamsSettings settings, Tally tally)
    : redis_(redis),
      settings_(std::move(settings)),
      tally_(std::move(tally)),
      writer_(settings_.only_plaintext) {}

const StreamReader& StreamHub::add(std::string_view nsp, net::Loop& loop, Receiver& receiver) {
  for (const std::string& each : streams_that_are_read(settings_.stream, settings_.stream_count))
    open(each, loop);
  const StreamReader& own = open(stream_of(nsp, settings_.stream, settings_.stream_count), loop);
  receivers_[std::string(nsp)] = {&receiver, &own};
  return own;
}

void StreamHub::remove(std::string_view nsp, const Receiver& receiver) {
  const auto at = receivers_.find(nsp);
  if (at != receivers_.end() && at->second.receiver == &receiver) receivers_.erase(at);
  if (receivers_.empty()) readers_.clear();
}

StreamReader& StreamHub::open(const std::string& stream, net::Loop& loop) {
  auto& reader = readers_[stream];
  if (!reader) {
    StreamReader::Sink& sink = *this;
    reader = std::make_unique<StreamReader>(
        redis_, loop, StreamReader::Settings{stream, settings_.read_count, settings_.block_ms}, sink);
  }
  return *reader;
}

void StreamHub::on_entry(const StreamReader& from, const StreamEntry& entry) {
  const auto at = receivers_.find(entry.nsp);
  if (at == receivers_.end()) {
    heard_others_ = true;
    return;
  }
  const auto [its, own] = at->second;
  Receiver& receiver = *its;
  if (entry.uid == receiver.uid()) return;
  if (entry.uid != kEmitter) {
    heard_others_ = true;
    if (&from != own)
      warn(warned_elsewhere_, "others write the namespace " + at->first + " to the stream " + from.stream() +
                                  ", this node to " + own->stream() +
                                  ": is the number of streams the same everywhere?");
  }
  receiver.on_entry(entry);
}

// A quiet cluster looks the same as one on another stream: hence once, and as a question.
void StreamHub::on_nodes(std::size_t count, std::uint64_t now_ms) {
  if (count <= 1 || heard_others_) {
    alone_since_ms_ = 0;
  } else if (alone_since_ms_ == 0) {
    alone_since_ms_ = now_ms;
  } else if (now_ms - alone_since_ms_ >= kAloneMs) {
    warn(warned_alone_, std::to_string(count) + " nodes are on " + settings_.channel_prefix +
                            "#/#, but none of the others has written to the stream " + settings_.stream +
                            " so far: do they use another one?");
  }
}

void StreamHub::warn(bool& once, const std::string& what) {
  if (!std::exchange(once, true) && settings_.on_warning) settings_.on_warning(what);
}

}  // namespace limpet::cluster
