// Blueprint: what the bundle's children are: their commands, environments, files and checks. Pure: made of
// the configuration and of what this machine gave (folder, ports, passwords).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "health/settings.h"
#include "proxy/bundle/overview.h"
#include "proxy/config/config.h"

namespace limpet::bundle {

// How a child is asked whether it lives.
struct Check {
  enum class Type : std::uint8_t { http, redis } type = Type::http;
  config::Endpoint address;
  health::Settings http;
  std::string password;                // redis; empty: none
  std::uint64_t starting_ms = 100;     // between checks until the first that is answered
  std::uint64_t interval_ms = 500;     // afterwards
  std::uint32_t silent_most = 3;       // unanswered in a row: it hangs
  std::uint64_t patience_ms = 60'000;  // for the first answer
  std::uint64_t unwell_ms = 30'000;    // of answers that are wrong: it is replaced
};

struct ChildSpec {
  std::string id;
  Kind kind = Kind::node;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value"
  Check check;
  std::string address;  // for people
  std::string admin;    // of a node, or of the proxy
};

// What this machine gave.
struct Site {
  std::string folder;
  std::vector<std::string> environment;  // as the bundle found it
  std::string listener;                  // where the proxy listens if no file says so
  std::string redis_password;            // of a managed Redis with a port
  std::uint16_t redis_port = 0;          // 0: a socket alone
  std::string redis_url;                 // of somebody else's, as it is written in a URL; empty: managed
};

class Blueprint {
 public:
  // `owners`: the document that `config` was read from.
  Blueprint(std::shared_ptr<const config::Config> config, std::string owners, Site site);
  // Another document, whose [bundle] differs in nothing but the number of nodes.
  void adopt(std::shared_ptr<const config::Config> config, std::string owners);

  bool manages_redis() const { return site_.redis_url.empty(); }
  bool own_nodes() const { return bundle_.command.empty(); }

  ChildSpec redis() const;
  std::string redis_document() const;  // redis.conf
  // The n-th, from 1. `port` is its own, 0: a Unix socket.
  ChildSpec node(std::uint32_t number, std::uint16_t port) const;
  std::string node_document() const;  // node.toml
  ChildSpec proxy() const;
  std::string proxy_document(const std::vector<ChildSpec>& nodes) const;  // limpet.toml
  std::vector<std::pair<std::string, std::string>> files() const;  // name and text, but for limpet.toml

  // What visitors of public addresses can do; one line an address.
  std::vector<std::string> warnings() const;

 private:
  std::string file(std::string_view name) const { return site_.folder + "/" + std::string(name); }
  std::vector<std::string> environment() const;
  std::string url_for_commands() const;
  std::string redis_of_nodes() const;  // as `limpet node` takes it

  std::shared_ptr<const config::Config> config_;
  const config::Bundle bundle_;
  std::string owners_;
  const Site site_;
};

}  // namespace limpet::bundle
