// derive: the documents that the bundle's children read, made of the one that its owner wrote. Text to text:
// what is not the bundle's own stays as it was written, keys of later versions included.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::config {

struct BundleProxy {
  std::vector<std::pair<std::string, std::string>> servers;  // of the bundle's pool: id, address
  bool cookie = false;                                       // sids of these servers do not name them
  std::string listener;                                      // if the document has none
  std::string admin;                                         // the proxy's own, which is not the bundle's
  bool quiet = false;  // no access log, unless the document says otherwise
  Duration drain_timeout{};
};

// Of a document that load_text() has accepted; empty text is one.
std::string proxy_document(std::string_view owners, const BundleProxy& bundle);
// `redis`: where the nodes are joined, and by which adapter; empty: that is left to flags.
std::string node_document(std::string_view owners, std::string_view redis = {},
                          BundleAdapter adapter = BundleAdapter::redis_streams);

}  // namespace limpet::config
