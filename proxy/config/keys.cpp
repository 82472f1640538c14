// Every key that is accepted, with its default as a file would write it. limpet.toml(5), examples/limpet.toml
// and this table name the same keys, and config.h the same defaults; tests hold them together.
#include "proxy/config/load.h"

namespace limpet::config {
namespace {

constexpr KeyDoc kKeys[] = {
    {"proxy", "workers", "0"},
    {"proxy", "cpu_affinity", "\"off\""},
    {"proxy", "accept_balance", "\"hash\""},
    {"proxy", "max_connections", "0"},
    {"proxy", "trusted_proxies", "[]"},
    {"proxy", "shutdown_delay", "\"0s\""},
    {"proxy", "drain_timeout", "\"30s\""},
    {"proxy", "hash_seed", ""},
    {"proxy", "via", "false"},
    {"listener", "address", ""},
    {"listener", "ready_path", ""},
    {"route", "hosts", ""},
    {"route", "path", "\"/\""},
    {"route", "pool", ""},
    {"pool.NAME", "servers", ""},
    {"pool.NAME", "affinity", "[\"sid\", \"cookie\", \"source\"]"},
    {"pool.NAME", "balance", "\"source\""},
    {"pool.NAME", "bounded_load", "1.25"},
    {"pool.NAME", "on_lost", "\"redispatch\""},
    {"pool.NAME", "max_connections", "0"},
    {"pool.NAME", "source_addresses", "[]"},
    {"pool.NAME", "engineio", "true"},
    {"pool.NAME", "fast_open", "false"},
    {"pool.NAME.servers", "id", ""},
    {"pool.NAME.servers", "address", ""},
    {"pool.NAME.servers", "weight", "1"},
    {"pool.NAME.servers", "max_connections", "50000"},
    {"pool.NAME.servers", "backup", "false"},
    {"pool.NAME.cookie", "mode", "\"insert\""},
    {"pool.NAME.cookie", "on", "\"session\""},
    {"pool.NAME.cookie", "name", "\"io\""},
    {"pool.NAME.cookie", "path", "\"/\""},
    {"pool.NAME.cookie", "domain", ""},
    {"pool.NAME.cookie", "same_site", "\"lax\""},
    {"pool.NAME.cookie", "secure", "\"auto\""},
    {"pool.NAME.cookie", "http_only", "true"},
    {"pool.NAME.cookie", "max_age", ""},
    {"pool.NAME.cookie", "partitioned", "false"},
    {"pool.NAME.health", "type", "\"http\""},
    {"pool.NAME.health", "path", "\"/health\""},
    {"pool.NAME.health", "method", "\"GET\""},
    {"pool.NAME.health", "host", ""},
    {"pool.NAME.health", "headers", "{}"},
    {"pool.NAME.health", "expect", "200"},
    {"pool.NAME.health", "body", ""},
    {"pool.NAME.health", "interval", "\"2s\""},
    {"pool.NAME.health", "fast_interval", "\"500ms\""},
    {"pool.NAME.health", "timeout", "\"1s\""},
    {"pool.NAME.health", "jitter", "0.1"},
    {"pool.NAME.health", "rise", "2"},
    {"pool.NAME.health", "fall", "3"},
    {"pool.NAME.health", "port", ""},
    {"pool.NAME.health", "slow_start", "\"10s\""},
    {"pool.NAME.health", "on_down", "\"keep\""},
    {"pool.NAME.timeouts", "connect", "\"1s\""},
    {"pool.NAME.timeouts", "handshake", "\"2s\""},
    {"pool.NAME.timeouts", "response", "\"60s\""},
    {"pool.NAME.timeouts", "tunnel_idle", "\"1h\""},
    {"pool.NAME.timeouts", "keep_alive", "\"4s\""},
    {"limits", "head_bytes", "\"16KiB\""},
    {"limits", "head_fields", "100"},
    {"limits", "target_bytes", "\"8KiB\""},
    {"limits", "body_bytes", "\"128MiB\""},
    {"limits", "head_timeout", "\"10s\""},
    {"limits", "idle_timeout", "\"75s\""},
    {"limits", "sid_entries", "1000000"},
    {"log", "level", "\"info\""},
    {"log", "file", ""},
    {"log", "format", "\"text\""},
    {"log", "access", "\"on\""},
    {"log", "query", "\"off\""},
    {"admin", "address", ""},
};

}  // namespace

std::span<const KeyDoc> known_keys() {
  return kKeys;
}

}  // namespace limpet::config
