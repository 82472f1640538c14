#include "proxy/session/answers.h"

#include <spdlog/fmt/fmt.h>

#include <iterator>

#include "proxy/wire/engineio.h"

namespace limpet::session {
namespace {

constexpr Answer kAnswers[] = {
    {Cause::done, 0, false, Blame::nobody, "done", ""},
    {Cause::bad_request, 400, false, Blame::client, "bad_request", ""},
    {Cause::head_timeout, 408, false, Blame::client, "head_timeout",
     "the request head did not arrive in time"},
    {Cause::client_gone, 0, false, Blame::client, "client_gone", ""},
    {Cause::client_stalled, 408, false, Blame::client, "client_stalled",
     "the request body did not arrive in time"},
    {Cause::body_too_large, 413, false, Blame::client, "body_too_large", "the request body is too large"},
    {Cause::no_route, 404, false, Blame::proxy, "no_route", "no route leads to this host and path"},
    {Cause::all_down, 503, true, Blame::proxy, "all_down", "no server can take this request"},
    {Cause::full, 503, true, Blame::proxy, "full", "every server is at its limit"},
    {Cause::lost, 503, true, Blame::proxy, "lost", "the server of this session takes no new sessions"},
    {Cause::sid_gone, 400, false, Blame::proxy, "sid_gone", "Session ID unknown"},
    {Cause::no_connections, 503, true, Blame::proxy, "no_connections", "too many connections"},
    {Cause::connect_failed, 502, false, Blame::server, "connect_failed", "the server refused the connection"},
    {Cause::connect_timeout, 504, false, Blame::server, "connect_timeout",
     "the server did not accept the connection"},
    {Cause::unreachable, 503, true, Blame::server, "unreachable",
     "the server of this session cannot be reached"},
    {Cause::local_shortage, 503, true, Blame::proxy, "local_shortage",
     "the proxy is out of ports or descriptors"},
    {Cause::server_closed, 502, false, Blame::server, "server_closed", "the server closed without an answer"},
    {Cause::bad_answer, 502, false, Blame::server, "bad_answer", "the server's answer is not valid"},
    {Cause::cut_answer, 502, false, Blame::server, "cut_answer", "the server's answer ended early"},
    {Cause::server_silent, 504, false, Blame::server, "server_silent", "the server did not answer in time"},
    {Cause::shutdown, 503, true, Blame::proxy, "shutdown", "the proxy is shutting down"},
    {Cause::ready, 200, false, Blame::proxy, "ready", ""},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kAnswers); ++i) {
    if (static_cast<std::size_t>(kAnswers[i].cause) != i) return false;
  }
  return std::size(kAnswers) == kCauses;
}
static_assert(in_order());

std::string_view explain(const Outcome& outcome) {
  if (outcome.fault && outcome.cause == Cause::bad_request) return wire::explain(*outcome.fault);
  return answer_of(outcome.cause).text;
}

void append_head(std::string& out, int status, std::string_view type, std::size_t length,
                 const PageOptions& options) {
  fmt::format_to(std::back_inserter(out),
                 "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n",
                 status, status_text(status), type, length);
  if (options.close) out += "Connection: close\r\n";
  if (!options.close && options.client_minor == 0) out += "Connection: keep-alive\r\n";
}

// engine.io's own words, so that clients and their logs see what they know.
void append_sid_unknown(std::string& out, const PageOptions& options) {
  if (options.upgrade) {
    fmt::format_to(std::back_inserter(out),
                   "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\n"
                   "Content-Length: {}\r\n\r\n{}",
                   wire::kSidUnknownText.size(), wire::kSidUnknownText);
    return;
  }
  append_head(out, 400, "application/json", wire::kSidUnknownJson.size(), options);
  out += "\r\n";
  if (!options.head_only) out += wire::kSidUnknownJson;
}

}  // namespace

const Answer& answer_of(Cause cause) {
  return kAnswers[static_cast<std::size_t>(cause)];
}

int status_of(const Outcome& outcome) {
  if (outcome.fault && outcome.cause == Cause::bad_request) return wire::status_of(*outcome.fault);
  return answer_of(outcome.cause).status;
}

std::string_view reason_of(const Outcome& outcome) {
  return outcome.fault ? wire::text_of(*outcome.fault) : answer_of(outcome.cause).reason;
}

void append_answer(std::string& out, const Outcome& outcome, const PageOptions& options) {
  if (outcome.cause == Cause::sid_gone) return append_sid_unknown(out, options);
  const int status = status_of(outcome);
  char body[1024];
  const std::string_view text = explain(outcome);
  const auto end =
      options.json
          ? fmt::format_to_n(body, sizeof(body),
                             R"({{"status":{},"error":"{}","reason":"{}","message":"{}","request_id":"{}"}})",
                             status, status_text(status), reason_of(outcome), text, options.request_id)
          : fmt::format_to_n(
                body, sizeof(body),
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0} {1}</title>"
                "</head>\n<body><h1>{0} {1}</h1><p>{2}.</p><p><small>{3} {4}</small></p></body></html>\n",
                status, status_text(status), text, reason_of(outcome), options.request_id);
  const std::string_view page(body, std::min(end.size, sizeof(body)));
  append_head(out, status, options.json ? "application/json" : "text/html; charset=utf-8", page.size(),
              options);
  if (answer_of(outcome.cause).retry_after) out += "Retry-After: 1\r\n";
  if (status == 426) out += "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
  if (status == 405) out += "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
  out += "\r\n";
  if (!options.head_only) out += page;
}

void append_ready(std::string& out, bool ready, const PageOptions& options) {
  const std::string_view body = ready ? "ready\n" : "not ready\n";
  append_head(out, ready ? 200 : 503, "text/plain; charset=utf-8", body.size(), options);
  out += "\r\n";
  if (!options.head_only) out += body;
}

std::string_view status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 426: return "Upgrade Required";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
  }
}

bool accepts_json(std::string_view accept) {
  constexpr std::string_view kJson = "application/json";
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    std::string_view item = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? std::string_view{} : accept.substr(comma + 1);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    if (item.size() < kJson.size() || !wire::equal_ignoring_case(item.substr(0, kJson.size()), kJson))
      continue;
    const std::string_view rest = item.substr(kJson.size());
    if (!rest.empty() && rest.front() != ';' && rest.front() != ' ') continue;
    return rest.find("q=0") == std::string_view::npos || rest.find("q=0.") != std::string_view::npos;
  }
  return false;
}

}  // namespace limpet::session
