#include "proxy/discovery/found.h"

#include <algorithm>
#include <unordered_map>

#include "routing/server.h"

namespace limpet::discovery {
namespace {

config::Server server_at(const wire::IpAddress& ip, const config::Server& name) {
  config::Server server = name;
  server.address = {config::Endpoint::Kind::ip, ip.text(), name.address.port, {}};
  server.id = server.address.host + ":" + std::to_string(server.address.port);  // as if it were written so
  return server;
}

class Pool {
 public:
  Pool(config::Pool& pool, std::vector<std::string>& left_out) : pool_(pool), left_out_(left_out) {
    for (const config::Server& each : pool.servers) {
      note(each.id, "a server of the file");
      written_.emplace(each.address.text(), each.id);
    }
  }

  // The first one of an id is the server: what is written, then the names in their order.
  void add(const config::Server& name, std::span<const wire::IpAddress> addresses) {
    for (const wire::IpAddress& each : addresses) {
      config::Server server = server_at(each, name);
      const std::string tag = routing::server_tag(server.id);
      if (const auto other = by_tag_.find(tag); other != by_tag_.end()) {
        const auto& [id, owner] = other->second;
        left_out_.push_back("pool " + pool_.name + ": " + server.id + " of " + name.id +
                            (id == server.id ? " is the id of " : " has the tag of " + id + ", ") + owner +
                            ", so that it is no server of its own");
        continue;
      }
      if (const auto same = written_.find(server.address.text()); same != written_.end()) {
        left_out_.push_back("pool " + pool_.name + ": " + server.id + " of " + name.id +
                            " is the address of " + same->second +
                            ", a server of the file, so that it is no server of its own");
        continue;
      }
      note(server.id, name.id);
      pool_.servers.push_back(std::move(server));
    }
  }

 private:
  struct Holder {
    std::string id;
    std::string owner;
  };
  void note(const std::string& id, const std::string& owner) {
    by_tag_.emplace(routing::server_tag(id), Holder{id, owner});
  }

  config::Pool& pool_;
  std::vector<std::string>& left_out_;
  std::unordered_map<std::string, Holder> by_tag_;
  std::unordered_map<std::string, std::string> written_;  // address to id
};

}  // namespace

Whole with_found(const std::shared_ptr<const config::Config>& written, const AddressesOf& addresses_of) {
  const auto named = [](const config::Pool& pool) { return !pool.names.empty(); };
  if (std::none_of(written->pools.begin(), written->pools.end(), named)) return {written, {}};
  Whole whole;
  auto config = std::make_shared<config::Config>(*written);
  for (config::Pool& each : config->pools) {
    Pool pool(each, whole.left_out);
    for (const config::Server& name : each.names) pool.add(name, addresses_of(name.address.host));
  }
  whole.config = std::move(config);
  return whole;
}

}  // namespace limpet::discovery
