// cluster::streams: @socket.io/redis-streams-adapter 0.3.
//
// What is broadcast, and who is to join, leave or go, is written to a stream; this node does its own part
// once Redis has taken it, in order, and what others have written when the stream's reader brings it.
// Questions and answers go by channels. Sessions are kept under keys; with `eager` while their sockets live,
// too.
#include <deque>
#include <unordered_set>
#include <utility>

#include "backend/cluster/family.h"
#include "backend/cluster/live_sessions.h"
#include "backend/cluster/outbox.h"
#include "backend/cluster/restoring.h"
#include "backend/cluster/saved_session.h"
#include "backend/cluster/stream_hub.h"

namespace limpet::cluster {
namespace {

using adapter::Event;
using adapter::Target;
using family::Outgoing;
using family::Type;

class Streams final : public Family, private StreamHub::Receiver {
 public:
  Streams(adapter::Host& host, std::shared_ptr<StreamHub> hub);
  ~Streams() override;

  void broadcast(const Event& event, const Target& target) override;
  void join(const Target& target, const std::vector<std::string>& rooms) override;
  void leave(const Target& target, const std::vector<std::string>& rooms) override;
  void disconnect(const Target& target, bool close) override;

  bool appends_offsets() const override { return settings().max_disconnection_ms != 0; }
  bool saves_early() const override { return appends_offsets() && settings().eager; }
  bool waits() const override { return appends_offsets() && outbox_.busy(); }
  void in_turn(std::function<void()> deed) override {
    outbox_.add_settled({}, Outbox::Other{std::move(deed)});
  }
  void persist(adapter::Session session) override;
  void forget(std::string_view pid) override;
  void restore(std::string_view pid, std::string_view offset,
               std::function<void(std::optional<adapter::Restored>)> done) override;

 private:
  const StreamsSettings& settings() const { return hub_->settings(); }
  void on_entry(const StreamEntry& entry) override;
  std::string_view uid() const override { return uid_; }
  void on_nodes(std::size_t count) override { hub_->on_nodes(count, net::now_ms()); }
  void on_superseded(std::string_view sid, std::string_view pid) override;
  void act(const Outgoing& what, const Target& target, Outbox::Deed deed);
  void write(Type type, std::string_view data, std::uint64_t number);
  void renew(const std::string& pid, const std::string& sid);
  void start_waiting();
  std::string key_of(std::string_view pid) const { return settings().session_key_prefix + std::string(pid); }

