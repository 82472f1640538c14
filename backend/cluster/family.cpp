#include "backend/cluster/family.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "backend/cluster/room_name.h"

namespace limpet::cluster {
namespace {

using adapter::Event;
using adapter::RemoteSocket;
using adapter::Target;
using codec::Args;
using family::Type;

constexpr std::uint64_t kLookMs = 10'000;           // between counts of nodes
constexpr std::uint64_t kAnswersWithinMs = 10'000;  // where no timeout was set

}  // namespace

Family::Family(adapter::Host& host, redis::Redis& redis, Settings settings, Tally tally)
    : host_(host),
      redis_(redis),
      settings_(std::move(settings)),
      tally_(std::move(tally)),
      uid_(draw_id()),
      channel_(settings_.prefix + '#' + std::string(host.name()) + '#'),
      own_channel_(channel_of(uid_)),
      self_(std::make_shared<Family*>(this)),
      requests_(host.loop(), tally_, {.draw_id = [this] { return draw_id(); }}),
      look_(host.loop(), net::delegate<&Family::look_around>(this)),
      everyone_(*this) {
  of_everyone_ = redis_.subscribe(kind(), channel_, everyone_);
  own_ = listen(own_channel_);
  if (host.name() == "/") look_.after(0);
}

// Whoever waits is told while all of it is still there; what they then answer goes nowhere.
Family::~Family() {
  self_.reset();
  for (const auto& [number, done] : std::exchange(counting_, {})) done(1);
  requests_.close();
}

std::string Family::draw_id() {
  std::array<char, 16> text;
  random_.write_hex(text);
  return {text.data(), text.size()};
}

redis::Subscribed Family::kind() const {
  return settings_.sharded ? redis::Subscribed::shard : redis::Subscribed::channel;
}

redis::Subscription Family::listen(std::string_view channel) {
  return redis_.subscribe(kind(), channel, *this);
}

std::string Family::channel_of(std::string_view what) const {
  return channel_ + std::string(what) + '#';
}

void Family::say(std::string_view channel, const family::Outgoing& what) {
  publish(channel, body_of(what));
}

// Until the next one.
std::string_view Family::body_of(const family::Outgoing& what) {
  if (settings_.prefers_text && !what.has_bytes()) {
    text_.clear();
    family::write(text_, what, uid_, host_.name());
    return text_.bytes();
  }
  binary_.clear();
  family::write(binary_, what, uid_, host_.name());
  return binary_.bytes();
}

void Family::publish(std::string_view channel, std::string_view body, redis::Done done) {
  if (settings_.sharded)
    redis_.shard_publish(channel, body, std::move(done));
  else
    redis_.publish(channel, body, std::move(done));
}

void Family::answer(const std::string& uid, const family::Outgoing& what) {
  say(channel_of(uid), what);
}

// One of many namespaces counts for the process.
void Family::on_gap() {
  if (std::exchange(listening_, false) && host_.name() == "/") ++tally_->gaps;
}

// A node whose own subscription is not yet confirmed is there all the same.
void Family::count_others(std::function<void(Family&, std::optional<std::size_t>)> done) {
  redis_.count_subscribers(kind(), channel_, [handle = handle(), done = std::move(done)](auto count) {
    const auto self = handle.lock();
    if (!self || (*self)->host_.stopped()) return;
    Family& it = **self;
    if (count && *count > 0 && it.everyone_.counts_us()) --*count;
    done(it, count);
  });
}

void Family::look_around() {
  look_.after(kLookMs);
  count_others([](Family& it, std::optional<std::size_t> others) {
    it.tally_->nodes = others ? *others + 1 : 0;
    if (others) it.on_nodes(*others + 1);
  });
}

void Family::server_count(std::function<void(std::size_t)> done) {
  const std::uint64_t number = next_count_++;
  counting_.emplace(number, std::move(done));
  count_others([number](Family& it, std::optional<std::size_t> others) {
    if (const auto node = it.counting_.extract(number)) node.mapped()(others.value_or(0) + 1);
  });
}

void Family::broadcast_with_ack(const Event& event, const Target& target,
                                std::function<void(std::size_t)> on_clients,
                                std::function<void(const Args&)> on_ack) {
  if (target.flags.local) return on_clients(host_.deliver_with_ack(event, target, std::move(on_ack)));
  const std::size_t here = host_.deliver_with_ack(event, target, on_ack);  // throws what nobody may be told
  const std::uint64_t timeout = target.flags.timeout_ms != 0 ? target.flags.timeout_ms : kAnswersWithinMs;
  const std::string id = requests_.broadcast(timeout, {on_clients, std::move(on_ack)});
  say(channel_, {.type = Type::broadcast, .target = &target, .request = id, .event = &event});
  on_clients(here);
}

void Family::fetch_sockets(const Target& target, Requests::Fetched done) {
  std::vector<RemoteSocket> here;
  host_.fetch(target, here);
  if (target.flags.local) return done({}, std::move(here));
  const std::uint64_t timeout =
      target.flags.timeout_ms != 0 ? target.flags.timeout_ms : settings_.requests_timeout_ms;
  const std::string id = requests_.fetch(timeout, std::move(done), std::move(here));
  ask(id, {.type = Type::fetch, .target = &target, .request = id});
}

void Family::server_side_emit(std::string_view name, const Args& args, Requests::Answered done) {
  const Event event{name, args};
  if (!done) return say(channel_, {.type = Type::server_event, .event = &event});
  const std::string id = requests_.emit(settings_.requests_timeout_ms, std::move(done));
  ask(id, {.type = Type::server_event, .request = id, .event = &event});
}

// All others, once it is known how many are to answer.
void Family::ask(const std::string& id, const family::Outgoing& what) {
  count_others([id, body = std::string(body_of(what))](Family& it, std::optional<std::size_t> others) {
    if (!others) return it.requests_.fail(id, "the nodes could not be counted");
    it.requests_.expect(id, *others);
    if (*others == 0) return;
    it.publish(it.channel_, body, [handle = it.handle(), id](const redis::Result& result) {
      const auto self = handle.lock();
      if (self && !result.ok()) (*self)->requests_.fail(id, "the other nodes could not be asked");
    });
  });
}

void Family::on_message(std::string_view, std::string_view payload) {
  auto said = family::read(payload);
  if (!said) {
    ++tally_->malformed;
    return;
  }
  on_said(std::move(*said), std::nullopt);
}

// An event that no client would take (a reserved name, too many attachments) is the sender's fault.
void Family::on_said(family::Incoming said, std::optional<std::string_view> offset) {
  if (said.uid == uid_ || host_.stopped() || said.nsp != host_.name()) return;
  try {
    act(said, offset);
  } catch (const std::invalid_argument&) {
    ++tally_->malformed;
  }
}

void Family::act(family::Incoming& said, std::optional<std::string_view> offset) {
  bool well = false;
  switch (said.type) {
    case Type::initial_heartbeat:
    case Type::heartbeat:
    case Type::close: return;  // of nodes that also count themselves otherwise
    case Type::broadcast: well = on_broadcast(said, offset); break;
    case Type::join:
    case Type::leave:
    case Type::disconnect: well = on_rooms(said); break;
    case Type::fetch: well = on_fetch(said); break;
    case Type::server_event: well = on_server_event(said); break;
    case Type::fetch_answer:
    case Type::server_answer:
    case Type::clients_asked:
    case Type::client_answer:
    case Type::superseded: well = on_answer(said); break;
  }
  ++(well ? tally_->received : tally_->malformed);
}

bool Family::on_broadcast(family::Incoming& said, std::optional<std::string_view> offset) {
  family::Broadcast broadcast;
  if (!family::take_broadcast(said, broadcast)) return false;
  auto& [target, request, event] = broadcast;
  if (!request.empty()) return on_broadcast_with_ack(said.uid, request, event, target);
  if (!appends_offsets() || target.flags.volatile_) offset = std::nullopt;
  host_.deliver(host_.encode(event.event(), offset), target);
  return true;
}

// Clients' answers come much later.
bool Family::on_broadcast_with_ack(const std::string& uid, const std::string& request, const Said& event,
                                   const Target& target) {
  if (uid.empty()) return false;
  const std::size_t count =
      host_.deliver_with_ack(event.event(), target, [handle = handle(), uid, request](const Args& args) {
        if (const auto self = handle.lock())
          (*self)->answer(uid, {.type = Type::client_answer, .request = request, .answer = &args});
      });
  answer(uid, {.type = Type::clients_asked, .request = request, .clients = count});
  return true;
}

bool Family::on_rooms(const family::Incoming& said) {
  const boost::json::object& data = said.data[0].get_object();
  Target target;
  if (!read_target(data.if_contains("opts"), target)) return false;
  if (said.type == Type::disconnect) {
    host_.disconnect(target, is_true(data.if_contains("close")));
    return true;
  }
  const auto rooms = room_names(data.if_contains("rooms"));
  if (!rooms) return false;
  if (said.type == Type::join)
    host_.join(target, *rooms);
  else
    host_.leave(target, *rooms);
  return true;
}

bool Family::on_fetch(const family::Incoming& said) {
  const boost::json::object& data = said.data[0].get_object();
  Target target;
  std::string request;
  if (!read_target(data.if_contains("opts"), target) || !family::read_request(data, request) ||
      request.empty() || said.uid.empty())
    return false;
  std::vector<RemoteSocket> found;
  host_.fetch(target, found);
  answer(said.uid, {.type = Type::fetch_answer, .request = request, .sockets = &found});
  return true;
}

// Where nobody listens, the answer is nothing, at once: whoever asked would wait for it in vain.
bool Family::on_server_event(family::Incoming& said) {
  boost::json::object& data = said.data.values()[0].get_object();
  std::string request;
  Said event;
  if (!family::read_request(data, request) || (!request.empty() && said.uid.empty())) return false;
  if (!take_event(data.if_contains("packet"), said.data, event)) return false;
  if (request.empty()) {
    host_.on_server_side_event(event.name, event.args, {});
    return true;
  }
  const auto reply = [handle = handle(), uid = said.uid, request](const Args& args) {
    if (const auto self = handle.lock())
      (*self)->answer(uid, {.type = Type::server_answer, .request = request, .answer = &args});
  };
  if (!host_.on_server_side_event(event.name, event.args, reply)) reply({});
  return true;
}

}  // namespace limpet::cluster
