// What goes through a Link: commands out, answers and messages in.
#include <utility>

#include "backend/redis/link.h"

namespace limpet::redis {
namespace {

constexpr std::size_t kRead = 16 * 1024;
constexpr int kReads = 16;                     // before others have a turn
constexpr std::size_t kKeptRoom = 256 * 1024;  // of the buffer to send, once it is empty

}  // namespace

// --- out ---

bool Link::admit(std::size_t cost, Asked& asked) {
  context_->asked(asked.tally);
  const bool open = phase_ == Phase::up;
  const bool room = context_->totals.pending_bytes + cost <= context_->settings.max_pending_bytes;
  if (open && room) return true;
  context_->answered(asked.tally, false);
  if (asked.done) {
    asked.done(
        {open ? "too much waits for Redis already" : "there is no connection to Redis", false, Reply()});
  }
  return false;
}

void Link::owe(Asked asked, std::uint64_t begins, std::size_t cost) {
  const std::uint64_t now_us = measuring_ && !owed_.empty() ? 0 : net::now_us();
  if (owed_.empty()) front_since_ms_ = now_us / 1000;
  if (!measuring_) {
    measuring_ = true;
    measured_at_ = begins;
    measured_us_ = now_us;
  }
  context_->totals.pending_bytes += cost;
  owed_.push_back({std::move(asked), begins, cost});
  if (!flush_.queued()) context_->loop.at_end_of_turn(flush_);
}

void Link::send(Words words, Asked asked) {
  if (admit(command_size(words) + sizeof(Owed), asked)) put(words, std::move(asked));
}

void Link::put(Words words, Asked asked) {
  const std::size_t cost = command_size(words) + sizeof(Owed);
  const std::size_t size = out_.size();
  append_command(out_, words);
  const std::uint64_t begins = queued_;
  queued_ += out_.size() - size;
  owe(std::move(asked), begins, cost);
}

void Link::send_encoded(std::string_view bytes, Asked asked) {
  const std::size_t cost = bytes.size() + sizeof(Owed);
  if (!admit(cost, asked)) return;
  out_.append(bytes);
  const std::uint64_t begins = queued_;
  queued_ += bytes.size();
  owe(std::move(asked), begins, cost);
}

// Errors are left to the reading side, which is told of them as well.
void Link::flush() {
  if (phase_ != Phase::up && phase_ != Phase::greeting) return;
  while (out_at_ < out_.size()) {
    const net::IoResult sent = transport_.write(std::span(out_).subspan(out_at_));
    if (sent.status == net::Io::error) return;
    if (sent.status != net::Io::ok) break;
    out_at_ += sent.bytes;
    written_ += sent.bytes;
    context_->totals.bytes_out += sent.bytes;
  }
  if (out_at_ == out_.size()) {
    out_at_ = 0;
    out_.clear();
    if (out_.capacity() > kKeptRoom) std::string().swap(out_);
  } else if (out_at_ > out_.size() / 2) {
    out_.erase(0, std::exchange(out_at_, 0));
  }
  if (!out_.empty() || transport_.holds_unsent()) {
    transport_.wait_write(net::delegate<&Link::on_writable>(this));
  }
}

void Link::on_writable() {
  const auto pin = shared_from_this();
  if (const net::IoResult sent = transport_.flush(); sent.status == net::Io::error) return;
  if (transport_.holds_unsent()) return transport_.wait_write(net::delegate<&Link::on_writable>(this));
  flush();
}

// --- in ---

void Link::on_readable() {
  const auto pin = shared_from_this();
  if (phase_ == Phase::securing) {
    secure();
    if (phase_ != Phase::greeting) return;
  }
  const std::uint64_t attempt = attempt_;
  const auto gone = [&] { return (phase_ != Phase::up && phase_ != Phase::greeting) || attempt_ != attempt; };
  for (int i = 0; i < kReads; ++i) {
    char bytes[kRead];
    const net::IoResult got = transport_.read(bytes);
    if (got.status == net::Io::again) {
      if (transport_.holds_unsent()) transport_.wait_write(net::delegate<&Link::on_writable>(this));
      return transport_.wait_read(net::delegate<&Link::on_readable>(this));
    }
    if (got.status != net::Io::ok) return lose(transport_.why(got));
    last_byte_ms_ = net::now_ms();
    context_->totals.bytes_in += got.bytes;
    reader_->feed({bytes, got.bytes});
    while (const auto reply = reader_->next()) {
      on_reply(*reply);
      if (gone()) return;
    }
    if (!reader_->broken().empty()) return lose(reader_->broken());
    if (transport_.emptied_by(got, sizeof(bytes)))
      return transport_.wait_read(net::delegate<&Link::on_readable>(this));
  }
  context_->loop.at_end_of_turn(more_);
}

void Link::on_reply(const Reply& reply) {
  if (use_ == Use::subscriptions && phase_ == Phase::up && on_pushed(reply)) return;
  if (owed_.empty()) return lose("an answer to nothing that was asked");
  Owed& front = owed_.front();
  if (front.asked.before == 0) return on_answer(reply);
  --front.asked.before;
  if (reply.is_error() && before_error_.empty()) before_error_ = reply.text();
}

// What comes without having been asked for.
bool Link::on_pushed(const Reply& reply) {
  const std::string_view kind = reply[0].text();
  const bool plain = kind == "message", shard = kind == "smessage";
  if (plain || shard || kind == "pmessage") {
    const std::size_t at = plain || shard ? 1 : 2;
    ++context_->totals.messages;
    owner_->on_link_message(*this,
                            plain   ? Subscribed::channel
                            : shard ? Subscribed::shard
                                    : Subscribed::pattern,
                            reply[1].text(), reply[at].text(), reply[at + 1].text());
    return true;
  }
  if (kind != "sunsubscribe") return false;
  const bool asked = !owed_.empty() && owed_.front().asked.unsubscribes;
  const auto pin = shared_from_this();
  if (asked) on_answer(reply);
  if (phase_ == Phase::up) owner_->on_link_sunsubscribed(*this, reply[1].text());
  return true;
}

void Link::on_answer(const Reply& reply) {
  Owed owed = std::move(owed_.front());
  owed_.pop_front();
  front_since_ms_ = last_byte_ms_;
  Context& context = *context_;
  context.totals.pending_bytes -= owed.cost;
  if (measuring_ && owed.begins >= measured_at_) {
    measuring_ = false;
    if (owed.begins == measured_at_ && owed.asked.blocks_ms == 0)
      context.totals.last_answer_us = net::now_us() - measured_us_;
  }
  const std::string before = std::exchange(before_error_, {});
  std::string_view error = reply.is_error() ? reply.text() : std::string_view{};
  if (error.starts_with("EXECABORT") && !before.empty()) error = before;  // why it was aborted
  if (reply.is_error() && error.empty()) error = "an error without a text";
  context.answered(owed.asked.tally, error.empty());
  const std::uint64_t attempt = attempt_;
  const auto pin = shared_from_this();
  if (owed.asked.done) owed.asked.done({error, true, reply});
  if (!error.empty() && phase_ == Phase::up && attempt_ == attempt) owner_->on_link_error(*this, error);
}

}  // namespace limpet::redis
