#include "proxy/session/worker.h"

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>

#include "proxy/log/access.h"
#include "proxy/log/log.h"
#include "proxy/net/refuse.h"
#include "proxy/session/exchange.h"
#include "proxy/session/session.h"

namespace limpet::session {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = net::now_us();
  [[maybe_unused]] const ssize_t got = ::getrandom(&seed, sizeof(seed), 0);
  return seed;
}

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Worker::Worker(Shared& shared, std::shared_ptr<const config::Snapshot> snapshot, std::optional<net::Cpu> cpu)
    : shared_(shared),
      snapshot_(std::move(snapshot)),
      cpu_(cpu),
      chooser_(shared.sids, random_seed()),
      id_state_(random_seed()) {}

Worker::~Worker() {
  stop();
  while (first_ != nullptr) bury(*first_);
}

void Worker::listen(net::Fd socket, std::uint32_t listener) {
  acceptors_.push_back(std::make_unique<net::Acceptor>(
      loop_, std::move(socket),
      [this, listener](net::Fd fd, const net::Address& peer) { on_accept(std::move(fd), peer, listener); }));
}

std::uint64_t Worker::refused_without_descriptor() const {
  std::uint64_t total = 0;
  for (const auto& each : acceptors_) total += each->refused();
  return total;
}

void Worker::start() {
  thread_ = std::thread([this] {
    net::run_on(cpu_);
    ::pthread_setname_np(::pthread_self(), "limpet-worker");
    loop_.run();
  });
}

void Worker::accept() {
  loop_.post([this] {
    for (const auto& each : acceptors_) each->start();
  });
}

void Worker::finish_accepting() {
  loop_.post([this] {
    for (const auto& each : acceptors_) {
      each->accept_all();
      each->close();
    }
    accepting_finished_.store(true, std::memory_order_release);
  });
}

void Worker::drain(std::uint64_t window_ms) {
  loop_.post([this, window_ms] {
    tunnels_.drain(window_ms);
    for (Session* each = first_; each != nullptr;) {
      Session* next = each->next_;
      each->drain();
      each = next;
    }
    idle_.clear();
  });
}

void Worker::close_all() {
  loop_.post([this] {
    while (first_ != nullptr) first_->abort();
  });
}

void Worker::server_silent(std::uint32_t server_serial) {
  loop_.post([this, server_serial] { move_handshakes(server_serial); });
}

void Worker::server_down(std::uint32_t server_serial) {
  loop_.post([this, server_serial] {
    tunnels_.close_server(server_serial);
    idle_.drop(server_serial);
    for (Session* each = first_; each != nullptr;) {
      Session* next = each->next_;
      each->server_down(server_serial);  // may end this session, never another
      each = next;
    }
  });
}

void Worker::close_part(std::uint32_t server_serial, std::uint64_t of) {
  loop_.post([this, server_serial, of] { tunnels_.close_part(server_serial, of); });
}

void Worker::use(std::shared_ptr<const config::Snapshot> snapshot) {
  loop_.post([this, next = std::move(snapshot)]() mutable {
    drop_idle_of_others(*next);
    known_.clear();
    chooser_.forget_pools();
    snapshot_ = std::move(next);
  });
}

// Connections to servers that are gone, or that are elsewhere now.
void Worker::drop_idle_of_others(const config::Snapshot& next) {
  for (std::size_t i = 0; i < snapshot_->pools.size(); ++i) {
    const config::PoolEntry& before = *snapshot_->pools[i];
    const config::PoolEntry* after = i < next.pools.size() ? next.pools[i].get() : nullptr;
    for (const routing::Member& each : before.routing.members()) {
      const std::uint32_t serial = each.server->serial;
      const routing::Member* kept = after != nullptr ? after->routing.by_serial(serial) : nullptr;
      if (kept == nullptr || after->target_of(*kept) != before.target_of(each)) idle_.drop(serial);
    }
  }
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    while (first_ != nullptr) first_->abort();
    tunnels_.close_all();
    acceptors_.clear();
    idle_.clear();
    loop_.stop();
  });
  thread_.join();
}

