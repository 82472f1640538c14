// Api: the admin's requests and their answers. Control thread; no sockets.
//
//   GET  /ready                             200 or 503
//   GET  /status                            JSON
//   GET  /metrics                           Prometheus text, version 0.0.4
//   POST /pools/POOL/servers/ID/drain       no new sessions; those that it has are served
//   POST /pools/POOL/servers/ID/ready       back to what health says
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/views.h"

namespace limpet::admin {

struct Reply {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::string allow;  // of a 405
};

// The process, as far as admin may see and ask. Control thread.
class Source {
 public:
  virtual ~Source() = default;
  virtual bool ready() = 0;
  virtual StatusView status() = 0;
  virtual std::vector<Metric> metrics() = 0;
  // True: it takes this request over, and `then` is called with the answer, once, now or later, on this
  // thread. That may be after the server's end.
  virtual bool take(std::string_view, std::string_view, const std::function<void(Reply)>&) { return false; }
  enum class Found : std::uint8_t { done, no_pool, no_server };
  virtual Found set_draining(std::string_view pool, std::string_view server, bool draining) = 0;
};

Reply answer(Source& source, std::string_view method, std::string_view path);

std::string status_json(const StatusView& status);
std::string metrics_text(const std::vector<Metric>& metrics);

}  // namespace limpet::admin
