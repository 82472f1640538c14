// Config: what a configuration file says, validated, with every default filled in.
//
// Built once by load() and const from then on; shared between threads without locks. Holds no sockets and
// resolves no names. Key names are those of limpet.toml(5); a field's comment is its manual page.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/wire/ip_address.h"

namespace limpet::config {

using Duration = std::chrono::milliseconds;  // every duration key: "500ms", "30s", "5m", "1h", "7d"

// As timers and counters take it. No key accepts less than 0.
inline std::uint64_t ms(Duration d) {
  return static_cast<std::uint64_t>(d.count());
}

// Where something listens or is reached. `host` is an IP literal (no brackets), a host name or, for a
// Unix-domain socket, empty with `path` set.
struct Endpoint {
  enum class Kind : std::uint8_t { ip, name, unix_socket };
  Kind kind = Kind::ip;
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  std::string text() const;  // as written in a file: "10.0.1.1:3000", "[::1]:80", "unix:/run/x.sock"
  bool operator==(const Endpoint&) const = default;
};

// The CPUs that worker threads are bound to: the first worker to the first, and so on, over again if there
// are more workers.
struct CpuAffinity {
  enum class Kind : std::uint8_t { off, automatic, list } kind = Kind::off;
  std::vector<std::uint16_t> cpus;  // of a list, as written; automatic: those that the process may use
  int line = 0;                     // of a list: where it stands, for what this machine says of it
  int column = 0;
  bool operator==(const CpuAffinity&) const = default;
};
// Which worker gets a connection: any, by a hash of both addresses, or the one that is bound to the CPU that
// the connection came in on.
enum class AcceptBalance : std::uint8_t { hash, cpu };

struct Proxy {
  std::uint32_t workers = 0;  // 0: one a CPU that the process may use, or that cpu_affinity lists
  CpuAffinity cpu_affinity;
  AcceptBalance accept_balance = AcceptBalance::hash;  // cpu: needs cpu_affinity, and a CPU a worker
  std::uint32_t max_connections =
      0;  // 0: what RLIMIT_NOFILE allows, two descriptors a tunnel, less a reserve
  std::vector<wire::Cidr> trusted_proxies;  // peers whose X-Forwarded-* are believed
  bool trust_unix = false;                  // "unix:" stands in trusted_proxies
  Duration shutdown_delay{0};               // accepting goes on for this long after SIGTERM, readiness at 503
  Duration drain_timeout{30'000};           // then tunnels are closed, spread over this time
  std::optional<std::string> hash_seed;     // unset: each pool's name
  std::vector<Endpoint> resolvers;  // DNS servers of "dns:" servers, in order; none: /etc/resolv.conf's
  bool via = false;                 // add Via to requests and answers (RFC 9110, 7.6.3)
  bool operator==(const Proxy&) const = default;
};

struct Listener {
  Endpoint address;                       // port 0: the kernel's choice, logged; a host name is an error
  std::optional<std::string> ready_path;  // GET of it answers readiness on this client port
  bool operator==(const Listener&) const = default;
};

struct Route {
  std::vector<std::string> hosts;  // exact or "*.example.org", lower case, no port; empty: all
  std::string path = "/";          // prefix, matched at segment boundaries
  std::string pool;
  bool operator==(const Route&) const = default;
};

struct Server {
  std::string id;  // 1 to 64 of [A-Za-z0-9_.:-], one of its kind in its pool
  Endpoint address;
  std::uint32_t weight = 1;  // 0 to 1000; 0: no new sessions by hashing or balance
  std::uint32_t max_connections = 50'000;
  bool max_connections_set = false;  // by hand: a limit the machine cannot hold is then a warning
  bool backup = false;               // used only while no other server of the pool can be
  bool operator==(const Server&) const = default;
};

enum class AffinityKind : std::uint8_t { sid, cookie, source };
enum class Balance : std::uint8_t { source, least_connections, round_robin, random_two };
enum class OnLost : std::uint8_t { redispatch, strict };
enum class CookieMode : std::uint8_t { insert, passive, rewrite, off };
enum class CookieOn : std::uint8_t { session, all };
enum class SameSite : std::uint8_t { lax, strict, none };
enum class Secure : std::uint8_t { automatic, yes, no };  // automatic: when the client's scheme is https

struct Cookie {
  CookieMode mode = CookieMode::insert;
  CookieOn on = CookieOn::session;  // all: on every answer that lacks it, for plain HTTP
  std::string name = "io";
  std::string path = "/";
  std::optional<std::string> domain;
  SameSite same_site = SameSite::lax;
  Secure secure = Secure::automatic;
  bool http_only = true;
  std::optional<std::chrono::seconds> max_age;  // unset: a session cookie
  bool partitioned = false;                     // needs secure = true
  bool operator==(const Cookie&) const = default;
};

enum class HealthType : std::uint8_t { http, tcp, off };
enum class OnDown : std::uint8_t { keep, close };

struct Health {
  HealthType type = HealthType::http;
  std::string path = "/health";
  std::string method = "GET";
  std::optional<std::string> host;  // unset: the server's address
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> expect{{200, 200}};  // inclusive status ranges
  std::optional<std::string> body;  // substring of the first 16 KiB of the body
  Duration interval{2'000};         // between probes of a settled server
  Duration fast_interval{500};      // while a state is changing, while a whole pool is down
  Duration timeout{1'000};          // for one probe, connect to verdict
  double jitter = 0.10;             // of the interval, either way; 0 to 0.5
  std::uint32_t rise = 2;
  std::uint32_t fall = 3;
  std::optional<std::uint16_t> port;  // unset: the server's
  Duration slow_start{10'000};        // from 10 % of its weight to all of it; 0 turns it off
  OnDown on_down = OnDown::keep;      // tunnels of a server that went down
  bool operator==(const Health&) const = default;
};

struct Timeouts {
  Duration connect{1'000};    // to one server, all its addresses together
  Duration handshake{2'000};  // first byte of the answer to a request that begins a session
  Duration response{60'000};  // first byte of any other answer, then between reads
  Duration tunnel_idle{3'600'000};
  Duration keep_alive{4'000};  // idle upstream connections; Node.js closes at 5 s
  bool operator==(const Timeouts&) const = default;
};

struct Pool {
  std::string name;
  std::vector<Server> servers;
  // "dns:NAME:PORT", which is its id here: one server, with the id ADDRESS:PORT, for each address that the
  // name has. They are found while the process runs (proxy/discovery).
  std::vector<Server> names;
  std::vector<AffinityKind> affinity;  // in order; default by `balance` and `engineio`, see limpet.toml(5)
  Balance balance = Balance::source;
  std::optional<double> bounded_load = 1.25;  // unset: off
  OnLost on_lost = OnLost::redispatch;
  std::uint32_t max_connections = 0;              // of the pool; 0: no bound
  std::vector<wire::IpAddress> source_addresses;  // local addresses to connect from, in turn
  bool engineio = true;                           // requests of Engine.IO are understood
  // TCP Fast Open: the head of a request that may arrive twice without harm goes out with the SYN.
  bool fast_open = false;
  Cookie cookie;
  Health health;
  Timeouts timeouts;
  bool uses(AffinityKind kind) const;
  bool operator==(const Pool&) const = default;
};

struct Limits {
  std::uint32_t head_bytes = 16 * 1024;     // request line and fields; 1KiB to 1MiB
  std::uint32_t head_fields = 100;          // 1 to 1000
  std::uint32_t target_bytes = 8 * 1024;    // not above head_bytes
  std::uint64_t body_bytes = 128ull << 20;  // of a request, streamed
  Duration head_timeout{10'000};            // for a whole head
  Duration idle_timeout{75'000};            // of a client's connection between requests
  std::uint32_t sid_entries = 1'000'000;    // learned sids, in all
  bool operator==(const Limits&) const = default;
};

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

struct Log {
  LogLevel level = LogLevel::info;
  std::optional<std::string> file;  // unset: standard error
  LogFormat format = LogFormat::text;
  bool access = true;
  std::optional<std::string> access_file;  // unset: standard output
  bool query = false;                      // log the query string of a target
  bool operator==(const Log&) const = default;
};

struct Admin {
  Endpoint address;        // default: a Unix socket, see default_admin_path()
  bool by_default = true;  // the file named none: failing to bind it is a warning, not an error
  bool operator==(const Admin&) const = default;
};

enum class NodeAdapter : std::uint8_t { memory, redis, redis_streams };
enum class NodeSharded : std::uint8_t { off, static_, dynamic, dynamic_private };
enum class NodeRecoverySave : std::uint8_t { disconnect, eager };
enum class NodeResponses : std::uint8_t { shared, own };
enum class NodeDeflate : std::uint8_t { off, shared, dedicated };
enum class NodeRaw : std::uint8_t { off, echo, topics };

// What `limpet node` serves, see limpet-node(1). Each key is a flag, too: ping_interval, --ping-interval.
struct Node {
  Endpoint listen{Endpoint::Kind::ip, "127.0.0.1", 3000, {}};
  std::optional<std::string> id;  // unset: the address that it listens on
  std::optional<Endpoint> admin;  // a Unix socket or loopback; unset: none
  std::vector<std::string> namespaces{"/"};
  std::string path = "/socket.io/";
  std::optional<std::string>
      serve_client;                    // a folder with the official client's bundles; unset: none is served
  bool page = false;                   // at /, for who tries it out: this node, a chat, the cluster
  std::optional<std::string> redis;    // a URL, env:NAME or file:PATH; unset: none
  std::optional<NodeAdapter> adapter;  // unset: redis with `redis`, else memory
  std::string channel_prefix = "socket.io";         // of channels; Node.js: `key`, `channelPrefix`
  NodeSharded sharded = NodeSharded::off;           // SPUBLISH, and how rooms are subscribed to
  NodeResponses responses = NodeResponses::shared;  // where answers of adapter redis go
  Duration requests_timeout{5'000};                 // for answers of other nodes
  std::string stream = "socket.io";                 // redis_streams
  std::uint32_t stream_count = 1;
  std::uint64_t stream_max_length = 10'000;
  std::uint32_t stream_read_count = 100;
  bool stream_plaintext = false;  // binary as JSON, too
  std::string session_key_prefix = "sio:session:";
  NodeRecoverySave recovery_save = NodeRecoverySave::disconnect;
  std::optional<std::string> redis_ca, redis_cert, redis_key;  // PEM files, of rediss:
  std::optional<std::string> redis_server_name;        // of its certificate; unset: the host that is asked
  std::optional<std::string> redis_sentinel_password;  // or env:NAME, file:PATH
  bool presence = true;                                // with `redis`: who is connected, in Redis
  std::string presence_connections = "user:connections";
  std::string presence_user = "user:<id>";
  std::string presence_sockets = "user:<id>:sockets";
  std::string presence_nodes = "limpet:nodes";
  bool strict_health = false;  // without Redis /health is 503
  NodeAdapter joined() const { return adapter.value_or(redis ? NodeAdapter::redis : NodeAdapter::memory); }

  std::uint32_t max_connections = 50'000;  // sessions; more: 503, Close 1008, and /health says full
  std::uint64_t max_payload = 1'000'000;   // bytes of a message, and of a POST
  std::uint64_t max_queued = 16ull << 20;  // bytes that a slow client may leave unread
  // Bytes of unsent messages and of parts of messages and bodies, of all clients together; more: those who
  // hold most are closed. 10 KiB for each of 50000: what a phone is behind by in a second or two, of all of
  // them at once.
  std::uint64_t max_buffered = 512ull << 20;
  std::uint32_t rooms_per_socket = 10'000;
  std::uint32_t events_per_second = 0;  // of a client; 0: no bound

  Duration ping_interval{25'000};
  Duration ping_timeout{20'000};
  Duration connect_timeout{45'000};  // for the first namespace
  Duration drain_window{30'000};     // after SIGTERM: sessions end, spread over this time
  Duration recovery{0};              // how long a lost session is kept; 0: not at all

  std::vector<std::string> cors_origins;  // "*": any; empty: no CORS
  bool cors_credentials = false;
  std::optional<std::string> cookie;  // the name of the affinity cookie, `io=ID`; unset: none
  bool allow_eio3 = false;            // Socket.IO 2.x clients
  bool http_compression = true;       // of long polls
  NodeDeflate deflate = NodeDeflate::off;

  std::optional<std::string> jwt_key;  // a file: an HS256 secret, or an RSA public key in PEM for RS256
  std::optional<std::string> jwt_issuer;
  std::optional<std::string> jwt_audience;

  NodeRaw raw = NodeRaw::off;  // a plain WebSocket endpoint
  std::string raw_path = "/ws";
  std::uint64_t raw_max_payload = 16 * 1024;
  Duration raw_idle_timeout{60'000};
  bool operator==(const Node&) const = default;
};

enum class BundleAdapter : std::uint8_t { redis, redis_streams };

// What `limpet up` runs beside the proxy: nodes, and Redis between them.
struct Bundle {
  // The pool that the nodes are in. A table [pool.nodes] needs no servers then; they are the bundle's.
  static constexpr std::string_view kPool = "nodes";
  // Of nodes: the time over which they end their sessions, less the proxy's shutdown_delay before it; up to
  // 10 s more go by until the last of them and their presence are gone. Of all of it: the budget.
  static constexpr Duration kDrainWindow{16'000}, kMostShutdownDelay{10'000}, kBudget{30'000};
  static constexpr Duration drain_window_after(Duration shutdown_delay) {
    return kDrainWindow - shutdown_delay;
  }
  static constexpr std::uint32_t kMostNodes = 1024;
  std::uint32_t nodes = 0;  // 0: one a CPU that the process may use, at least 2
  std::optional<std::string>
      redis;  // a URL, env:NAME or file:PATH; unset: a redis-server of the bundle's own
  BundleAdapter adapter = BundleAdapter::redis_streams;
  std::vector<std::string> command;  // of a node; empty: `limpet node`
  std::uint16_t ports = 0;           // n1's, n2 has the next; 0: Unix sockets, and for a command free ports
  std::vector<std::pair<std::string, std::string>> environment;  // of every node, sorted
  bool operator==(const Bundle&) const = default;
};

struct Config {
  std::string file;  // as given, for messages
  Proxy proxy;
  std::vector<Listener> listeners;
  std::vector<Route> routes;  // never empty: a file with one pool and no route gets one for everything
  std::vector<Pool> pools;
  Limits limits;
  Log log;
  Admin admin;
  Node node;
  std::optional<Bundle> bundle;  // set: this file is for `limpet up`
  const Pool* find_pool(std::string_view name) const;
  bool operator==(const Config&) const = default;
};

// $RUNTIME_DIRECTORY/limpet.sock under systemd, /run/limpet.sock as root, else
// $XDG_RUNTIME_DIR/limpet.sock, else /tmp/limpet-UID.sock.
std::string default_admin_path();
// Where it may be of a limpet that runs in another environment, the likeliest first.
std::vector<std::string> admin_paths();

}  // namespace limpet::config
