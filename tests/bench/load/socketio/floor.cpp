#include "tests/bench/load/socketio/floor.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/bench/load/handshake.h"
#include "tests/bench/load/socketio/text_frames.h"
#include "tests/bench/load/sockets.h"

namespace limpet::bench {
namespace {

constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::size_t kMostUnsent = 16 * 1024 * 1024;
constexpr std::int64_t kMillisecond = 1'000'000;

struct Member;

struct Room {
  std::vector<Member*> members;
  std::string due;  // joined: to all of them, at the end of the wake-up
};

// What a busy connection has and an idle one has not.
struct Kept {
  std::string in;   // the beginning of a head or a frame
  std::string out;  // what the kernel did not take
};

struct Link {
  Link* before = this;
  Link* after = this;
  void leave() {
    before->after = after;
    after->before = before;
    before = after = this;
  }
  void enter(Link& list) {  // as the last
    before = list.before;
    after = &list;
    before->after = list.before = this;
  }
};

struct Member : Link {
  std::int64_t due = 0;  // of the ping, or of the pong
  std::unique_ptr<Kept> kept;
  Room* room = nullptr;
  std::uint32_t place = 0;  // in the room
  int fd = -1;
  bool upgraded = false;
  bool awaited = false;  // its pong
  bool ending = false;   // epoll saw the end: read on until it comes
};

void unmask(char* bytes, std::size_t size, const char* mask) {
  std::uint32_t half;
  std::memcpy(&half, mask, sizeof half);
  const std::uint64_t whole = std::uint64_t{half} << 32 | half;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, sizeof word);
    word ^= whole;
    std::memcpy(bytes + i, &word, sizeof word);
  }
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ mask[i & 3]);
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

class Floor {
 public:
  explicit Floor(const FloorOptions& options)
      : options_(options), listener_(listen_on(parse_address(options.listen))) {
    poller_.add(listener_.get(), EPOLLIN, nullptr);
    announce(to_text(bound_address(listener_.get())) + "\n", options.ports_file);
  }

  [[noreturn]] void run() {
    for (;;) {
      const std::span<epoll_event> events = poller_.wait(next_due());
      now_ = now_ns();
      for (const epoll_event& event : events) {
        if (event.data.ptr == nullptr) {
          accept();
        } else {
          on_events(*static_cast<Member*>(event.data.ptr), event.events);
        }
      }
      send_due();
      ping_due();
      for (Member* each : doomed_) delete each;  // now that no event of the batch can name them
      doomed_.clear();
    }
  }

 private:
  void accept() {
    for (int i = 0; i < 64; ++i) {
      Fd fd = accept_from(listener_.get());
      if (!fd) return;
      auto* const member = new Member;
      member->fd = fd.release();
      poller_.add(member->fd, kEvents, member);
    }
  }

