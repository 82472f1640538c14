// State: where a child of the bundle is in its life. One enum, and Child::move_to() alone writes it.
//
//            waiting ──► starting ──► ready ──► hung
//               ▲           │           │         │   ended: back off, or held if it is a crash loop
//               ├───────────┴───────────┴─────────┤
//               └── stopping ◄── asked to end ────┴──► held ──► starting, once in a while
//                      └──► stopped
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::bundle {

enum class State : std::uint8_t {
  waiting,   // no process: until its next start
  starting,  // it has not answered yet
  ready,
  hung,      // its process lives and does not answer; it is being ended
  stopping,  // it was asked to end
  held,      // no process: it ended again and again; tried once in a while
  stopped,   // no process, and none is wanted
};

bool allowed(State from, State to);
std::string_view name(State state);
// A process is there.
bool runs(State state);

}  // namespace limpet::bundle
