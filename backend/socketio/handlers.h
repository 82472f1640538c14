// Handlers: what a program's callables may look like, and the one shape that the library keeps of each.
//
// on(event, f): f may take any of (), (args), (args, ack), (socket), (socket, args), (socket, args, ack), and
// may be a coroutine (return Task<>). args is `const Args&`, ack is `Ack`, socket is `Socket&`.
#pragma once

#include <boost/json/value.hpp>
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

// Why a client may not join a namespace: what its `connect_error` shows. `data` null: none is sent.
struct Refusal {
  std::string message;
  boost::json::value data;
};

// What a middleware calls, once, now or later: with nothing to let the socket in. Dropped uncalled, it
// refuses.
class Next {
 public:
  using Done = std::function<void(std::optional<Refusal>)>;
  explicit Next(Done done) : state_(std::make_shared<State>(std::move(done))) {}
  void operator()() const { state_->finish(std::nullopt); }
  void operator()(Refusal refusal) const { state_->finish(std::move(refusal)); }

 private:
  struct State {
    explicit State(Done d) : done(std::move(d)) {}
    State(const State&) = delete;
    ~State() { finish(Refusal{"Internal server error", nullptr}); }
    void finish(std::optional<Refusal> refusal) {
      if (const Done call = std::exchange(done, {})) call(std::move(refusal));
    }
    Done done;
  };
  std::shared_ptr<State> state_;
};
using Middleware = std::function<void(Socket&, Next)>;

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

// use(f): f(socket, next) or f(socket), which returns an optional<Refusal> or a Task of one.
template <class F>
Middleware middleware(F f) {
  if constexpr (std::is_invocable_v<F&, Socket&, Next>) {
    return Middleware(std::move(f));
  } else if constexpr (std::is_same_v<std::invoke_result_t<F&, Socket&>, Task<std::optional<Refusal>>>) {
    return [f = std::make_shared<F>(std::move(f))](Socket& socket, Next next) {
      auto ask = [](std::shared_ptr<F> asked, Socket& who, Next then) -> Task<> {
        std::optional<Refusal> refusal = co_await (*asked)(who);
        refusal ? then(std::move(*refusal)) : then();
      };
      detail::run(ask(f, socket, std::move(next)), socket, "middleware");
    };
  } else {
    return [f = std::move(f)](Socket& socket, const Next& next) mutable {
      std::optional<Refusal> refusal = f(socket);
      refusal ? next(std::move(*refusal)) : next();
    };
  }
}

}  // namespace limpet::socketio