  void on_events(Member& member, std::uint32_t events) {
    if (member.fd < 0) return;
    if (events & EPOLLERR) return close(member);
    if (events & (EPOLLRDHUP | EPOLLHUP)) member.ending = true;
    if ((events & EPOLLOUT) && member.kept && !member.kept->out.empty()) flush(member);
    if (member.fd >= 0 && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))) read(member);
  }

  void read(Member& member) {
    for (;;) {
      const ssize_t got = ::recv(member.fd, buffer_.data(), buffer_.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN ? void() : close(member);
      if (got == 0) return close(member);
      const auto count = static_cast<std::size_t>(got);
      take_bytes(member, {buffer_.data(), count});
      if (member.fd < 0) return;
      // Less than asked for: the socket is empty, and asking again would only say so.
      if (count < buffer_.size() && !member.ending) return;
    }
  }

  // Joined, the answers to all that was read at once leave at once.
  void take_bytes(Member& member, std::span<char> in) {
    std::string whole;
    if (member.kept && !member.kept->in.empty()) {
      whole = std::exchange(member.kept->in, {}).append(in.data(), in.size());
      in = whole;
    }
    answers_.clear();
    const std::size_t used = member.upgraded ? take_frames(member, in) : take_head(member, in);
    if (member.fd < 0) return;
    send_answers(member);
    if (used == in.size()) return drop_kept(member);
    keep(member).in.assign(in.data() + used, in.size() - used);
  }

  Kept& keep(Member& member) {
    if (!member.kept) member.kept = std::make_unique<Kept>();
    return *member.kept;
  }
  void drop_kept(Member& member) {
    if (member.kept && member.kept->out.empty() && member.kept->in.empty()) member.kept.reset();
  }

  std::size_t take_head(Member& member, std::span<char> in) {
    const std::string_view text(in.data(), in.size());
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) return 0;
    const std::string_view head = text.substr(0, end + 4);
    answers_ =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        websocket_accept(field(head, "sec-websocket-key")) + "\r\n\r\n";
    append_frame(answers_, kText,
                 "0{\"sid\":\"" + new_sid() +
                     "\",\"upgrades\":[],\"pingInterval\":" + std::to_string(options_.ping_interval) +
                     ",\"pingTimeout\":" + std::to_string(options_.ping_timeout) +
                     ",\"maxPayload\":1000000}");
    member.upgraded = true;
    await(member, false);
    return head.size() + take_frames(member, in.subspan(head.size()));
  }

  // Returns how many bytes of whole frames there were.
  std::size_t take_frames(Member& member, std::span<char> in) {
    std::size_t at = 0;
    while (in.size() - at >= 6) {
      const auto* const head = reinterpret_cast<const unsigned char*>(in.data()) + at;
      std::size_t length = head[1] & 0x7f, used = 2;
      if (length == 127) return close(member), at;  // nobody here sends so much
      if (length == 126) {
        length = std::size_t{head[2]} << 8 | head[3];
        used = 4;
      }
      if (in.size() - at < used + 4 + length) return at;
      char* const payload = in.data() + at + used + 4;
      unmask(payload, length, payload - 4);
      at += used + 4 + length;
      if ((head[0] & 0x0f) == kClose) {
        append_frame(answers_, kClose, {payload, length});
        send(member, answers_);
        return close(member), at;
      }
      on_packet(member, {payload, length});
      if (!options_.joined) send_answers(member);
      if (member.fd < 0) return at;  // also a member of a room to which it could not be sent
    }
    return at;
  }

  void on_packet(Member& member, std::string_view text) {
    if (text == "3") return await(member, false);
    if (text == "40") return append_frame(answers_, kText, "40{\"sid\":\"" + new_sid() + "\"}");
    if (!take(text, "42")) return;
    const std::size_t digits = std::min(text.find('['), text.size());
    const std::string_view id = text.substr(0, digits);
    text.remove_prefix(digits);
    if (take(text, "[\"echo\",")) {
      answer_.assign("43").append(id).append("[").append(text);
      append_frame(answers_, kText, answer_);
    } else if (take(text, "[\"join\",\"")) {
      join(member, text.substr(0, text.find('"')));
      answer_.assign("43").append(id).append("[]");
      append_frame(answers_, kText, answer_);
    } else if (take(text, "[\"broadcast\",\"")) {
      const std::size_t end = text.find("\",");
      if (end != text.npos) broadcast(text.substr(0, end), text.substr(end + 2));
    }
  }

  void join(Member& member, std::string_view name) {
    if (member.room != nullptr) return;  // one room is enough here
    member.room = &rooms_[std::string(name)];
    member.place = static_cast<std::uint32_t>(member.room->members.size());
    member.room->members.push_back(&member);
  }

  // One frame for all.
  void broadcast(std::string_view name, std::string_view rest) {
    const auto found = rooms_.find(name);
    if (found == rooms_.end()) return;
    Room& room = found->second;
    answer_.assign("42[\"message\",").append(rest);
    if (options_.joined) {
      if (room.due.empty()) due_.push_back(&room);
      return append_frame(room.due, kText, answer_);
    }
    frame_.clear();
    append_frame(frame_, kText, answer_);
    send_all(room, frame_);
  }

  void send_due() {
    for (Room* room : due_) {
      send_all(*room, room->due);
      room->due.clear();
    }
    due_.clear();
  }

  // From the last to the first: whoever is closed by it gives its place to one that had its turn.
  void send_all(Room& room, std::string_view bytes) {
    for (std::size_t i = room.members.size(); i-- > 0;) send(*room.members[i], bytes);
  }

  void send(Member& member, std::string_view bytes) {
    std::size_t sent = 0;
    if (!member.kept || member.kept->out.empty()) {
      const ssize_t taken = ::send(member.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (taken < 0 && errno != EAGAIN && errno != EINTR) return close(member);
      sent = taken < 0 ? 0 : static_cast<std::size_t>(taken);
      if (sent == bytes.size()) return;
    }
    keep(member).out.append(bytes.substr(sent));
    if (member.kept->out.size() > kMostUnsent) close(member);
  }

  void send_answers(Member& member) {
    if (!answers_.empty()) send(member, answers_);
    answers_.clear();
  }

  void flush(Member& member) {
    std::string& out = member.kept->out;
    const ssize_t taken = ::send(member.fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (taken < 0) return errno == EAGAIN || errno == EINTR ? void() : close(member);
    out.erase(0, static_cast<std::size_t>(taken));
    drop_kept(member);
  }

  // All wait equally long, so that each list is in order. To the millisecond: those due close together leave
  // together.
  void await(Member& member, bool pong) {
    const std::int64_t wait =
        std::int64_t{pong ? options_.ping_timeout : options_.ping_interval} * kMillisecond;
    member.leave();
    member.awaited = pong;
    member.due = (now_ + wait + kMillisecond - 1) / kMillisecond * kMillisecond;
    member.enter(pong ? pongs_ : pings_);
  }

  static std::int64_t first_due(const Link& list) {
    return list.after == &list ? kNever : static_cast<const Member*>(list.after)->due;
  }
  std::int64_t next_due() const { return std::min(first_due(pings_), first_due(pongs_)); }

  void ping_due() {
    while (first_due(pongs_) <= now_) close(static_cast<Member&>(*pongs_.after));
    while (first_due(pings_) <= now_) {
      auto& member = static_cast<Member&>(*pings_.after);
      await(member, true);
      send(member, {"\x81\x01"
                    "2",
                    3});
    }
  }

  std::string new_sid() {
    std::string sid = std::to_string(++sids_);
    return std::string(20 - sid.size(), 's') + sid;
  }

  void close(Member& member) {
    if (member.fd < 0) return;
    ::close(std::exchange(member.fd, -1));
    member.leave();
    if (member.room != nullptr) {
      auto& members = member.room->members;
      members[member.place] = members.back();
      members[member.place]->place = member.place;
      members.pop_back();
    }
    doomed_.push_back(&member);
  }

  const FloorOptions options_;
  Fd listener_;
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(128 * 1024);
  std::string answers_, answer_, frame_;
  std::map<std::string, Room, std::less<>> rooms_;
  std::vector<Room*> due_;
  std::vector<Member*> doomed_;
  Link pings_, pongs_;
  std::int64_t now_ = now_ns();
  std::uint64_t sids_ = 0;
};

}  // namespace

void floor(const FloorOptions& options) {
  raise_descriptor_limit();
  Floor(options).run();
}

}  // namespace limpet::bench
