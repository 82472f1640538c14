// Requests on their way to a session: the checks in engine.io's order, refusals, openings, upgrades.
#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "backend/engine/cors.h"
#include "backend/engine/server_impl.h"
#include "backend/http/field.h"
#include "backend/ws/deflate.h"
#include "proxy/wire/websocket.h"

namespace limpet::engine {
namespace {

constexpr std::uint16_t kPolicyViolation = 1008;

using http::value_of;

Handshake::Owner handshake_of(const http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  const auto ip = exchange.peer().ip_address();
  const std::string address = ip ? ip->text() : std::string();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Handshake::make(
      {head.target, address, value_of(head, "origin"), value_of(head, wire::FieldId::user_agent),
       value_of(head, wire::FieldId::cookie), value_of(head, wire::FieldId::x_forwarded_for)},
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), false);
}

// Of the upgrades that are none (RFC 6455, 4.2.1), with the texts of Node.js's `ws`.
std::string upgrade_fault(const wire::RequestHead& head, wire::Fault fault) {
  constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
  if (fault == wire::Fault::version_not_13 ||
      wire::find(head.fields, wire::FieldId::sec_websocket_version) == nullptr) {
    return upgrade_refusal(400, "Missing or invalid Sec-WebSocket-Version header", kVersion);
  }
  if (!wire::asks_websocket(head)) return upgrade_refusal(400, "Invalid Upgrade header");
  return upgrade_refusal(400, "Missing or invalid Sec-WebSocket-Key header");
}

// The first subprotocol that is offered is taken, as by `ws`: browsers end a connection whose offer is passed
// over.
void append_subprotocol(std::string& fields, const wire::RequestHead& head) {
  const std::string_view offered = value_of(head, wire::FieldId::sec_websocket_protocol);
  const std::string_view first = offered.substr(0, offered.find_first_of(", \t"));
  if (first.empty()) return;
  fields += "Sec-WebSocket-Protocol: ";
  fields += first;
  fields += "\r\n";
}

struct Nobody final : ws::Receiver {
  void on_message(ws::Kind, std::string_view) override {}
  void on_end(const ws::Ending&) override {}
};

}  // namespace

void Server::Impl::on_request(http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  const bool upgrade = head.upgrade && options.websocket;
  if (options.cors.enabled && head.method == wire::Method::options)
    return answer_preflight(exchange, upgrade);
  if (upgrade && !may_open_websocket(options.cors, origin_of(head), value_of(head, wire::FieldId::host))) {
    ++totals.refused;
    return exchange.write_and_close(upgrade_refusal(403, message_of(Refusal::forbidden)));
  }
  const Query query = parse_query(head.query);
  LiveSession* session = nullptr;
  if (const auto refusal = verify(head, query, upgrade, session)) {
    return crosses(head, query) ? answer_crossing(exchange, upgrade) : refuse(exchange, *refusal, upgrade);
  }
  if (session == nullptr) {
    if (const auto message = application.forbid(head, exchange.peer()))
      return forbid(exchange, *message, upgrade);
  }
  if (upgrade) return on_upgrade(exchange, query, session);
  if (session != nullptr) return session->on_request(exchange);
  if (const auto refusal = verify_handshake(query)) return refuse(exchange, *refusal, false);
  open_polling(exchange, query);
}

// An Origin with characters that no field may have (engine.io: code 3) has been refused with its head.
std::optional<Refusal> Server::Impl::verify(const wire::RequestHead& head, const Query& query, bool upgrade,
                                            LiveSession*& session) {
  const bool websocket = query.transport == Query::Transport::websocket;
  if (query.transport == Query::Transport::unknown || !(websocket ? options.websocket : options.polling)) {
    return Refusal::transport_unknown;
  }
  if (!query.sid_given) {
    if (head.method != wire::Method::get) return Refusal::bad_handshake_method;
    if (websocket && !upgrade) return Refusal::bad_request;
    return std::nullopt;
  }
  session = table.find(query.sid());
  if (session == nullptr) return Refusal::sid_unknown;
  // A plain request never belongs to a WebSocket. (engine.io leaves one that says `websocket` without an
  // answer.)
  if (!upgrade && (websocket || session->over_websocket())) return Refusal::bad_request;
  if (query.revision != session->revision()) return Refusal::bad_request;
  return std::nullopt;
}

std::optional<Refusal> Server::Impl::verify_handshake(const Query& query) {
  if (query.revision == 3 && !options.allow_eio3) return Refusal::revision_unsupported;
  if (refusing) return Refusal::shutting_down;
  if (full()) return Refusal::full;
  if (table.size() >= options.max_sessions) unasked.front().expire();
  return std::nullopt;
}

void Server::Impl::refuse(http::Exchange& exchange, Refusal refusal, bool upgrade) {
  ++totals.refused;
  if (upgrade) return exchange.write_and_close(upgrade_refusal(refusal));
  exchange.answer({.status = status_of(refusal),
                   .content_type = "application/json",
                   .fields = cors_fields_for(exchange),
                   .body = json_of(refusal),
                   .chunked = true});
}

void Server::Impl::forbid(http::Exchange& exchange, std::string_view message, bool upgrade) {
  if (message.empty()) return refuse(exchange, Refusal::forbidden, upgrade);
  ++totals.refused;
  if (upgrade) return exchange.write_and_close(upgrade_refusal(400, message));
  const std::string json = forbidden_json(message);
  exchange.answer({.status = status_of(Refusal::forbidden),
                   .content_type = "application/json",
                   .fields = cors_fields_for(exchange),
                   .body = json,
                   .chunked = true});
}

