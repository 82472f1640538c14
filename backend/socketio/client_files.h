// ClientFiles: the official client's bundles for browsers, below the path of Socket.IO, as Node.js's server
// has them (`serveClient`): /socket.io/socket.io.js, .min.js, .esm.min.js, .msgpack.min.js and their maps.
//
// limpet ships no client: they are read once, at the start, from a folder such as
// node_modules/socket.io-client/dist, and compressed once. The ETag is the client's version. Owned by its
// Server, on whose loop's thread it lives.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "backend/engine/server.h"
#include "backend/http/server.h"

namespace limpet::socketio {

class ClientFiles final : public http::Handler {
 public:
  // Throws std::runtime_error if the folder has no socket.io.js, or a file that cannot be read or is over 8
  // MiB. `path` is that of Socket.IO.
  ClientFiles(const std::string& folder, std::string path, engine::Cors cors);
  void route(http::Server& http);  // to this, which outlives its requests

  void on_request(http::Exchange& exchange) override;

 private:
  struct File {
    std::string_view type;
    std::string plain, gzip, deflate;
  };
  void answer(http::Exchange& exchange, const File& file) const;
  void answer_preflight(http::Exchange& exchange) const;

  std::string path_;  // with its last slash
  const engine::Cors cors_;
  std::map<std::string, File, std::less<>> files_;  // by name
  std::string etag_;                                // with its quotation marks
};

}  // namespace limpet::socketio
