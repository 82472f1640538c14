// NodeService: `limpet node`: one process from its settings to its exit code.
//
// Lives on the main thread, which runs the node's one event loop. Signals, the log and the supervisor are
// here; what clients see is backend/app's.
#pragma once

#include <memory>

#include "proxy/config/config.h"

namespace limpet {

class NodeService {
 public:
  explicit NodeService(const config::Config& config);
  ~NodeService();
  // 0 after a shutdown in which every session ended in time, 1 if some were cut or it could not start.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet
