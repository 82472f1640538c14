#include "proxy/remote.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <optional>
#include <vector>

#include "proxy/admin/client.h"
#include "proxy/config/load.h"
#include "proxy/endpoint.h"
#include "proxy/load_config.h"
#include "proxy/log/escape.h"

namespace limpet {
namespace {

namespace json = boost::json;

constexpr std::string_view kNotOurs = "the answer is not limpet's; is this its [admin] address?";

// What another process wrote must not reach a terminal's controls.
std::string shown(std::string_view text) {
  return log::escaped(text, log::Style::message, 4096);
}

int complain(std::string_view what) {
  std::cerr << "limpet: " << what << '\n';
  return 1;
}

// Where a running limpet put its socket when its file names none: its environment need not be ours. A file
// that neither root nor this user owns may be anybody's, and is passed over.
std::string running_admin_path() {
  const std::vector<std::string> candidates = config::admin_paths();
  for (const std::string& each : candidates) {
    struct stat info;
    if (::lstat(each.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) continue;
    const bool ours = info.st_uid == 0 || info.st_uid == ::geteuid();
    const bool in_system_folder = each.starts_with("/run/") && ::geteuid() == 0;
    if (ours || in_system_folder) return each;
  }
  return candidates.front();
}

std::optional<net::Address> admin_address(const Remote& remote) {
  config::Endpoint endpoint;
  if (!remote.address.empty()) {
    const auto parsed = config::parse_endpoint(remote.address);
    if (!parsed || parsed->kind == config::Endpoint::Kind::name) {
      complain("--admin " + shown(remote.address) + ": not an address; write unix:/path or 127.0.0.1:port");
      return std::nullopt;
    }
    endpoint = *parsed;
  } else {
    const auto config = remote.file.empty() ? nullptr : load_config(remote.file);
    if (!config && !remote.file.empty()) return std::nullopt;
    if (config && !config->admin.by_default) {
      endpoint = config->admin.address;
    } else {
      endpoint.kind = config::Endpoint::Kind::unix_socket;
      endpoint.path = running_admin_path();
    }
  }
  const auto address = to_address(endpoint);
  if (!address) complain(endpoint.text() + ": the path is too long for a Unix socket");
  return address;
}

// The body of a 200 or 202; anything else is told.
std::optional<std::string> body_of(const net::Address& address, admin::Fetched answer) {
  if (answer.status == 0) {
    complain(answer.error + " (is limpet running, and is this its [admin] address?)");
    return std::nullopt;
  }
  if (answer.status == 200 || answer.status == 202) return std::move(answer.body);
  boost::system::error_code bad;
  const json::value body = json::parse(answer.body, bad);
  const json::value* message = bad || !body.is_object() ? nullptr : body.as_object().if_contains("error");
  complain(message && message->is_string()
               ? shown(message->as_string())
               : address.text() + ": answered with status " + std::to_string(answer.status));
  return std::nullopt;
}

struct ServerLine {
  std::string pool, id, state, reason, tunnels, requests;
  std::uint64_t state_for_ms = 0;
};
struct StatusText {
  std::string version, stage, connections, max_connections, requests;
  bool ready = false;
  std::vector<ServerLine> servers;
  std::vector<std::string> empty_pools;  // their names have not resolved yet
};

std::string cell(const json::value& object, std::string_view key) {
  const json::value& value = object.at(key);
  return shown(value.is_string() ? std::string_view(value.as_string())
                                 : std::string_view(json::serialize(value)));
}

ServerLine read_server(const std::string& pool, const json::value& server) {
  const std::string wanted = cell(server, "wanted");
  return {pool,
          cell(server, "id"),
          wanted == "serving" ? cell(server, "state") : wanted,
          cell(server, "reason"),
          cell(server, "tunnels"),
          cell(server, "requests"),
          server.at("state_for_ms").to_number<std::uint64_t>()};
}

// Nothing if it is not what /status answers.
std::optional<StatusText> read_status(const std::string& text) try {
  const json::value status = json::parse(text);
  StatusText out{cell(status, "version"),
                 cell(status, "stage"),
                 cell(status, "connections"),
                 cell(status, "max_connections"),
                 cell(status, "requests_total"),
                 status.at("ready").as_bool(),
                 {},
                 {}};
  for (const json::value& pool : status.at("pools").as_array()) {
    if (pool.at("servers").as_array().empty()) out.empty_pools.push_back(cell(pool, "name"));
    for (const json::value& server : pool.at("servers").as_array()) {
      out.servers.push_back(read_server(cell(pool, "name"), server));
    }
  }
  return out;
} catch (const std::exception&) {
  complain(kNotOurs);
  return std::nullopt;
}

void print(const StatusText& status) {
  std::cout << "limpet " << status.version << ", " << status.stage << ", "
            << (status.ready ? "ready" : "not ready") << ", " << status.connections
            << " connections of at most " << status.max_connections << ", " << status.requests
            << " requests\n";
  std::printf("%-24s %-12s %-9s %8s %9s  %s\n", "SERVER", "STATE", "FOR", "TUNNELS", "REQUESTS", "REASON");
  for (const ServerLine& each : status.servers) {
    std::printf("%-24s %-12s %-9s %8s %9s  %s\n", (each.pool + "/" + each.id).c_str(), each.state.c_str(),
                duration_text(each.state_for_ms).c_str(), each.tunnels.c_str(), each.requests.c_str(),
                each.reason.c_str());
  }
  for (const std::string& each : status.empty_pools) std::printf("%s: no server yet\n", each.c_str());
}

// "ID" alone is looked up in all pools and must be in one only.
std::optional<std::string> full_name(const Remote& remote, const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto text = ask(remote, "GET", "/status");
  const auto status = text ? read_status(*text) : std::nullopt;
  if (!status) return std::nullopt;
  std::vector<std::string> found;
  for (const ServerLine& each : status->servers) {
    if (each.id == name) found.push_back(each.pool + "/" + name);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    complain("no pool has a server \"" + shown(name) + "\"");
  } else {
    std::string all;
    for (const std::string& each : found) all += ' ' + each;
    complain("server \"" + name + "\" is in several pools; name one:" + all);
  }
  return std::nullopt;
}

// What the proxy says that it has done.
bool confirms(const std::string& text, const std::string& full, std::string_view verb) try {
  const json::value done = json::parse(text);
  const std::string named = cell(done, "pool") + "/" + cell(done, "server");
  return named == full && cell(done, "wanted") == (verb == "drain" ? "draining" : "serving");
} catch (const std::exception&) {
  return false;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || c == ':';
    if (plain) {
      out += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof(escaped), "%%%02X", static_cast<unsigned char>(c));
      out += escaped;
    }
  }
  return out;
}

// Of a bundle whose proxy does not answer there is no status.
std::string with_bundle(const std::optional<std::string>& status, std::string_view bundle) {
  json::object out;
  if (status) out = json::parse(*status).as_object();
  out["bundle"] = json::parse(bundle);
  return json::serialize(out) + "\n";
}

}  // namespace

