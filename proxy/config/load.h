// load: a TOML file to a checked Config, or every reason why not. No exceptions, no logging, no sockets.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::config {

// What is wrong and what is accepted. Line and column count from 1; what is wrong with a file as a whole
// stands at 1:1, and a file that cannot be read has no place: 0.
struct Problem {
  int line = 0;
  int column = 0;
  std::string message;  // control bytes of the file are escaped in it
};

struct Loaded {
  std::shared_ptr<const Config> config;  // null if there are problems
  std::vector<Problem> problems;  // of TOML's syntax the first, of everything else all, in the file's order
  std::vector<Problem> warnings;
};

// The bytes of a file, of at most 16 MiB.
std::variant<std::string, Problem> read_file(const std::string& path);
Loaded load_file(const std::string& path);
Loaded load_text(std::string_view toml, std::string name);

std::string format(std::string_view file, const Problem& problem);  // "limpet.toml:14:3: ..."

// Every key that is accepted. Tables are written "proxy", "listener", "pool.NAME.cookie"; a server that is
// written as a table is "pool.NAME.servers".
struct KeyDoc {
  std::string_view table;
  std::string_view key;
  std::string_view standard;  // the default as it is written in a file; empty: unset, or required
};
std::span<const KeyDoc> known_keys();

// "10.0.0.1:80", "[::1]:80", "name:80", "unix:/path".
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace limpet::config
