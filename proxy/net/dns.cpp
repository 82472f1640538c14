#include "proxy/net/dns.h"

#include <ares.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "proxy/net/loop_impl.h"

namespace limpet::net {
namespace {

// A server that is silent has 1 s, then 2 s, then 4 s.
constexpr int kFirstTimeoutMs = 1'000;
constexpr int kTries = 3;
constexpr int kUdpBytes = 1'232;  // what passes anywhere unfragmented (EDNS); a longer answer comes by TCP
constexpr int kMostTtl = 7 * 24 * 3'600;
constexpr std::uint64_t kOtherKindMs = 1'000;  // some resolvers and firewalls drop questions for AAAA

void note_ttl(DnsRecords& out, int ttl) {
  const auto seconds = static_cast<std::uint32_t>(std::clamp(ttl, 0, kMostTtl));
  out.ttl_s = std::min(out.ttl_s, seconds);
}

DnsRecords records_of(int status, const ares_addrinfo* found) {
  DnsRecords out;
  if (status == ARES_SUCCESS && found != nullptr && found->nodes != nullptr) {
    out.outcome = DnsRecords::Outcome::found;
    out.ttl_s = kMostTtl;
    for (const auto* each = found->nodes; each != nullptr; each = each->ai_next) {
      if (const auto ip = Address::from(each->ai_addr, each->ai_addrlen).ip_address())
        out.addresses.push_back(*ip);
      note_ttl(out, each->ai_ttl);
    }
    for (const auto* each = found->cnames; each != nullptr; each = each->next) note_ttl(out, each->ttl);
  } else if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_SUCCESS) {
    out.outcome = DnsRecords::Outcome::none;
    out.error = status == ARES_ENOTFOUND ? "the name does not exist" : "the name has no address";
  } else {
    out.error = ares_strerror(status);
  }
  return out;
}

}  // namespace

struct DnsQuestion::Impl {
  Impl(Loop& l, Then t) : loop(l), then(std::move(t)) {}
  ~Impl() {
    if (channel != nullptr) ares_destroy(channel);
  }

  // One of c-ares' sockets. The loop tells of edges and c-ares reads one message of a stream at a time: what
  // is still there is looked up each time.
  struct Socket {
    Impl& owner;
    Watch& watch;
    bool reads = false;
    bool writes = false;
    void on_readable() { owner.process(watch.fd, ARES_SOCKET_BAD); }
    void on_writable() { owner.process(ARES_SOCKET_BAD, watch.fd); }
  };

  int open(std::span<const Address> servers);
  int set_servers(std::span<const Address> servers);
  int find_names(const std::string& host);
  void ask();
  void ask(int family, void (*callback)(void*, int, int, ares_addrinfo*));
  void on_socket(int fd, bool reads, bool writes);
  void process(int readable, int writable);
  void wait();
  void on_timeout() { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }
  void on_records(DnsRecords& into, int status, ares_addrinfo* found);
  void on_late();
  bool goes_on() const;
  void conclude();

  Loop& loop;
  Then then;
  ares_channel channel = nullptr;
  std::unordered_map<int, Socket> sockets;
  Timer timeout{loop, delegate<&Impl::on_timeout>(this)};
  Timer late{loop, delegate<&Impl::on_late>(this)};
  Deferred done{delegate<&Impl::conclude>(this)};
  std::vector<std::string> names;  // that the host may stand for; whole ones, with a dot at the end
  std::size_t at = 0;              // of them, the one that is asked for
  DnsAnswer answer;                // so far, of that one
  bool absent = false;             // that one does not exist
  int missing = 2;
};

int DnsQuestion::Impl::open(std::span<const Address> servers) {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  char dns_alone[] = "b";
  ares_options options{};
  options.flags = ARES_FLAG_EDNS;
  options.ednspsz = kUdpBytes;
  options.timeout = kFirstTimeoutMs;
  options.tries = kTries;
  options.lookups = dns_alone;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int reads, int writes) {
    static_cast<Impl*>(self)->on_socket(fd, reads != 0, writes != 0);
  };
  options.sock_state_cb_data = this;
  const int status = ares_init_options(&channel, &options,
                                       ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
                                           ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    channel = nullptr;
    return status;
  }
  return servers.empty() ? status : set_servers(servers);
}

int DnsQuestion::Impl::set_servers(std::span<const Address> servers) {
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto ip = servers[i].ip_address();
    if (!ip) return ARES_EBADFAMILY;
    ares_addr_port_node& node = nodes[i];
    node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
    node.family = ip->is_v4() ? AF_INET : AF_INET6;
    std::memcpy(&node.addr, ip->bytes().data(), ip->bytes().size());
    node.udp_port = node.tcp_port = servers[i].port();
  }
  return ares_set_servers_ports(channel, nodes.data());
}

// As resolv.conf(5) has it: below each domain of the search list, and as it is, first if it has dots enough.
int DnsQuestion::Impl::find_names(const std::string& host) {
  ares_options options{};
  int mask = 0;
  if (const int status = ares_save_options(channel, &options, &mask); status != ARES_SUCCESS) return status;
  const auto dots = std::count(host.begin(), host.end(), '.');
  if (host.ends_with('.')) {
    names.push_back(host);
  } else {
    for (int i = 0; i < options.ndomains; ++i) names.push_back(host + "." + options.domains[i] + ".");
    names.insert(dots >= options.ndots ? names.begin() : names.end(), host + ".");
  }
  ares_destroy_options(&options);
  return ARES_SUCCESS;
}

