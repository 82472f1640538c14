// Handlers: what a program's callables may look like, and the one shape that the library keeps of each.
//
// on(event, f): f may take any of (), (args), (args, ack), (socket), (socket, args), (socket, args, ack), and
// may be a coroutine (return Task<>). args is `const Args&`, ack is `Ack`, socket is `Socket&`.
//
// use(f), of who joins: f may take (socket, next), or (socket) and return an optional<Refusal> or a Task of
// one. Of events: the same with (event) or (socket, event) in the place of (socket); event is `Incoming&`.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "backend/codec/args.h"
#include "backend/socketio/ack.h"
#include "backend/socketio/task.h"

namespace limpet::socketio {

class Socket;

using EventHandler = std::function<void(Socket&, const Args&, const Ack&)>;
using AnyHandler = std::function<void(Socket&, std::string_view event, const Args&)>;
using ConnectHandler = std::function<void(Socket&)>;
using LeaveHandler = std::function<void(Socket&, std::string_view reason)>;

// Names one handler of one socket or namespace, for off().
enum class HandlerId : std::uint32_t { none };

// Why a client may not join a namespace: what its `connect_error` shows. `data` null: none is sent. Or why an
// event does not reach its handlers: what on_error() is told.
struct Refusal {
  std::string message;
  boost::json::value data;
};
using ErrorHandler = std::function<void(Socket&, const Refusal&)>;

// What a middleware calls, once, now or later: with nothing to let the socket in, or the event through.
class Next {
 public:
  using Done = std::function<void(std::optional<Refusal>)>;
  enum class Dropped : std::uint8_t { refuses, says_nothing };  // uncalled
  explicit Next(Done done, Dropped dropped = Dropped::refuses)
      : state_(std::make_shared<State>(std::move(done), dropped)) {}
  void operator()() const { state_->finish(std::nullopt); }
  void operator()(Refusal refusal) const { state_->finish(std::move(refusal)); }

 private:
  struct State {
    State(Done d, Dropped e) : done(std::move(d)), dropped(e) {}
    State(const State&) = delete;
    ~State() {
      if (dropped == Dropped::refuses) finish(Refusal{"Internal server error", nullptr});
    }
    void finish(std::optional<Refusal> refusal) {
      if (const Done call = std::exchange(done, {})) call(std::move(refusal));
    }
    Done done;
    const Dropped dropped;
  };
  std::shared_ptr<State> state_;
};
using Middleware = std::function<void(Socket&, Next)>;

// An event on its way to its handlers. A middleware may change it, or answer it.
struct Incoming {
  std::string name;
  Args args;
  Ack ack;
};
// Of each event, before its handlers. It goes on when each in turn has called its Next; with a refusal
// on_error() is told instead; a Next that is dropped drops the event without a word. Events overtake one that
// is thought about, and each that is keeps its arguments: Limits::events_per_second bounds how many.
using EventMiddleware = std::function<void(Socket&, Incoming&, Next)>;

namespace detail {

void run(Task<> task, Socket& socket, const char* where);  // keeps the socket; tells Options::on_exception

template <class F>
decltype(auto) call(F& f, Socket& socket, const Args& args, const Ack& ack) {
  if constexpr (std::is_invocable_v<F&, Socket&, const Args&, const Ack&>)
    return f(socket, args, ack);
  else if constexpr (std::is_invocable_v<F&, Socket&, const Args&>)
    return f(socket, args);
  else if constexpr (std::is_invocable_v<F&, const Args&, const Ack&>)
    return f(args, ack);
  else if constexpr (std::is_invocable_v<F&, const Args&>)
    return f(args);
  else if constexpr (std::is_invocable_v<F&, Socket&>)
    return f(socket);
  else
    return f();
}

// The frame of this coroutine holds what the handler's own refers to.
template <class F>
Task<> hold(std::shared_ptr<F> f, Socket& socket, Args args, Ack ack) {
  co_await call(*f, socket, args, ack);
}

}  // namespace detail

template <class F>
EventHandler event_handler(F f) {
  using Result = decltype(detail::call(f, std::declval<Socket&>(), std::declval<const Args&>(),
                                       std::declval<const Ack&>()));
  if constexpr (std::is_same_v<Result, Task<>>) {
    return [f = std::make_shared<F>(std::move(f))](Socket& socket, const Args& args, const Ack& ack) {
      detail::run(detail::hold(f, socket, args, ack), socket, "handler");
    };
  } else {
    return [f = std::move(f)](Socket& socket, const Args& args, const Ack& ack) mutable {
      detail::call(f, socket, args, ack);
    };
  }
}

namespace detail {

inline void settle(const Next& next, std::optional<Refusal> refusal) {
  refusal ? next(std::move(*refusal)) : next();
}

// f(socket, what...) returns an optional<Refusal> or a Task of one.
template <class... What, class F>
auto asking(F f) {
  using Result = std::invoke_result_t<F&, Socket&, What&...>;
  if constexpr (std::is_same_v<Result, Task<std::optional<Refusal>>>) {
    return [f = std::make_shared<F>(std::move(f))](Socket& socket, What&... what, Next next) {
      auto ask = [](std::shared_ptr<F> asked, Socket& who, What&... about, Next then) -> Task<> {
        std::optional<Refusal> refusal = co_await (*asked)(who, about...);
        settle(then, std::move(refusal));
      };
      run(ask(f, socket, what..., std::move(next)), socket, "middleware");
    };
  } else {
    return [f = std::move(f)](Socket& socket, What&... what, const Next& next) mutable {
      settle(next, f(socket, what...));
    };
  }
}

}  // namespace detail

template <class F>
Middleware middleware(F f) {
  if constexpr (std::is_invocable_v<F&, Socket&, Next>)
    return Middleware(std::move(f));
  else
    return detail::asking(std::move(f));
}

template <class F>
EventMiddleware event_middleware(F f) {
  if constexpr (std::is_invocable_v<F&, Socket&, Incoming&, Next>) {
    return EventMiddleware(std::move(f));
  } else if constexpr (std::is_invocable_v<F&, Incoming&, Next>) {
    return [f = std::move(f)](Socket&, Incoming& event, Next next) mutable { f(event, std::move(next)); };
  } else if constexpr (std::is_invocable_v<F&, Incoming&>) {
    return detail::asking<Incoming>(
        [f = std::move(f)](Socket&, Incoming& event) mutable { return f(event); });
  } else {
    return detail::asking<Incoming>(std::move(f));
  }
}

// on_error(f): f(socket, refusal) or f(socket, message).
template <class F>
ErrorHandler error_handler(F f) {
  if constexpr (std::is_invocable_v<F&, Socket&, const Refusal&>) {
    return ErrorHandler(std::move(f));
  } else {
    return [f = std::move(f)](Socket& socket, const Refusal& refusal) mutable {
      f(socket, std::string_view(refusal.message));
    };
  }
}

}  // namespace limpet::socketio
