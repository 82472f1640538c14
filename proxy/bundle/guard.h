// Guard: the small process between the bundle and one of its children: `limpet guard 3 PROGRAM ARGS...`.
//
// Makes the program a process group of its own, hands on signals and, at the end, how it ended. The lifeline,
// a socket, tells it to end everything under it: when it closes, as the bundle has died, SIGTERM and a little
// later SIGKILL; on the byte kKillAll SIGKILL at once. One that somebody stopped is woken by the bundle's
// death. Nothing outlives a guard: it adopts what its program leaves behind. If it is killed itself, the
// program dies with it (parent-death signal), and what that had started comes to the bundle. One thread, no
// loop.
#pragma once

#include <sys/types.h>

#include <vector>

namespace limpet::bundle {

inline constexpr const char* kGuardWord = "guard";
inline constexpr char kKillAll = 'K';

// argv: the lifeline's number, the program, its arguments. Does not return but on a usage error. The guard
// writes the program's pid to the lifeline, in decimal with a line end.
int run_guard(int argc, char** argv);

std::vector<pid_t> direct_children();  // of the calling thread's process; empty where /proc does not tell

}  // namespace limpet::bundle