  const std::shared_ptr<StreamHub> hub_;
  const std::string max_length_, expiry_;
  Outbox outbox_;
  LiveSessions live_;
  std::unordered_set<std::shared_ptr<Restoring>> restoring_;
  std::deque<std::pair<std::shared_ptr<Restoring>, StreamId>> waiting_;  // of those, to be started
  std::size_t under_way_ = 0;
  bool starting_ = false;
  const StreamReader& reader_;
};

Family::Settings family_settings(const StreamsSettings& settings) {
  return {.prefix = settings.channel_prefix,
          .sharded = settings.sharded_pubsub,
          .prefers_text = false,
          .requests_timeout_ms = settings.requests_timeout_ms};
}

Streams::Streams(adapter::Host& host, std::shared_ptr<StreamHub> hub)
    : Family(host, hub->redis(), family_settings(hub->settings()), hub->tally()),
      hub_(std::move(hub)),
      max_length_(std::to_string(settings().max_length)),
      expiry_(std::to_string(settings().max_disconnection_ms)),
      outbox_(host),
      live_(host.loop(), settings().max_disconnection_ms,
            [this](const std::string& pid, const std::string& sid) { renew(pid, sid); }),
      reader_(hub_->add(host.name(), host.loop(), *this)) {}

Streams::~Streams() {
  hub_->remove(host_.name(), *this);
  starting_ = true;  // for good
  for (const auto& each : std::exchange(restoring_, {})) each->cancel();
}

// Encoded at once, unless its offset is not known yet. What nobody may be told throws before anything is
// said.
void Streams::broadcast(const Event& event, const Target& target) {
  const bool offset = appends_offsets() && !target.flags.volatile_ && !target.flags.local;
  Outbox::Deed deed;
  if (offset) {
    host_.check(event);
    deed = Said{std::string(event.name), event.name_is_number, event.args};
  } else {
    deed = host_.encode(event, std::nullopt);
  }
  act({.type = Type::broadcast, .target = &target, .event = &event}, target, std::move(deed));
}

void Streams::join(const Target& target, const std::vector<std::string>& rooms) {
  act({.type = Type::join, .target = &target, .rooms = &rooms}, target, Outbox::Join{rooms});
}

void Streams::leave(const Target& target, const std::vector<std::string>& rooms) {
  act({.type = Type::leave, .target = &target, .rooms = &rooms}, target, Outbox::Leave{rooms});
}

void Streams::disconnect(const Target& target, bool close) {
  act({.type = Type::disconnect, .target = &target, .close = close}, target, Outbox::Disconnect{close});
}

void Streams::act(const Outgoing& what, const Target& target, Outbox::Deed deed) {
  if (target.flags.local) return outbox_.add_settled(target, std::move(deed));
  const std::string_view data = hub_->writer().data_of(what);
  write(what.type, data, outbox_.add(target, std::move(deed), data.size()));
  outbox_.relieve();
}

void Streams::write(Type type, std::string_view data, std::uint64_t number) {
  const char digit = static_cast<char>('0' + static_cast<int>(type));  // 3 to 6
  redis_.command(
      {"XADD", reader_.stream(), "MAXLEN", "~", max_length_, "*", "uid", uid_, "nsp", host_.name(), "type",
       std::string_view(&digit, 1), "data", data},
      [handle = handle(), number](const redis::Result& result) {
        const auto self = handle.lock();
        if (!self) return;
        const bool ok = result.ok();
        static_cast<Streams&>(**self).outbox_.settle(number,
                                                     ok ? std::optional(result.reply.text()) : std::nullopt);
      },
      reader_.stream());
}

void Streams::on_entry(const StreamEntry& entry) {
  if (auto said = read_message(entry)) return on_said(std::move(*said), entry.id);
  ++tally_->malformed;
}

// While its socket lives a session is only saved early.
void Streams::persist(adapter::Session session) {
  if (!appends_offsets()) return;
  if (!session.live)
    live_.drop(session.pid);
  else if (!saves_early() || !live_.keep(session.pid, session.sid))
    return;
  const std::string key = key_of(session.pid);
  redis_.command(
      {"SET", key, write_session(session, session.live ? uid_ : ""), "PX", expiry_},
      [tally = tally_](const redis::Result& result) {
        if (result.ok()) ++tally->sessions_saved;
      },
      key);
}

void Streams::forget(std::string_view pid) {
  live_.drop(pid);
  const std::string key = key_of(pid);
  redis_.command({"DEL", key}, {}, key);
}

// A key that is not there any more: Redis has lost it, or somebody has come back elsewhere with it, who is
// about to be told from there.
void Streams::renew(const std::string& pid, const std::string& sid) {
  const std::string key = key_of(pid);
  redis_.command(
      {"PEXPIRE", key, expiry_},
      [handle = handle(), sid](const redis::Result& result) {
        const auto self = handle.lock();
        if (!self || !result.ok() || result.reply.integer() != 0) return;
        adapter::Host& host = static_cast<Streams&>(**self).host_;
        if (!host.stopped()) host.save(sid);
      },
      key);
}

void Streams::on_superseded(std::string_view sid, std::string_view pid) {
  live_.drop(pid);
  host_.supersede(sid);
}

void Streams::restore(std::string_view pid, std::string_view offset,
                      std::function<void(std::optional<adapter::Restored>)> done) {
  const auto from = StreamId::read(offset);
  if (!appends_offsets() || !from || !is_pid(pid)) return done(std::nullopt);
  const auto end = [this, done = std::move(done)](const std::shared_ptr<Restoring>& which,
                                                  std::optional<Restoring::Found> found) {
    restoring_.erase(which);
    --under_way_;
    start_waiting();
    if (!found) return done(std::nullopt);
    if (!found->node.empty() && found->node != uid_)
      say(channel_of(found->node),
          {.type = Type::superseded, .sid = found->restored.session.sid, .pid = found->restored.session.pid});
    done(std::move(found->restored));
  };
  const auto restoring = std::make_shared<Restoring>(
      host_, redis_, reader_, Restoring::Settings{reader_.stream(), key_of(pid), uid_, settings().max_length},
      tally_, end);
  restoring_.insert(restoring);
  waiting_.emplace_back(restoring, *from);
  start_waiting();
}

// All clients of a node that has died come at once; each reads the stream on the link that everything else
// needs, and keeps what it has missed. A start may end at once, and brings the next: hence no recursion.
void Streams::start_waiting() {
  constexpr std::size_t kAtOnce = 32;
  if (std::exchange(starting_, true)) return;
  while (under_way_ < kAtOnce && !waiting_.empty()) {
    const auto [restoring, from] = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    restoring->start(from);
  }
  starting_ = false;
}

}  // namespace

// The hub comes with the first adapter's loop, and goes with the factory: its readers, with the last adapter.
adapter::Factory streams(redis::Redis& redis, const StreamsSettings& settings, Tally tally) {
  return [hub = std::make_shared<StreamHub>(redis, settings, std::move(tally))](adapter::Host& host) {
    return std::make_unique<Streams>(host, hub);
  };
}

}  // namespace limpet::cluster
