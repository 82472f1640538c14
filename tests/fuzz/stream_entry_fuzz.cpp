// What a publisher on Redis may write into a stream, or under a session's key. Input: the entry's type, a
// line feed, its data; without a line feed, a session's text.
#include <cstdint>
#include <string_view>

#include "backend/cluster/saved_session.h"
#include "backend/cluster/stream_entry.h"
#include "backend/cluster/stream_id.h"
#include "tests/fuzz/family_probe.h"

using namespace limpet;
using namespace limpet::cluster;

namespace {

void session_stays(std::string_view text) {
  const auto read = read_session(text);
  if (!read) return;
  const auto again = read_session(write_session(read->session, read->node));
  check(again && again->session.sid == read->session.sid && again->session.pid == read->session.pid &&
        again->session.rooms == read->session.rooms && again->node == read->node);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    session_stays(text);
    if (const auto id = StreamId::read(text)) check(StreamId::read(id->text()) == *id && id->next() != *id);
    return 0;
  }
  const StreamEntry entry{"1-1", "uid", "/", text.substr(0, end), text.substr(end + 1)};
  auto said = read_message(entry);
  if (!said) return 0;
  if (auto copy = read_message(entry)) broadcast_stays(std::move(*copy));
  ProbeWorld world;
  world.probe->on_said(std::move(*said), entry.id);
  return 0;
}
