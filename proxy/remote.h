// Remote: what the command line does with a running proxy, over its admin address. Blocking; prints to
// standard output, errors to standard error; each returns the exit code.
#pragma once

#include <string>

namespace limpet {

struct Remote {
  std::string file;     // -c: its [admin] address
  std::string address;  // --admin, as in the file
  bool json = false;
};

int show_status(const Remote& remote);
// `server` is [POOL/]ID; an ID alone must be in one pool only. `verb`: "drain" or "ready".
int operate(const Remote& remote, const std::string& server, const std::string& verb);

}  // namespace limpet
