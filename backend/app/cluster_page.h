// ClusterPage: a small page at / for who has just started a cluster: which node serves this tab, a chat
// between tabs, the nodes and their sessions. Three files, in the binary; nothing comes from elsewhere.
//
// Answers what no other handler takes; the rest it hands to `others`.
#pragma once

#include <string>
#include <string_view>

#include "backend/http/server.h"

namespace limpet::app {

class ClusterPage final : public http::Handler {
 public:
  // `path`: of Socket.IO, with its slashes. `others` outlives us.
  ClusterPage(std::string_view path, http::Handler& others);
  void on_request(http::Exchange& exchange) override;

 private:
  const std::string html_;
  http::Handler& others_;
};

// What it consists of (cluster_page_files.cpp); in the HTML "@PATH@" stands for the path of Socket.IO.
extern const std::string_view kClusterPageHtml, kClusterPageCss, kClusterPageJs;

}  // namespace limpet::app
