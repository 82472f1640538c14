#include "backend/app/pages.h"

#include "backend/http/field.h"

namespace limpet::app {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kNoStore = "Cache-Control: no-store\r\n";

void say(http::Exchange& exchange, int status, std::string_view text) {
  exchange.answer({.status = status, .content_type = kText, .fields = kNoStore, .body = text});
}

// True if it was no GET or HEAD, and is answered.
bool refuse_method(http::Exchange& exchange) {
  const wire::Method method = exchange.head().method;
  if (method == wire::Method::get || method == wire::Method::head) return false;
  exchange.answer(
      {.status = 405, .content_type = kText, .fields = "Allow: GET, HEAD\r\n", .body = "only GET\n"});
  return true;
}

bool from_a_page(const wire::RequestHead& head) {
  const std::string_view site = http::value_of(head, "Sec-Fetch-Site");
  if (!http::value_of(head, "Origin").empty()) return true;
  if (!site.empty() && site != "none" && site != "same-origin") return true;
  const auto ip = wire::IpAddress::parse(head.host);
  return !(wire::equal_ignoring_case(head.host, "localhost") || head.host.empty() ||
           (ip && ip->is_loopback()));
}

}  // namespace

void HealthPage::on_request(http::Exchange& exchange) {
  if (exchange.head().path != "/health") return say(exchange, 404, "not found\n");
  if (refuse_method(exchange)) return;
  const std::string_view state = state_();
  const bool serves = state == "ok" || (state == "degraded" && !strict_);
  say(exchange, serves ? 200 : 503, state);
}

void AdminPages::on_request(http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  if (on_tcp_ && from_a_page(head)) return say(exchange, 403, "not for browsers' pages\n");
  if (head.path != "/metrics") return health_.on_request(exchange);
  if (refuse_method(exchange)) return;
  const std::string text = metrics_();
  exchange.answer({.content_type = kMetricsText, .fields = kNoStore, .body = text});
}

}  // namespace limpet::app
