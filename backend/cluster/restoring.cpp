#include "backend/cluster/restoring.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace limpet::cluster {
namespace {

// A page's entries: few at first, then as many as have about kPageBytes: an answer that is too large would
// cost the link.
constexpr std::size_t kFirstPage = 20, kLargestPage = 100;
constexpr std::size_t kPageBytes = 1024 * 1024;
constexpr std::size_t kMostReadBytes = 256 * 1024 * 1024;  // of the stream, for one client
constexpr std::uint64_t kLeastEntries = 50'000;
constexpr std::uint32_t kWaits =
    100;  // pages asked for only because the reader is not yet where the client was
constexpr std::size_t kMostBytes = 16 * 1024 * 1024;  // of what one client has missed
constexpr std::string_view kBroadcast = "3";

}  // namespace

Restoring::Restoring(adapter::Host& host, redis::Redis& redis, const StreamReader& reader, Settings settings,
                     Tally tally, Done done)
    : host_(host),
      redis_(redis),
      reader_(reader),
      settings_(std::move(settings)),
      tally_(std::move(tally)),
      done_(std::move(done)),
      page_(kFirstPage) {}

void Restoring::start(StreamId offset) {
  const auto self = shared_from_this();
  last_ = offset_ = offset;
  const std::string at = offset.text();
  redis_.transaction(
      {{"GET", settings_.key}, {"DEL", settings_.key}},
      [self](const redis::Result& result) { self->on_session(result); }, settings_.key);
  redis_.command(
      {"XRANGE", settings_.stream, at, at}, [self](const redis::Result& result) { self->on_offset(result); },
      settings_.stream);
}

void Restoring::on_session(const redis::Result& result) {
  if (!done_) return;
  const std::string_view text = result.ok() ? result.reply[0].text() : std::string_view();
  if (!text.empty()) {
    saved_ = read_session(text);
    if (!saved_) ++tally_->malformed;
  }
  if (!saved_) return finish(std::nullopt);
  rooms_ = adapter::RoomSet(saved_->session.rooms);
  begin_if_known();
}

// An offset that has been trimmed: what came after it is not known any more.
void Restoring::on_offset(const redis::Result& result) {
  if (!done_) return;
  if (!result.ok() || result.reply.size() == 0) return finish(std::nullopt);
  offset_known_ = true;
  begin_if_known();
}

void Restoring::begin_if_known() {
  if (saved_ && offset_known_) next_page();
}

void Restoring::next_page() {
  const std::string from = last_.next().text(), count = std::to_string(page_);
  redis_.command(
      {"XRANGE", settings_.stream, from, "+", "COUNT", count},
      [self = shared_from_this()](const redis::Result& result) { self->on_page(result); }, settings_.stream);
}

void Restoring::on_page(const redis::Result& result) {
  if (!done_) return;
  if (!result.ok() || host_.stopped()) return finish(std::nullopt);
  const std::size_t size = result.reply.size(), asked = page_;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const StreamEntry entry = read_entry(result.reply[i]);
    const auto id = StreamId::read(entry.id);
    if (!id || *id <= last_) continue;
    last_ = *id;
    bytes += entry.data.size();
    if (!take(entry, *id)) return finish(std::nullopt);
  }
  entries_ += size;
  read_bytes_ += bytes;
  if (size != 0) page_ = std::clamp<std::size_t>(size * kPageBytes / (bytes + 1), 1, kLargestPage);
  if (is_at_the_end(size, asked)) return complete();
  const std::uint64_t most = std::max<std::uint64_t>(kLeastEntries, 2 * settings_.max_length);
  if (entries_ > most || read_bytes_ > kMostReadBytes) return finish(std::nullopt);  // it outgrows us
  next_page();
}

// The reader must have passed the offset, or it would bring once more what the client has seen; and all that
// it has passed must have been on our pages.
bool Restoring::is_at_the_end(std::size_t size, std::size_t asked) {
  const bool too_early = !reader_.knows_its_place() || reader_.last() < offset_;
  if (too_early && ++waits_ < kWaits) return false;
  const bool nothing_twice = std::exchange(was_empty_, size == 0) && size == 0;  // its last is no more
  return size != asked && (reader_.last() <= last_ || nothing_twice);
}

// False: too much.
bool Restoring::take(const StreamEntry& entry, const StreamId& id) {
  if (entry.nsp != host_.name() || entry.type != kBroadcast) return true;
  auto said = read_message(entry);
  family::Broadcast broadcast;
  if (!said || !family::take_broadcast(*said, broadcast) || !broadcast.request.empty()) {
    ++tally_->malformed;
    return true;
  }
  if (!rooms_.hears(broadcast.target)) return true;
  try {
    auto packet = host_.encode(broadcast.event.event(), entry.id);
    bytes_ += packet.bytes() + sizeof(Missed);
    missed_.push_back({id, entry.uid == settings_.uid, std::move(packet)});
  } catch (const std::invalid_argument&) {
    ++tally_->malformed;
  }
  return bytes_ <= kMostBytes;
}

void Restoring::complete() {
  Found found{{std::move(saved_->session), {}}, std::move(saved_->node)};
  const bool knows = reader_.knows_its_place();
  for (Missed& missed : missed_) {
    if (missed.own || !knows || missed.id <= reader_.last())
      found.restored.missed.push_back(std::move(missed.packet));
  }
  ++tally_->sessions_restored;
  finish(std::move(found));
}

void Restoring::finish(std::optional<Found> found) {
  if (const auto call = std::exchange(done_, {})) call(shared_from_this(), std::move(found));
}

}  // namespace limpet::cluster
