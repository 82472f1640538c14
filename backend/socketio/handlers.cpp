#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio::detail {

void run(Task<> task, Socket& socket, const char* where) {
  const NamespacePtr nsp(&socket.nsp());
  start(std::move(task), [keep = SocketPtr(&socket), nsp, where](const std::exception_ptr& failure) {
    if (auto* server = nsp->impl().server) server->report(where, failure);
  });
}

}  // namespace limpet::socketio::detail
