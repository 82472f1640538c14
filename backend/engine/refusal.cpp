#include "backend/engine/refusal.h"

#include <array>

#include "backend/engine/jsonp.h"
#include "backend/http/status.h"

namespace limpet::engine {
namespace {

struct Row {
  int status;
  std::string_view message;
  std::string_view json;
};

// In the order of the enum. The last two are ours: official clients look at no code, they come back.
constexpr std::array<Row, 8> kRows = {{
    {400, "Transport unknown", R"({"code":0,"message":"Transport unknown"})"},
    {400, "Session ID unknown", R"({"code":1,"message":"Session ID unknown"})"},
    {400, "Bad handshake method", R"({"code":2,"message":"Bad handshake method"})"},
    {400, "Bad request", R"({"code":3,"message":"Bad request"})"},
    {403, "Forbidden", R"({"code":4,"message":"Forbidden"})"},
    {400, "Unsupported protocol version", R"({"code":5,"message":"Unsupported protocol version"})"},
    {503, "Server at capacity", R"({"code":3,"message":"Server at capacity"})"},
    {503, "Server shutting down", R"({"code":3,"message":"Server shutting down"})"},
}};

const Row& row_of(Refusal refusal) {
  return kRows[static_cast<std::size_t>(refusal)];
}

}  // namespace

int status_of(Refusal refusal) {
  return row_of(refusal).status;
}
std::string_view message_of(Refusal refusal) {
  return row_of(refusal).message;
}
std::string_view json_of(Refusal refusal) {
  return row_of(refusal).json;
}

std::string upgrade_refusal(int status, std::string_view message, std::string_view fields) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out += http::reason_phrase(status);
  out += "\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: ";
  out += std::to_string(message.size()) + "\r\n";
  out += fields;
  out += "\r\n";
  out += message;
  return out;
}

std::string forbidden_json(std::string_view message) {
  std::string out = R"({"code":4,"message":)";
  append_quoted(out, message);
  return out + '}';
}

std::string upgrade_refusal(Refusal refusal) {
  const int status = status_of(refusal);
  return upgrade_refusal(status == 403 ? 400 : status, message_of(refusal));  // no 403 here, as in engine.io
}

}  // namespace limpet::engine
