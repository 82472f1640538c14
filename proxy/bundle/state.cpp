#include "proxy/bundle/state.h"

namespace limpet::bundle {

bool allowed(State from, State to) {
  switch (to) {
    case State::waiting: return from != State::waiting;
    case State::starting: return from == State::waiting || from == State::held;
    case State::ready: return from == State::starting;
    case State::hung: return from == State::starting || from == State::ready;
    case State::stopping: return from == State::starting || from == State::ready || from == State::hung;
    case State::held:
      return from == State::starting || from == State::ready || from == State::hung || from == State::waiting;
    case State::stopped: return from != State::stopped;
  }
  return false;
}

std::string_view name(State state) {
  switch (state) {
    case State::waiting: return "waiting";
    case State::starting: return "starting";
    case State::ready: return "ready";
    case State::hung: return "hung";
    case State::stopping: return "stopping";
    case State::held: return "held";
    case State::stopped: break;
  }
  return "stopped";
}

bool runs(State state) {
  return state == State::starting || state == State::ready || state == State::hung ||
         state == State::stopping;
}

}  // namespace limpet::bundle
