#include "backend/cluster/classic.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "backend/adapter/rooms.h"
#include "backend/names/random_text.h"

namespace limpet::cluster {
namespace {

classic_wire::Request to_many(classic_wire::Type type, const adapter::Target& target) {
  classic_wire::Request request;
  request.type = type;
  request.target = target;
  return request;
}

}  // namespace

adapter::Factory classic(redis::Redis& redis, const ClassicSettings& settings, Tally tally) {
  return [&redis, settings, tally = std::move(tally)](adapter::Host& host) {
    return std::make_unique<Classic>(host, redis, settings, tally);
  };
}

void Classic::Ear::on_message(std::string_view channel, std::string_view body) {
  if (!owner_.host_.stopped()) (owner_.*heard_)(channel, body);
}

void Classic::Ear::on_gap() {
  open_ = false;
  if (this == &owner_.requests_) owner_.on_gap();
}

Classic::Classic(adapter::Host& host, redis::Redis& redis, const ClassicSettings& settings, Tally tally)
    : host_(host),
      redis_(redis),
      settings_(settings),
      tally_(std::move(tally)),
      uid_(draw_id()),
      channels_(settings.key, host.name(), uid_),
      own_beginning_(classic_wire::beginning_of_own(uid_)),
      asked_(host.loop(), tally_,
             {.draw_id = [this] { return draw_id(); },
              .fetch_timeout = "timeout reached while waiting for fetchSockets response"}),
      self_(std::make_shared<Classic*>(this)),
      broadcasts_(*this, &Classic::on_broadcast),
      requests_(*this, &Classic::on_request),
      answers_(*this, &Classic::on_answer),
      own_answers_(*this, &Classic::on_answer) {
  using redis::Subscribed;
  subscriptions_[0] = redis_.subscribe(Subscribed::pattern, channels_.pattern, broadcasts_);
  subscriptions_[1] = redis_.subscribe(Subscribed::channel, channels_.request, requests_);
  subscriptions_[2] = redis_.subscribe(Subscribed::channel, channels_.response, answers_);
  subscriptions_[3] = redis_.subscribe(Subscribed::channel, channels_.own_response, own_answers_);
}

// Whoever waits is told; what they then ask of the namespace fails at once, as it has no adapter any more.
Classic::~Classic() {
  for (redis::Subscription& subscription : subscriptions_) subscription = {};
  *self_ = nullptr;
  asked_.close();
  for (const auto& [id, then] : std::exchange(counting_, {})) then(std::nullopt);
}

bool Classic::listening() const {
  return broadcasts_.open() && requests_.open() && answers_.open() && own_answers_.open();
}

// Encoded first: what no client would take must not reach the other nodes either.
void Classic::broadcast(const adapter::Event& event, const Target& target) {
  const adapter::Encoded packet = host_.encode(event, std::nullopt);
  if (!target.flags.local) {
    writer_.clear();
    classic_wire::write_broadcast(writer_, uid_, host_.name(), event, target);
    redis_.publish(channels_.of(target), writer_.bytes());
  }
  host_.deliver(packet, target);
}

void Classic::on_broadcast(std::string_view channel, std::string_view body) {
  if (!channel.starts_with(channels_.broadcast) || body.starts_with(own_beginning_)) return;
  const std::string_view room = channel.substr(channels_.broadcast.size());
  if (!room.empty() && !knows(room.substr(0, room.size() - 1))) return;
  const auto read = classic_wire::read_broadcast(body);
  if (!read) return drop();
  if (read->uid == uid_ || read->nsp != host_.name()) return;
  try {
    host_.deliver(host_.encode(read->event.event(), std::nullopt), read->target);
    ++tally_->received;
  } catch (const std::invalid_argument&) {
    drop();
  }
}

// In a channel a number looks like its text.
bool Classic::knows(std::string_view room) const {
  if (host_.rooms().exists(room)) return true;
  const bool maybe_number = !room.empty() && (room[0] == '-' || (room[0] >= '0' && room[0] <= '9'));
  return maybe_number && host_.rooms().exists("\xff" + std::string(room));
}

void Classic::tell(const std::string& body, classic_wire::Request request) {
  if (!requests_.open()) {  // it would not be heard here
    redis_.publish(channels_.request, body);
    return carry_out(request);
  }
  const std::uint64_t number = next_number_++;
  told_.push_back({number, body, std::move(request)});
  redis_.publish(channels_.request, body, [self = self_, number](const redis::Result& result) {
    if (*self != nullptr && !result.ok()) (*self)->on_not_told(number);
  });
}

void Classic::on_not_told(std::uint64_t number) {
  std::size_t count = 0;
  while (count < told_.size() && told_[count].number <= number) ++count;
  do_what_was_told(count);
}

// What was said before it and has not come back never will.
bool Classic::is_own_echo(std::string_view body) {
  for (std::size_t i = 0; i < told_.size(); ++i) {
    if (told_[i].body != body) continue;
    do_what_was_told(i + 1);
    return true;
  }
  return false;
}

void Classic::do_what_was_told(std::size_t count) {
  for (; count > 0 && !told_.empty(); --count) {
    const Told told = std::move(told_.front());
    told_.pop_front();
    carry_out(told.request);
  }
}

void Classic::carry_out(const classic_wire::Request& request) {
  if (host_.stopped()) return;
  if (request.type == Type::join) host_.join(*request.target, request.rooms);
  if (request.type == Type::leave) host_.leave(*request.target, request.rooms);
  if (request.type == Type::disconnect) host_.disconnect(*request.target, request.close);
}

void Classic::join(const Target& target, const std::vector<std::string>& rooms) {
  if (target.flags.local) return host_.join(target, rooms);
  auto request = to_many(Type::join, target);
  request.rooms = rooms;
  tell(classic_wire::rooms_request(Type::join, uid_, target, rooms), std::move(request));
}

void Classic::leave(const Target& target, const std::vector<std::string>& rooms) {
  if (target.flags.local) return host_.leave(target, rooms);
  auto request = to_many(Type::leave, target);
  request.rooms = rooms;
  tell(classic_wire::rooms_request(Type::leave, uid_, target, rooms), std::move(request));
}

void Classic::disconnect(const Target& target, bool close) {
  if (target.flags.local) return host_.disconnect(target, close);
  auto request = to_many(Type::disconnect, target);
  request.close = close;
  tell(classic_wire::disconnect_request(uid_, target, close), std::move(request));
}

// As Node.js's nodes name themselves and their questions.
std::string Classic::draw_id() {
  std::array<char, 8> text;
  random_.write(text);
  return {text.data(), 6};
}

// What this node has said to all may not come back: it is done now, as the others do it.
void Classic::on_gap() {
  if (host_.name() == "/") ++tally_->gaps;  // one for all namespaces
  do_what_was_told(told_.size());
}

void Classic::drop() {
  ++tally_->malformed;
}

}  // namespace limpet::cluster
