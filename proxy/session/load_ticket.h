// LoadTicket: a request in flight, as its server's load counts it, for as long as the ticket lives.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "routing/server.h"

namespace limpet::session {

class LoadTicket {
 public:
  LoadTicket() = default;  // of no server
  // Empty if the server has `most` already; 0: no bound.
  static LoadTicket take(std::shared_ptr<routing::Server> server, std::uint32_t most) {
    LoadTicket ticket;
    if (server->load.in_use.begin_request() > most && most != 0) {
      server->load.in_use.end_request();
      return ticket;
    }
    server->load.requests_total.fetch_add(1, std::memory_order_relaxed);
    ticket.server_ = std::move(server);
    return ticket;
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
    server_->load.in_use.end_request();
    server_.reset();
  }
  // The request has become a tunnel, which its record counts from here on.
  std::shared_ptr<routing::Server> become_tunnel() {
    server_->load.in_use.become_tunnel();
    return std::move(server_);
  }
  routing::Server* operator->() const { return server_.get(); }
  routing::Server& operator*() const { return *server_; }
  explicit operator bool() const { return server_ != nullptr; }

 private:
  std::shared_ptr<routing::Server> server_;
};

}  // namespace limpet::session