void DnsQuestion::Impl::ask() {
  answer = {};
  absent = false;
  missing = 2;
  ask(AF_INET, [](void* me, int status, int, ares_addrinfo* found) {
    static_cast<Impl*>(me)->on_records(static_cast<Impl*>(me)->answer.v4, status, found);
  });
  ask(AF_INET6, [](void* me, int status, int, ares_addrinfo* found) {
    static_cast<Impl*>(me)->on_records(static_cast<Impl*>(me)->answer.v6, status, found);
  });
  wait();
}

// The two kinds apart: of both together c-ares would call half an answer a whole one.
void DnsQuestion::Impl::ask(int family, void (*callback)(void*, int, int, ares_addrinfo*)) {
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel, names[at].c_str(), nullptr, &hints, callback, this);
}

void DnsQuestion::Impl::on_records(DnsRecords& into, int status, ares_addrinfo* found) {
  const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> freed(found, &ares_freeaddrinfo);
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED || missing == 0) return;  // we are going on
  into = records_of(status, found);
  absent = absent || status == ARES_ENOTFOUND;
  if (--missing == 0) {
    loop.at_end_of_turn(done);
  } else if (into.outcome == DnsRecords::Outcome::found || status == ARES_ENOTFOUND) {
    late.after(kOtherKindMs);
  }
}

void DnsQuestion::Impl::on_late() {
  if (missing == 0) return;
  missing = 0;
  for (DnsRecords* each : {&answer.v4, &answer.v6}) {
    if (each->outcome == DnsRecords::Outcome::failed && each->error.empty())
      each->error = "no answer in time";
  }
  loop.at_end_of_turn(done);
}

// To the next name: this one has no address. Where nobody could tell there may be one.
bool DnsQuestion::Impl::goes_on() const {
  const auto is = [this](DnsRecords::Outcome what) {
    return answer.v4.outcome == what || answer.v6.outcome == what;
  };
  if (is(DnsRecords::Outcome::found) || at + 1 >= names.size()) return false;
  return absent || !is(DnsRecords::Outcome::failed);
}

// It may destroy us.
void DnsQuestion::Impl::conclude() {
  late.cancel();
  timeout.cancel();
  if (goes_on()) {
    ares_cancel(channel);
    ++at;
    return ask();
  }
  const DnsAnswer given = std::move(answer);
  std::exchange(then, {})(given);
}

// Called from within c-ares, and before it closes the descriptor.
void DnsQuestion::Impl::on_socket(int fd, bool reads, bool writes) {
  auto at = sockets.find(fd);
  if (!reads && !writes) {
    if (at == sockets.end()) return;
    loop.impl().retire(at->second.watch);
    sockets.erase(at);
    return;
  }
  if (at == sockets.end()) at = sockets.try_emplace(fd, Socket{*this, *loop.impl().watch(fd)}).first;
  at->second.reads = reads;
  at->second.writes = writes;
}

// The Socket whose event this is may be gone after the first line.
void DnsQuestion::Impl::process(int readable, int writable) {
  ares_process_fd(channel, readable, writable);
  wait();
}

void DnsQuestion::Impl::wait() {
  if (missing == 0) return timeout.cancel();
  for (auto& [fd, socket] : sockets) {
    pollfd now{fd, static_cast<short>(POLLIN | (socket.writes ? POLLOUT : 0)), 0};
    if (::poll(&now, 1, 0) < 0) now.revents = 0;
    constexpr short kBroken = POLLERR | POLLHUP | POLLNVAL;
    socket.watch.readable = (now.revents & (POLLIN | kBroken)) != 0;
    socket.watch.writable = (now.revents & (POLLOUT | kBroken)) != 0;
    if (socket.reads) loop.impl().wait_read(socket.watch, delegate<&Socket::on_readable>(&socket));
    if (socket.writes) loop.impl().wait_write(socket.watch, delegate<&Socket::on_writable>(&socket));
  }
  timeval most{60, 0}, left{};
  const timeval* const next = ares_timeout(channel, &most, &left);
  timeout.after(static_cast<std::uint64_t>(next->tv_sec) * 1000 +
                static_cast<std::uint64_t>(next->tv_usec) / 1000 + 1);
}

DnsQuestion::DnsQuestion(Loop& loop, const std::string& host, std::span<const Address> servers, Then then)
    : impl_(std::make_unique<Impl>(loop, std::move(then))) {
  Impl& self = *impl_;
  int status = self.open(servers);
  if (status == ARES_SUCCESS) status = self.find_names(host);
  if (status != ARES_SUCCESS) {
    self.answer.v4 = self.answer.v6 = records_of(status, nullptr);
    self.missing = 0;
    loop.at_end_of_turn(self.done);
    return;
  }
  self.ask();
}

DnsQuestion::~DnsQuestion() = default;

}  // namespace limpet::net
