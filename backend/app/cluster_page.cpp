#include "backend/app/cluster_page.h"

namespace limpet::app {
namespace {

// Chat is what strangers write: nothing but our own files may run, and nobody may frame them.
constexpr std::string_view kFields =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-cache\r\n";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '<': out += "&lt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string with_path(std::string_view path) {
  constexpr std::string_view kHere = "@PATH@";
  std::string out(kClusterPageHtml);
  return out.replace(out.find(kHere), kHere.size(), escaped(path));
}

}  // namespace

ClusterPage::ClusterPage(std::string_view path, http::Handler& others)
    : html_(with_path(path)), others_(others) {}

void ClusterPage::on_request(http::Exchange& exchange) {
  const struct {
    std::string_view path, type, body;
  } files[] = {{"/", "text/html; charset=utf-8", html_},
               {"/limpet.css", "text/css; charset=utf-8", kClusterPageCss},
               {"/limpet.js", "text/javascript; charset=utf-8", kClusterPageJs}};
  const wire::RequestHead& head = exchange.head();
  for (const auto& each : files) {
    if (head.path != each.path) continue;
    if (head.method == wire::Method::get || head.method == wire::Method::head)
      return exchange.answer({.content_type = each.type, .fields = kFields, .body = each.body});
    return exchange.answer({.status = 405,
                            .content_type = "text/plain; charset=utf-8",
                            .fields = "Allow: GET, HEAD\r\n",
                            .body = "only GET\n"});
  }
  others_.on_request(exchange);
}

}  // namespace limpet::app
