#include "tests/bench/load/messages.h"

namespace limpet::bench {
namespace {

constexpr char kFirst = '<', kLast = '>';

std::string message(std::uint64_t size) {
  char head[kMostFrameHead];
  const std::size_t used = write_frame_head(head, kFinal | kBinary, size, true);
  std::string frame(head, used);
  frame.append(size, '.');
  if (size > 0) {
    frame[used] = kFirst;
    frame.back() = kLast;
  }
  return frame;
}

bool as_sent(const FrameReader::Slice& slice, std::uint64_t size) {
  if (slice.first_byte != (kFinal | kBinary) || slice.length != size) return false;
  if (size < 2) return true;
  return (!slice.first || slice.payload.front() == kFirst) && (!slice.last || slice.payload.back() == kLast);
}

}  // namespace

Messages::Messages(Load& load)
    : SocketsMode(load, load.upgrade_request(load.options().path.empty() ? "/echo" : load.options().path)),
      size_(load.options().size),
      message_(message(size_)) {}

void Messages::send(Client& client, std::uint32_t count) {
  client.sent += count;
  in_flight_ += count;
  client.send(message_, count);
}

void Messages::on_bytes(Client& client, std::span<char> bytes) {
  FrameReader::Slice slice;
  while (client.open() && client.frames.next(bytes, slice)) {
    if (!as_sent(slice, size_)) {
      client.fail("a message came back changed");
    } else if (slice.last) {
      if (client.received == client.sent) return client.fail("a message came that nobody sent");
      ++client.received;
      --in_flight_;
      on_message(client);
    }
  }
  after_batch(client);
}

void Messages::on_end(Client& client, std::string_view why) {
  in_flight_ -= client.sent - client.received;
  client.sent = client.received;
  SocketsMode::on_end(client, why);
}

}  // namespace limpet::bench