std::string duration_text(std::uint64_t ms) {
  const std::uint64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + "s";
  if (s < 7200) return std::to_string(s / 60) + "m";
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

std::optional<std::string> ask(const Remote& remote, std::string_view method, std::string_view path) {
  const auto address = admin_address(remote);
  return address ? body_of(*address, admin::fetch(*address, method, path)) : std::nullopt;
}

// The bundle first: it answers while its proxy starts, hangs or fails.
int show_status(const Remote& remote) {
  const auto address = admin_address(remote);
  if (!address) return 1;
  const admin::Fetched bundle = admin::fetch(*address, "GET", "/bundle");
  if (bundle.status == 0) {
    body_of(*address, bundle);
    return 1;
  }
  const auto children = bundle.status == 200 ? children_text(bundle.body) : std::nullopt;
  if (children && !remote.json) std::cout << *children << std::flush;
  const auto text = body_of(*address, admin::fetch(*address, "GET", "/status"));
  const auto status = text ? read_status(*text) : std::nullopt;
  if (remote.json) {
    if (children) std::cout << with_bundle(status ? text : std::nullopt, bundle.body);
    if (!children && status) std::cout << *text;
  } else if (status) {
    if (children) std::cout << '\n';
    print(*status);
  }
  return status ? 0 : 1;
}

int operate(const Remote& remote, const std::string& server, const std::string& verb) {
  const auto full = full_name(remote, server);
  if (!full) return 1;
  const std::size_t slash = full->find('/');
  const std::string path = "/pools/" + percent_encoded(full->substr(0, slash)) + "/servers/" +
                           percent_encoded(full->substr(slash + 1)) + "/" + verb;
  const auto text = ask(remote, "POST", path);
  if (!text) return 1;
  if (!confirms(*text, *full, verb)) return complain(kNotOurs);
  if (remote.json) {
    std::cout << *text;
  } else {
    std::cout << *full << (verb == "drain" ? ": draining, no new sessions\n" : ": ready\n");
  }
  return 0;
}

}  // namespace limpet
