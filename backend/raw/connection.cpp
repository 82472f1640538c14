#include "backend/raw/connection.h"

#include <algorithm>

#include "backend/raw/endpoint_impl.h"

namespace limpet::raw {
namespace {

constexpr std::size_t kMostTopicName = 64;
constexpr std::uint64_t kPongMs = 8'000;  // as uWebSockets has it

bool valid_topic(std::string_view name) {
  if (name.empty() || name.size() > kMostTopicName) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::uint64_t pong_wait(const Options& options) {
  return std::min(kPongMs, options.idle_timeout_ms / 2);
}

}  // namespace

Connection::Connection(Endpoint::Impl& endpoint, http::Exchange::Upgraded from, const ws::Options& options)
    : endpoint_(endpoint),
      socket_(endpoint.hub, std::move(from.stream), options, *this, from.early, from.unsent),
      quiet_(endpoint.loop, net::delegate<&Connection::on_quiet>(this)),
      heard_ms_(net::now_ms()) {
  const Options& its = endpoint_.options;
  if (its.idle_timeout_ms > 0) quiet_.after(its.idle_timeout_ms - pong_wait(its));
}

// --- idle timeout ---

// The timer is not touched for each message: when it fires it looks how long ago the last one was.
void Connection::heard() {
  heard_ms_ = endpoint_.loop.turn_ms();
  if (std::exchange(pinged_, false))
    quiet_.after(endpoint_.options.idle_timeout_ms - pong_wait(endpoint_.options));
}

void Connection::on_quiet() {
  if (pinged_) {
    ++endpoint_.totals.timed_out;
    return socket_.drop();
  }
  const std::uint64_t wait = pong_wait(endpoint_.options);
  const std::uint64_t due = heard_ms_ + endpoint_.options.idle_timeout_ms - wait, now = net::now_ms();
  if (now < due) return quiet_.after(due - now);
  socket_.ping({});
  pinged_ = true;
  quiet_.after(wait);
}

// --- messages ---

void Connection::on_message(ws::Kind kind, std::string_view body) {
  heard();
  ++endpoint_.totals.messages_in;
  if (endpoint_.options.mode == Mode::topics) return command(kind, body);
  deliver(ws::Message::make(kind, {body}));
}

bool Connection::deliver(const ws::MessageRef& message) {
  if (endpoint_.options.close_slow) {
    socket_.send(message);
  } else if (!socket_.offer(message)) {
    ++endpoint_.totals.left_out;
    return false;
  }
  ++endpoint_.totals.messages_out;
  return true;
}

void Connection::command(ws::Kind kind, std::string_view body) {
  const std::string_view verb = take_word(body);
  const std::string_view topic = take_word(body);
  const bool publishes = verb == "publish";
  if (!publishes && verb != "subscribe" && verb != "unsubscribe") return answer("error", "unknown command");
  if (!valid_topic(topic)) return answer("error", "invalid topic");
  if (publishes) return publish(kind, topic, body);
  if (verb == "unsubscribe") {
    endpoint_.topics.unsubscribe(memberships_, topic);
    return answer("unsubscribed", topic);
  }
  const bool full = memberships_.size() >= endpoint_.options.max_topics;
  if (full && !endpoint_.topics.subscribed(memberships_, topic)) return answer("error", "too many topics");
  endpoint_.topics.subscribe(*this, memberships_, topic);
  answer("subscribed", topic);
}

// One message for all, compressed at most once. Nobody is called back from within, so the members stay as
// they are.
void Connection::publish(ws::Kind kind, std::string_view topic, std::string_view data) {
  const Topics::Topic* const found = endpoint_.topics.find(topic);
  if (found == nullptr) return;
  const ws::MessageRef message = ws::Message::make(kind, {"message ", topic, " ", data});
  for (Connection* const member : found->members) {
    if (member != this) member->deliver(message);
  }
}

void Connection::answer(std::string_view word, std::string_view rest) {
  deliver(ws::Message::make(ws::Kind::text, {word, " ", rest}));
}

void Connection::on_end(const ws::Ending&) {
  endpoint_.forget(*this);
}

}  // namespace limpet::raw
