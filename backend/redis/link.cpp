// How a Link is made, and lost: link_commands.cpp has what goes through it.
#include "backend/redis/link.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace limpet::redis {
namespace {

std::string_view code_of(std::string_view error) {
  return error.substr(0, error.find(' '));
}

// Redis repeats the words of a command that it does not know. A password may be cut there.
bool may_tell(std::string_view error, const std::string& secret) {
  if (error.starts_with("ERR unknown")) return false;
  return secret.empty() || error.find(std::string_view(secret).substr(0, 8)) == std::string_view::npos;
}

}  // namespace

Link::Link(std::shared_ptr<Context> context, Owner& owner, Use use, Greeting greeting)
    : context_(std::move(context)),
      owner_(&owner),
      use_(use),
      greeting_(std::move(greeting)),
      clock_(context_->loop, net::delegate<&Link::on_clock>(this)),
      connect_(context_->loop, net::delegate<&Link::on_connect_ended>(this)),
      flush_(net::delegate<&Link::flush>(this)),
      more_(net::delegate<&Link::on_readable>(this)) {}

Link::~Link() {
  assert(owed_.empty());
}

void Link::move_to(Phase next) {
  assert(phase_ != Phase::ended);
  phase_ = next;
}

void Link::wake() {
  if (phase_ == Phase::waiting) clock_.after(0);
}

void Link::on_clock() {
  const auto pin = shared_from_this();
  switch (phase_) {
    case Phase::waiting: return begin();
    case Phase::resolving: return lose("the name does not resolve: no answer");
    case Phase::connecting: return lose("no connection in time");
    case Phase::securing: return lose("TLS took too long");
    case Phase::greeting: silent_ = true; return lose("connected, but it does not answer");
    case Phase::up: return watch();
    case Phase::ended: return;
  }
}

// --- making ---

void Link::begin() {
  const auto target = owner_->link_target(*this);
  if (phase_ != Phase::waiting) return;
  if (!target) return clock_.after(context_->settings.last_retry_ms);
  endpoint_ = *target;
  silent_ = false;
  ++attempt_;
  clock_.after(context_->settings.connect_timeout_ms);
  if (endpoint_.host.starts_with('/')) {
    const auto address = net::Address::unix_socket(endpoint_.host);
    if (!address) return lose("the path is too long for a Unix socket");
    return connect({*address});
  }
  if (const auto ip = wire::IpAddress::parse(endpoint_.host)) {
    return connect({net::Address::ip(*ip, endpoint_.port)});
  }
  resolve();
}

void Link::resolve() {
  move_to(Phase::resolving);
  context_->resolver.resolve(
      endpoint_.host, endpoint_.port,
      [weak = weak_from_this(), attempt = attempt_](std::vector<net::Address> addresses, std::string error) {
        const auto self = weak.lock();
        if (!self || self->phase_ != Phase::resolving || self->attempt_ != attempt) return;
        if (addresses.empty()) return self->lose("the name does not resolve: " + error);
        self->connect(std::move(addresses));
      });
}

void Link::connect(std::vector<net::Address> addresses) {
  move_to(Phase::connecting);
  const auto list = std::make_shared<const net::Target::Addresses>(std::move(addresses));
  if (connect_.start(list, {}, 0, context_->settings.connect_timeout_ms)) on_connect_ended();
}

void Link::on_connect_ended() {
  const auto pin = shared_from_this();
  if (phase_ != Phase::connecting) return;
  if (const int error = connect_.error()) return lose(std::strerror(error));
  std::unique_ptr<TlsSession> tls;
  if (greeting_.tls) {
    std::string error;
    tls = context_->tls.connect_to(endpoint_.host, error);
    if (!tls) {
      connect_.stream().close();
      return lose(error);
    }
  }
  transport_.open(std::move(connect_.stream()), std::move(tls));
  reader_ = std::make_unique<Reader>(context_->settings.max_reply_bytes);
  out_.clear();
  out_at_ = 0;
  queued_ = written_ = 0;
  measuring_ = false;
  move_to(Phase::securing);
  secure();
}

void Link::secure() {
  const net::IoResult step = transport_.handshake();
  if (step.status == net::Io::eof || step.status == net::Io::error) return lose(transport_.why(step));
  if (transport_.holds_unsent()) transport_.wait_write(net::delegate<&Link::on_writable>(this));
  transport_.wait_read(net::delegate<&Link::on_readable>(this));
  if (step.status == net::Io::ok) greet();
}

// --- greeting ---

