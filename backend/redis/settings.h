// Settings of a Redis link, and how its URL reads.
//
//   redis://[user[:password]@]host[:port][/db]            one server
//   rediss://...                                          the same over TLS
//   unix:///path[?db=n], unix://user:password@/path       a Unix socket; also unix:/path
//   redis+sentinel://[user[:password]@]host[:port],.../master[/db]    rediss+sentinel: TLS to the servers
//   redis+cluster://[user[:password]@]host[:port],...     Redis Cluster; rediss+cluster: TLS
//
// User, password, path and master are percent-decoded. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace limpet::redis {

struct Endpoint {
  std::string host;  // a name or an address without brackets; a path if it begins with a slash
  std::uint16_t port = 6379;
  bool operator==(const Endpoint&) const = default;
};

struct Tls {
  bool on = false;
  std::string ca_file;              // PEM; empty: the system's
  std::string cert_file, key_file;  // PEM, of ourselves; both or neither
  std::string server_name;          // empty: the endpoint's host
};

enum class Kind : std::uint8_t { single, sentinel, cluster };

struct Settings {
  Kind kind = Kind::single;
  std::vector<Endpoint> endpoints;  // one, or any of the sentinels or of the cluster's nodes
  std::string master;               // of a sentinel
  std::string user, password;       // an empty password: no AUTH; an empty user: Redis' default
  std::string sentinel_password;    // sentinels are asked without one unless it is set
  std::uint32_t db = 0;             // 0 in a cluster
  Tls tls;

  std::uint64_t connect_timeout_ms = 5'000;  // TCP, TLS, AUTH and SELECT together
  // Without a byte for this long while an answer is due, or a PING's is: the link is taken for dead.
  std::uint64_t answer_timeout_ms = 5'000;
  std::uint64_t ping_interval_ms = 2'000;  // of an idle link
  std::uint64_t first_retry_ms = 50;       // doubled each time, with jitter, up to:
  std::uint64_t last_retry_ms = 1'000;
  // Bytes of commands that wait to leave or to be answered. More: a command fails at once.
  std::size_t max_pending_bytes = 64 * 1024 * 1024;
  // One answer in memory. The longest that is asked for is a stream from end to end: 10 000 entries of the
  // adapter's default take 10 MB of their own, and may carry 12 KiB each. More, and the link is dropped.
  std::size_t max_reply_bytes = 128 * 1024 * 1024;
};

// Settings, or what is wrong with the URL. The password is in no message.
std::variant<Settings, std::string> parse_url(std::string_view url);
// What is wrong with the files that TLS needs, or nothing.
std::optional<std::string> check_tls(const Tls& tls);
// As it may be shown: scheme, endpoints, master, db; neither user nor password.
std::string shown(const Settings& settings);
std::string shown(const Endpoint& endpoint);  // host:port, [v6]:port or unix:/path

}  // namespace limpet::redis
