// LoadTicket: a request in flight, as its server's load counts it, for as long as the ticket lives.
#pragma once

#include <memory>
#include <utility>

#include "routing/server.h"

namespace limpet::session {

class LoadTicket {
 public:
  LoadTicket() = default;
  explicit LoadTicket(std::shared_ptr<routing::Server> server) : server_(std::move(server)) {
    server_->load.requests.fetch_add(1, std::memory_order_relaxed);
    server_->load.requests_total.fetch_add(1, std::memory_order_relaxed);
  }
  LoadTicket(LoadTicket&& other) noexcept : server_(std::move(other.server_)) {}
  LoadTicket& operator=(LoadTicket&& other) noexcept {
    if (this != &other) {
      release();
      server_ = std::move(other.server_);
    }
    return *this;
  }
  ~LoadTicket() { release(); }
  void release() {
    if (!server_) return;
    server_->load.requests.fetch_sub(1, std::memory_order_relaxed);
    server_.reset();
  }
  routing::Server* operator->() const { return server_.get(); }
  routing::Server& operator*() const { return *server_; }
  const std::shared_ptr<routing::Server>& server() const { return server_; }
  explicit operator bool() const { return server_ != nullptr; }

 private:
  std::shared_ptr<routing::Server> server_;
};

}  // namespace limpet::session
