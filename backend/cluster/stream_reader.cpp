#include "backend/cluster/stream_reader.h"

#include <algorithm>
#include <utility>

namespace limpet::cluster {
namespace {

constexpr std::uint64_t kRetryMs = 500;  // after an answer that is an error: the link itself has its back-off

}  // namespace

StreamReader::StreamReader(redis::Redis& redis, net::Loop& loop, Settings settings, Sink& sink)
    : settings_(std::move(settings)),
      block_(std::to_string(settings_.block_ms)),
      at_once_(settings_.count),
      sink_(sink),
      retry_(loop, net::delegate<&StreamReader::look>(this)),
      link_(redis.dedicate(settings_.stream)) {
  link_->on_link = [this](bool up) { on_link(up); };
  if (link_->up()) on_link(true);
}

StreamReader::~StreamReader() {
  round_.reset();
  link_->on_link = {};
}

template <class Then>
redis::Done StreamReader::then(Then call) {
  return [this, round = std::weak_ptr<std::uint64_t>(round_), mine = *round_,
          call](const redis::Result& result) {
    const auto now = round.lock();
    if (!now || *now != mine) return;
    if (result.ok())
      call(*this, result.reply);
    else
      on_failed(result.error);
  };
}

void StreamReader::on_link(bool up) {
  ++*round_;
  retry_.cancel();
  if (!up) return;
  if (must_skip_) return skip();
  shy() && knows_end_ ? read() : look();
}

// The link goes with an answer that was too large; on_link() has the rest.
void StreamReader::on_failed(std::string_view error) {
  if (error == redis::kTooLarge) {
    must_skip_ = at_once_ <= 1;
    at_once_ = std::max<std::uint32_t>(at_once_ / 8, 1);
  }
  try_later();
}

// Past an entry that cannot be read: all that was written until now is given up.
void StreamReader::skip() {
  link_->command({"TIME"}, then([](StreamReader& it, const redis::Reply& time) {
                   const auto seconds = time[0].integer(), us = time[1].integer();
                   if (!seconds || !us || *seconds < 0) return it.try_later();
                   const StreamId now{static_cast<std::uint64_t>(*seconds * 1000 + *us / 1000), 0};
                   it.must_skip_ = false;
                   it.knows_end_ = true;
                   it.last_ = std::max(it.last_.next(), now);
                   const std::weak_ptr<std::uint64_t> alive = it.round_;
                   it.sink_.on_gap(it);
                   if (!alive.expired()) it.read();
                 }));
}

void StreamReader::try_later() {
  ++*round_;
  if (link_->up()) retry_.after(kRetryMs);
}

// Where the stream ends. Asked at the start, after each lost link and whenever nothing has come for a while.
void StreamReader::look() {
  link_->command({"XREVRANGE", settings_.stream, "+", "-", "COUNT", "1"},
                 then([](StreamReader& it, const redis::Reply& newest) { it.on_end_known(newest); }));
}

void StreamReader::on_end_known(const redis::Reply& newest) {
  const StreamId end = StreamId::read(newest[0][0].text()).value_or(StreamId{});
  if (!std::exchange(knows_end_, true)) {
    last_ = end;
    return read();
  }
  if (end == last_) return read();
  if (end < last_) {  // another stream by that name: all of it that we could have seen, we have
    last_ = end;
    sink_.on_gap(*this);
    return read();
  }
  link_->command({"XRANGE", settings_.stream, "-", "+", "COUNT", "1"},
                 then([](StreamReader& it, const redis::Reply& oldest) { it.on_start_known(oldest); }));
}

// Entries that were trimmed before we came to them.
void StreamReader::on_start_known(const redis::Reply& oldest) {
  const auto start = StreamId::read(oldest[0][0].text());
  if (start && *start > last_ && last_ != StreamId{}) sink_.on_gap(*this);
  read();
}

void StreamReader::read() {
  const std::string count = std::to_string(at_once_);
  link_->command({"XREAD", "COUNT", count, "BLOCK", block_, "STREAMS", settings_.stream, last_.text()},
                 then([](StreamReader& it, const redis::Reply& streams) { it.on_read(streams); }),
                 settings_.block_ms);
}

// [[stream, [entry, ...]]], or nil: nothing has come.
void StreamReader::on_read(const redis::Reply& streams) {
  const redis::Reply entries = streams[0][1];
  const std::weak_ptr<std::uint64_t> alive = round_;
  if (entries.size() == 0) return shy() ? read() : look();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const StreamEntry entry = read_entry(entries[i]);
    const auto id = StreamId::read(entry.id);
    if (!id) continue;
    last_ = *id;
    if (!entry.nsp.empty()) sink_.on_entry(*this, entry);
    if (alive.expired()) return;
  }
  at_once_ = std::min(at_once_ * 2, settings_.count);
  read();
}

}  // namespace limpet::cluster
