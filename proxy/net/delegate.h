// Delegate: a member function bound to an object, two words, no allocation.
//
//   stream.wait_read(net::delegate<&Session::on_readable>(this));
#pragma once

namespace limpet::net {

struct Delegate {
  void (*call)(void*) = nullptr;
  void* self = nullptr;
  explicit operator bool() const { return call != nullptr; }
  void operator()() const { call(self); }
};

template <auto Member, class T>
Delegate delegate(T* self) {
  return {[](void* s) { (static_cast<T*>(s)->*Member)(); }, self};
}

}  // namespace limpet::net