void Server::Impl::answer_preflight(http::Exchange& exchange, bool upgrade) {
  if (upgrade) return exchange.destroy();
  const wire::RequestHead& head = exchange.head();
  std::string fields;
  append_preflight_fields(fields, options.cors, origin_of(head),
                          value_of(head, "access-control-request-headers"));
  fields += "Content-Length: 0\r\n";  // some browsers wait for a body without it
  exchange.answer({.status = 204, .fields = fields});
}

bool Server::Impl::crosses(const wire::RequestHead& head, const Query& query) const {
  if (told_.empty() || !(head.upgrade || head.method == wire::Method::post)) return false;
  return told_.contains(std::string(query.sid()));
}

// A body's packets are lost, as are frames that cross a Close: whoever sent them hears that the session is
// over, and an error would be no news.
void Server::Impl::answer_crossing(http::Exchange& exchange, bool upgrade) {
  if (upgrade) return close_at_once(exchange, kServiceRestart, {});
  exchange.answer({.content_type = "text/html", .fields = poll_fields_for(exchange), .body = "ok"});
}

// --- sessions that begin ---

void Server::Impl::open_polling(http::Exchange& exchange, const Query& query) {
  auto* session = new LiveSession(*this, query.revision, handshake_of(exchange));
  session->begin(exchange, query);  // the table's from here on
}

void Server::Impl::on_upgrade(http::Exchange& exchange, const Query& query, LiveSession* session) {
  if (const auto fault = wire::check_handshake(exchange.head())) {
    ++totals.refused;
    return exchange.write_and_close(upgrade_fault(exchange.head(), *fault));
  }
  if (query.transport == Query::Transport::polling) return close_at_once(exchange, 0, {});
  if (session == nullptr) return open_websocket(exchange, query);
  if (!session->takes_candidate()) return close_at_once(exchange, 0, {});
  ws::Options socket;
  http::Exchange::Upgraded upgraded = switch_protocols(exchange, socket, {});
  session->try_upgrade(std::move(upgraded), socket, query.base64);
}

void Server::Impl::open_websocket(http::Exchange& exchange, const Query& query) {
  if (const auto refusal = verify_handshake(query)) {
    if (*refusal == Refusal::full) return close_at_once(exchange, kPolicyViolation, message_of(*refusal));
    ++totals.refused;
    if (*refusal != Refusal::revision_unsupported) return exchange.write_and_close(upgrade_refusal(*refusal));
    return refuse_after_switch(exchange, *refusal);
  }
  auto* session = new LiveSession(*this, query.revision, handshake_of(exchange));
  ws::Options socket;
  http::Exchange::Upgraded upgraded = switch_protocols(exchange, socket, session->sid());
  session->begin(std::move(upgraded), socket, query.base64);
}

void Server::Impl::close_at_once(http::Exchange& exchange, std::uint16_t code, std::string_view reason) {
  static Nobody nobody;
  ++totals.refused;
  ws::Options options_of_socket;
  http::Exchange::Upgraded from = switch_protocols(exchange, options_of_socket, {});
  ws::Socket socket(hub, std::move(from.stream), options_of_socket, nobody, from.early, from.unsent);
  socket.close(code, reason);
}

// engine.io finds out after its 101.
void Server::Impl::refuse_after_switch(http::Exchange& exchange, Refusal refusal) {
  ws::Options socket;
  std::string bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  bytes += "Sec-WebSocket-Accept: ";
  bytes += wire::accept_for(value_of(exchange.head(), wire::FieldId::sec_websocket_key));
  bytes += "\r\n";
  bytes += switch_fields(exchange, socket, {});
  bytes += "\r\n";
  bytes += upgrade_refusal(refusal);
  exchange.write_and_close(bytes);
}

http::Exchange::Upgraded Server::Impl::switch_protocols(http::Exchange& exchange, ws::Options& socket,
                                                        std::string_view new_sid) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  socket.max_message = static_cast<std::uint32_t>(std::min(options.max_payload, kMost));
  socket.max_queued = static_cast<std::uint32_t>(std::min(options.max_queued, kMost));
  return exchange.upgrade(switch_fields(exchange, socket, new_sid));
}

// Fields of a 101. `new_sid`: of the session that begins, if one does.
std::string Server::Impl::switch_fields(const http::Exchange& exchange, ws::Options& socket,
                                        std::string_view new_sid) const {
  std::string fields;
  const wire::RequestHead& head = exchange.head();
  append_subprotocol(fields, head);
  if (options.deflate != ws::Deflate::off) {
    socket.deflate = ws::negotiate(wire::offer_of(head).extensions, options.deflate);
    const std::string extensions = ws::answer_of(socket.deflate);
    if (!extensions.empty()) fields += "Sec-WebSocket-Extensions: " + extensions + "\r\n";
  }
  if (options.cors.enabled) append_cors_fields(fields, options.cors, origin_of(head));
  // engine.io sets its cookie, the sid, on polls alone; one that names this node is meant for balancers as
  // well.
  if (!new_sid.empty() && !options.cookie.value.empty()) append_cookie(fields, new_sid);
  return fields;
}

}  // namespace limpet::engine
