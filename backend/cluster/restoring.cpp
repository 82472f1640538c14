#include "backend/cluster/restoring.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace limpet::cluster {
namespace {

constexpr std::uint32_t kPage = 500;  // entries
constexpr std::string_view kPageText = "500";
constexpr std::uint32_t kLeastPages = 100;
constexpr std::uint32_t kWaits = 100;  // pages asked for while the reader does not know its place
constexpr std::size_t kMostBytes = 16 * 1024 * 1024;  // of what one client has missed
constexpr std::string_view kBroadcast = "3";

using adapter::Target;

}  // namespace

Restoring::Restoring(adapter::Host& host, redis::Redis& redis, const StreamReader& reader, Settings settings,
                     Tally tally, Done done)
    : host_(host),
      redis_(redis),
      reader_(reader),
      settings_(std::move(settings)),
      tally_(std::move(tally)),
      done_(std::move(done)) {}

void Restoring::start(StreamId offset) {
  const auto self = shared_from_this();
  last_ = offset;
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
  rooms_.insert(saved_->session.rooms.begin(), saved_->session.rooms.end());
  session_known_ = true;
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
  if (session_known_ && offset_known_) next_page();
}

void Restoring::next_page() {
  const std::string from = last_.next().text();
  redis_.command(
      {"XRANGE", settings_.stream, from, "+", "COUNT", kPageText},
      [self = shared_from_this()](const redis::Result& result) { self->on_page(result); }, settings_.stream);
}

void Restoring::on_page(const redis::Result& result) {
  if (!done_) return;
  if (!result.ok() || host_.stopped()) return finish(std::nullopt);
  const std::size_t size = result.reply.size();
  for (std::size_t i = 0; i < size; ++i) {
    const StreamEntry entry = read_entry(result.reply[i]);
    const auto id = StreamId::read(entry.id);
    if (!id || *id <= last_) continue;
    last_ = *id;
    if (!take(entry, *id)) return finish(std::nullopt);
  }
  const std::uint64_t most = std::max<std::uint64_t>(kLeastPages, 2 * settings_.max_length / kPage);
  const bool nothing_twice =
      std::exchange(was_empty_, size == 0) && size == 0;  // the reader's last is no more
  const bool behind = size == kPage || (reader_.last() > last_ && !nothing_twice);
  const bool waits = !reader_.knows_its_place() && ++waits_ < kWaits;
  if (!behind && !waits) return complete();
  if (!waits && ++pages_ > most) return finish(std::nullopt);  // it grows faster than we read
  next_page();
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
  if (!concerns(broadcast.target)) return true;
  try {
    const Said& event = broadcast.event;
    auto packet = host_.encode({event.name, event.args, event.name_is_number}, entry.id);
    bytes_ += packet.head->body().size() + sizeof(Missed);
    for (const auto& attachment : packet.attachments) bytes_ += attachment->body().size();
    missed_.push_back({id, entry.uid == settings_.uid, std::move(packet)});
  } catch (const std::exception&) {
    ++tally_->malformed;
  }
  return bytes_ <= kMostBytes;
}

bool Restoring::concerns(const Target& target) const {
  const auto has = [&](const std::string& room) { return rooms_.contains(room); };
  const bool meant = target.rooms.empty() || std::any_of(target.rooms.begin(), target.rooms.end(), has);
  return meant && std::none_of(target.except.begin(), target.except.end(), has);
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
  if (const auto call = std::exchange(done_, {})) call(std::move(found));
}

}  // namespace limpet::cluster