void Worker::on_accept(net::Fd fd, const net::Address& peer, std::uint32_t listener) {
  metrics_.accepted.add();
  if (shared_.connections.load(std::memory_order_relaxed) >= shared_.max_connections) {
    return refuse_connection(std::move(fd), peer);
  }
  const std::uint32_t open = shared_.connections.fetch_add(1, std::memory_order_relaxed) + 1;
  if (open > shared_.most_connections.load(std::memory_order_relaxed)) {
    shared_.most_connections.store(open, std::memory_order_relaxed);
  }
  auto* session = new Session(*this, net::Stream(loop_, std::move(fd)), peer, listener);
  session->next_ = first_;
  if (first_ != nullptr) first_->prev_ = session;
  first_ = session;
  metrics_.sessions.fetch_add(1, std::memory_order_relaxed);
  session->start();
}

// Answered without a Session, and closed at once: what is over the bound must not hold descriptors.
void Worker::refuse_connection(net::Fd fd, const net::Address& peer) {
  const Outcome outcome{Cause::no_connections, std::nullopt};
  metrics_.requests.add();
  metrics_.causes[static_cast<std::size_t>(outcome.cause)].add();
  metrics_.by_status_class[5].add();
  std::array<char, Worker::kRequestId> id;
  write_request_id(id);
  std::string page;
  append_answer(page, outcome, {.request_id = {id.data(), id.size()}});
  const std::size_t sent = net::answer_and_close(std::move(fd), page);
  if (!log::access_enabled()) return;
  const std::string client = peer.text();
  log::AccessRecord record;
  record.client = client;
  record.request_id = {id.data(), id.size()};
  record.method = record.target = "-";
  record.status = static_cast<std::uint16_t>(status_of(outcome));
  record.bytes_out = sent;
  record.ended_by = "proxy";
  record.reason = reason_of(outcome);
  log::access(record);
}

void Worker::bury(Session& session) {
  if (session.prev_ != nullptr) session.prev_->next_ = session.next_;
  if (session.next_ != nullptr) session.next_->prev_ = session.prev_;
  if (first_ == &session) first_ = session.next_;
  metrics_.sessions.fetch_sub(1, std::memory_order_relaxed);
  delete &session;
}

const std::shared_ptr<const net::Target::Addresses>& Worker::addresses(const config::PoolEntry& pool,
                                                                       const routing::Member& member) {
  const net::Target& target = *pool.target_of(member);
  Known& known = known_[member.server->serial];
  const std::uint32_t version = target.version();
  if (known.version != version) {
    known.addresses = target.addresses();
    known.version = version;
  }
  return known.addresses;
}

bool Worker::lists(const routing::Server& server) const {
  return std::any_of(snapshot_->pools.begin(), snapshot_->pools.end(), [&server](const auto& pool) {
    return pool->routing.by_serial(server.serial) != nullptr;
  });
}

void Worker::write_request_id(std::span<char, kRequestId> out) {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < out.size(); ++i, bits >>= 4) {
    if (i % 16 == 0) bits = split_mix(id_state_);
    out[i] = kHex[bits & 15];
  }
}

void Worker::warn_untrusted(const net::Address& peer) {
  constexpr std::uint64_t kHourMs = 3'600'000;
  const std::uint64_t now = net::now_ms();
  std::uint64_t said = shared_.untrusted_said_ms.load(std::memory_order_relaxed);
  if (said != 0 && now - said < kHourMs) return;
  if (!shared_.untrusted_said_ms.compare_exchange_strong(said, now, std::memory_order_relaxed)) return;
  const auto ip = peer.ip_address();
  const std::string name = ip ? ip->text() : "unix:";
  log::warn(
      "{} sends X-Forwarded-For and is not trusted, so its own address counts as the client's; if it is your "
      "proxy, add to [proxy]: trusted_proxies = [\"{}\"]",
      name, name);
}

void Worker::wait_for_handshake(Exchange& exchange) {
  handshakes_.push_back(&exchange);
  exchange.handshake_index_ = handshakes_.size() - 1;
}

void Worker::forget_handshake(Exchange& exchange) {
  Exchange* last = handshakes_.back();
  handshakes_[exchange.handshake_index_] = last;
  last->handshake_index_ = exchange.handshake_index_;
  handshakes_.pop_back();
}

void Worker::move_handshakes(std::uint32_t server_serial) {
  // Moving one changes the list, and settle() may end its session, never another's.
  const std::vector<Exchange*> waiting = handshakes_;
  for (Exchange* each : waiting) {
    if (std::find(handshakes_.begin(), handshakes_.end(), each) != handshakes_.end()) {
      each->server_silent(server_serial);
    }
  }
}

}  // namespace limpet::session