// Goes out before the link is up, when commands of others are still refused.
void Link::greet_by(std::initializer_list<std::string_view> words, void (Link::*check)(const Reply&)) {
  const std::string_view step = *words.begin();
  put({words.begin(), words.size()}, {.done = [this, step, check](const Result& result) {
        if (phase_ != Phase::greeting) return;  // it is being given up
        const std::string_view error = result.error;
        if (error.empty()) return (this->*check)(result.reply);
        if (step == "PING" && error.starts_with("NOPERM"))
          return come_up();  // an ACL without it: an answer all the same
        const bool secret = step == "AUTH" && !may_tell(error, greeting_.password);
        lose(std::string(step) + " was refused: " + std::string(secret ? code_of(error) : error));
      }});
}

void Link::greet() {
  move_to(Phase::greeting);
  const std::string_view user = greeting_.user, password = greeting_.password;
  if (!password.empty() && user.empty()) greet_by({"AUTH", password}, &Link::check_auth);
  if (!password.empty() && !user.empty()) greet_by({"AUTH", user, password}, &Link::check_auth);
  if (greeting_.db != 0) greet_by({"SELECT", std::to_string(greeting_.db)}, &Link::check_select);
  if (greeting_.master) greet_by({"ROLE"}, &Link::check_role);
  greet_by({"PING"}, &Link::check_ping);
}

void Link::check_auth(const Reply& reply) {
  if (reply.text() != "OK") lose("AUTH was answered by something else");
}
void Link::check_select(const Reply& reply) {
  if (reply.text() != "OK") lose("SELECT was answered by something else");
}
void Link::check_role(const Reply& reply) {
  if (reply[0].text() != "master") lose("it is no master");
}
void Link::check_ping(const Reply& reply) {
  if (reply.text() != "PONG") return lose("PING was answered by something else: is this Redis?");
  come_up();
}

void Link::come_up() {
  move_to(Phase::up);
  up_since_ms_ = last_byte_ms_ = net::now_ms();
  ++context_->totals.connects;
  if (std::exchange(was_ever_up_, true)) ++context_->totals.reconnects;
  watch();
  owner_->on_link_up(*this);
}

// --- losing ---

void Link::drop(std::string_view why) {
  const auto pin = shared_from_this();
  if (phase_ != Phase::waiting && phase_ != Phase::ended) lose(why);
}

// All endings but end() pass here. The state is that of a link that waits before anybody is told.
void Link::lose(std::string_view why) {
  const auto pin = shared_from_this();
  const std::string reason(why);  // it may be of what is given back below
  const bool was_up = phase_ == Phase::up;
  if (was_up && net::now_ms() - up_since_ms_ >= context_->settings.last_retry_ms) failures_ = 0;
  move_to(Phase::waiting);
  connect_.cancel();
  transport_.close();
  flush_.cancel();
  more_.cancel();
  std::string().swap(out_);
  before_error_.clear();
  clock_.after(context_->retry_ms(failures_++));
  if (!was_up) ++context_->totals.connects_failed;
  auto owed = std::exchange(owed_, {});
  for (Owed& each : owed) fail(each, reason, written_);
  if (owner_ != nullptr) owner_->on_link_lost(*this, was_up, reason);
}

void Link::end() {
  if (phase_ == Phase::ended) return;
  const auto pin = shared_from_this();
  move_to(Phase::ended);
  owner_ = nullptr;
  clock_.cancel();
  connect_.cancel();
  transport_.close();
  flush_.cancel();
  more_.cancel();
  auto owed = std::exchange(owed_, {});
  for (Owed& each : owed) fail(each, "the link to Redis was closed", written_);
}

void Link::fail(Owed& owed, std::string_view why, std::uint64_t written) {
  context_->totals.pending_bytes -= owed.cost;
  context_->answered(owed.asked.tally, false);
  if (owed.asked.done) owed.asked.done({why, owed.begins < written, Reply()});
}

// An answer that is due, or a PING's, has to bring a byte in time; and come as a whole before too long.
void Link::watch() {
  constexpr std::uint64_t kMostTimeouts = 12;  // of an answer that drips
  const Settings& settings = context_->settings;
  const std::uint64_t now = net::now_ms();
  if (owed_.empty() && now - last_byte_ms_ >= settings.ping_interval_ms) {
    const std::string_view ping[] = {"PING"};
    put(ping, {});
  }
  std::uint64_t next = now + std::min(settings.ping_interval_ms, settings.answer_timeout_ms);
  if (!owed_.empty()) {
    const std::uint64_t blocks = owed_.front().asked.blocks_ms;
    const std::uint64_t due = std::max(last_byte_ms_, front_since_ms_) + blocks + settings.answer_timeout_ms;
    const std::uint64_t whole = front_since_ms_ + blocks + settings.answer_timeout_ms * kMostTimeouts;
    if (now >= std::min(due, whole)) {
      silent_ = true;
      return lose("it does not answer");
    }
    next = std::min({next, due, whole});
  } else {
    next = std::min(next, last_byte_ms_ + settings.ping_interval_ms);
  }
  clock_.after(next > now ? next - now : 1);
}

}  // namespace limpet::redis
