// Launch: a program under a guard of its own (guard.h), with pipes for what it writes.
//
// From the main thread alone: a parent-death signal comes when the thread that forked ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

#include "proxy/net/fd.h"

namespace limpet::bundle {

// This program, in a command: whatever its file is called by now.
inline constexpr const char* kThisProgram = "/proc/self/exe";

struct Launched {
  pid_t guard = 0;
  net::Fd lifeline;  // closed, by whatever end of ours: the guard ends all that is under it
  net::Fd out, err;  // non-blocking
};
struct NotLaunched {
  std::string why;
};
std::variant<Launched, NotLaunched> launch(const std::vector<std::string>& command,
                                           const std::vector<std::string>& environment);

// The soft limit of descriptors to the hard one, for us alone: programs start with that which we were started
// with. Some close all that they might have, or can name only 1024.
void raise_own_descriptor_limit();

// Every direct child that is none of `known`: what guards that were killed left behind.
void kill_strays(const std::vector<pid_t>& known);

}  // namespace limpet::bundle
