// Remote: what the command line does with a running proxy, over its admin address. Blocking; prints to
// standard output, errors to standard error; each returns the exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpet {

struct Remote {
  std::string file;     // -c: its [admin] address
  std::string address;  // --admin, as in the file
  bool json = false;
};

// The body of a 200 or 202; anything else is told.
std::optional<std::string> ask(const Remote& remote, std::string_view method, std::string_view path);

std::string duration_text(std::uint64_t ms);  // "90s", "2h"

int show_status(const Remote& remote);
// `server` is [POOL/]ID; an ID alone must be in one pool only. `verb`: "drain" or "ready".
int operate(const Remote& remote, const std::string& server, const std::string& verb);
// What GET /bundle answered, as a table; nothing if it is not that.
std::optional<std::string> children_text(const std::string& overview);
// Of `limpet up`: begins an operation, "restart" or "scale/N", and waits for its end.
int run_operation(const Remote& remote, const std::string& what);

}  // namespace limpet
