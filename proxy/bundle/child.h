// Child: one program of the bundle: started, asked whether it lives, started again, ended.
//
// Owned by the Supervisor, on the main thread's loop. Its process is a guard (guard.h), its program's group
// is under that. move_to() alone changes the state; every end of the process passes through on_end().
#pragma once

#include <memory>
#include <string>

#include "proxy/bundle/blueprint.h"
#include "proxy/bundle/checker.h"
#include "proxy/bundle/launch.h"
#include "proxy/bundle/lines.h"
#include "proxy/bundle/overview.h"
#include "proxy/bundle/restarts.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace limpet::bundle {

class Child {
 public:
  // Whoever owns it: told of every change, from within; a Child outlives the call.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_state(Child& child, State from, State to) = 0;
    virtual void on_line(const Child& child, std::string_view line) = 0;
  };

  Child(net::Loop& loop, ChildSpec spec, Owner& owner);
  ~Child();
  Child(const Child&) = delete;

  void start();                           // now: from waiting, held or stopped
  void stop(std::uint64_t within_ms);     // SIGTERM, then force; stopped at its end
  void replace(std::uint64_t within_ms);  // likewise, and started again
  void kill();                            // by force, now
  void signal(int number);                // to the program
  void on_end(int status);                // the guard with this pid() was reaped

  const ChildSpec& spec() const { return spec_; }
  State state() const { return state_; }
  bool begun() const { return begun_; }  // somebody has started it at least once
  pid_t guard() const { return guard_; }
  bool failed() const { return restarts_ > 0 || state_ == State::held; }  // at least once
  bool forced() const { return forced_; }  // its last end was not of its own, or not clean
  ChildView view() const;

 private:
  class Pipe;

  void move_to(State next);
  void launch_now();
  void hear();
  void pass_over_gap();
  void check();
  void on_report(const Checker::Report& report);
  void silent(const std::string& what);
  void unfit(const Checker::Report& report);
  void well_again();
  void replace_hung();
  void on_force();
  void on_retry() { launch_now(); }
  void on_lifeline();
  void end_or_else(std::uint64_t within_ms);
  void try_again(const std::string& how, bool ran = true);

  net::Loop& loop_;
  const ChildSpec spec_;
  Owner& owner_;
  State state_ = State::stopped;
  std::uint64_t since_ms_;
  pid_t guard_ = 0;
  pid_t program_ = 0;
  std::uint32_t starts_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint32_t silent_ = 0;  // checks in a row
  std::uint64_t due_ms_ = 0;  // when the next check was to begin, or this one to be over at the latest
  bool wanted_ = false;       // after its end: again
  bool forced_ = false;
  bool said_unfit_ = false;
  bool begun_ = false;
  std::uint64_t unwell_since_ms_ = 0;  // ready, and its answers are wrong; 0: they are not
  std::string health_;
  Restarts policy_;
  net::Stream lifeline_;
  std::string said_;  // by the guard: the program's pid
  std::unique_ptr<Pipe> out_, err_;
  Checker checker_;
  net::Timer check_timer_, retry_timer_, force_timer_;
};

}  // namespace limpet::bundle
