// Task: a coroutine that starts when it is awaited, or at once by start(). One loop's thread.
//
//   nsp.on("ask", [](Socket& socket, const Args& args, Ack ack) -> Task<> {
//     Reply reply = co_await socket.emit_with_ack("really?", args, 1'000);
//     ack(reply.ok() ? reply.args : Args{"no"});
//   });
//
// The library keeps the callable, the socket and the arguments of a handler that is a coroutine until it has
// ended.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace limpet::socketio {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> waiting;  // who awaits us
  std::exception_ptr failure;

  struct Last {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      auto next = self.promise().waiting;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Last final_suspend() noexcept { return {}; }
  void unhandled_exception() { failure = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T v) { value = std::move(v); }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  Task(Task&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(self_, other.self_);
    return *this;
  }
  ~Task() {
    if (self_) self_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
    self_.promise().waiting = waiting;
    return self_;
  }
  T await_resume() { return self_.promise().take(); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> self) : self_(self) {}
  std::coroutine_handle<promise_type> self_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// Runs by itself and frees itself.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace detail

// Runs a task by itself; `failed` is told of an exception that leaves it.
inline void start(Task<> task, std::function<void(std::exception_ptr)> failed = {}) {
  [](Task<> t, std::function<void(std::exception_ptr)> on_failure) -> detail::Detached {
    try {
      co_await t;
    } catch (...) {
      if (on_failure) on_failure(std::current_exception());
    }
  }(std::move(task), std::move(failed));
}

// A value that somebody else brings: `co_await Pending<T>([&](auto done) { call_me_back(done); })`. `done`
// must be called once, from within or later; everything in this library that takes a completion does so, its
// end included.
template <class T>
class Pending {
 public:
  using Done = std::function<void(T)>;
  explicit Pending(std::function<void(Done)> begin) : begin_(std::move(begin)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    begin_([this, waiting](T value) {
      value_ = std::move(value);
      if (suspended_) waiting.resume();
    });
    suspended_ = !value_.has_value();
    return suspended_;
  }
  T await_resume() { return std::move(*value_); }

 private:
  std::function<void(Done)> begin_;
  std::optional<T> value_;
  bool suspended_ = false;
};

}  // namespace limpet::socketio
