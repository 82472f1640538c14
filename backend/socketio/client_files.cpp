#include "backend/socketio/client_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "backend/engine/compression.h"
#include "backend/engine/cors.h"
#include "backend/http/field.h"

namespace limpet::socketio {
namespace {

using http::value_of;

constexpr std::size_t kLargest = std::size_t{8} << 20;
constexpr std::string_view kNeeded = "socket.io.js";
constexpr std::array<std::string_view, 8> kNames = {
    kNeeded,
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& why) {
  throw std::runtime_error("serve_client: " + file.string() + ": " + why);
}

// Nothing: there is no such file. A folder or a pipe is none either.
std::optional<std::string> read(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(file, std::strerror(errno));
  std::string text(kLargest + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) fail(file, "cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargest) fail(file, "is over 8 MiB: no bundle of the client");
  return text;
}

// What the bundle's first lines say: "Socket.IO v4.8.4". Without them what it is made of names it.
std::string version_of(std::string_view bundle) {
  constexpr std::string_view kMark = "Socket.IO v";
  const std::string_view front = bundle.substr(0, 200);
  const std::size_t mark = front.find(kMark);
  if (mark != std::string_view::npos) {
    const std::string_view rest = front.substr(mark + kMark.size());
    const std::string_view version =
        rest.substr(0, rest.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz-"));
    if (!version.empty()) return std::string(version);
  }
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the same on every node
  for (const char c : bundle) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::to_string(hash);
}

std::optional<std::string_view> origin_of(const wire::RequestHead& head) {
  const std::string_view origin = value_of(head, "origin");
  return origin.empty() ? std::nullopt : std::optional(origin);
}

// If-None-Match: a list of tags, of which a weak one is as good here; or any.
bool lists(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    std::string_view tag = list.substr(0, list.find(','));
    list.remove_prefix(std::min(tag.size() + 1, list.size()));
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

}  // namespace

ClientFiles::ClientFiles(const std::string& folder, std::string path, engine::Cors cors)
    : path_(std::move(path)), cors_(std::move(cors)) {
  if (!path_.ends_with('/')) path_ += '/';
  const std::filesystem::path from(folder);
  for (const std::string_view name : kNames) {
    std::optional<std::string> text = read(from / name);
    if (!text) continue;
    File& file = files_[std::string(name)];
    file.type =
        name.ends_with(".map") ? "application/json; charset=utf-8" : "application/javascript; charset=utf-8";
    file.plain = std::move(*text);
    if (!engine::compress(file.gzip, engine::Coding::gzip, file.plain) ||
        !engine::compress(file.deflate, engine::Coding::deflate, file.plain))
      fail(from / name, "no memory to compress it");
    file.gzip.shrink_to_fit();
    file.deflate.shrink_to_fit();
    file.plain.shrink_to_fit();
  }
  const auto main = files_.find(kNeeded);
  if (main == files_.end())
    fail(from / kNeeded, "there is no such file; the folder is one as node_modules/socket.io-client/dist");
  etag_ = '"' + version_of(main->second.plain) + '"';
}

void ClientFiles::route(http::Server& http) {
  for (const auto& [name, file] : files_) http.route(path_ + name, *this);
}

// A route is a beginning: "/socket.io/socket.io.json" comes here too.
void ClientFiles::on_request(http::Exchange& exchange) {
  const wire::RequestHead& head = exchange.head();
  const auto file = head.path.starts_with(path_) ? files_.find(head.path.substr(path_.size())) : files_.end();
  if (file == files_.end())
    return exchange.answer(
        {.status = 404, .content_type = "text/plain; charset=utf-8", .body = "not found\n"});
  if (cors_.enabled && head.method == wire::Method::options) return answer_preflight(exchange);
  if (head.method == wire::Method::get || head.method == wire::Method::head)
    return answer(exchange, file->second);
  exchange.answer({.status = 405,
                   .content_type = "text/plain; charset=utf-8",
                   .fields = "Allow: GET, HEAD\r\n",
                   .body = "only GET\n"});
}

// One tag for all forms of a file, as Node.js has it: Vary keeps caches from giving one for the other.
void ClientFiles::answer(http::Exchange& exchange, const File& file) const {
  const wire::RequestHead& head = exchange.head();
  std::string fields = "Cache-Control: public, max-age=0\r\nETag: " + etag_ + "\r\nVary: Accept-Encoding\r\n";
  if (cors_.enabled) engine::append_cors_fields(fields, cors_, origin_of(head));
  if (lists(value_of(head, "if-none-match"), etag_))
    return exchange.answer({.status = 304, .fields = fields});
  const engine::Coding coding = engine::choose_coding(value_of(head, "accept-encoding"));
  if (coding != engine::Coding::identity) {
    fields += "Content-Encoding: ";
    fields += engine::name_of(coding);
    fields += "\r\n";
  }
  exchange.answer({.content_type = file.type,
                   .fields = fields,
                   .body = coding == engine::Coding::gzip      ? file.gzip
                           : coding == engine::Coding::deflate ? file.deflate
                                                               : file.plain});
}

void ClientFiles::answer_preflight(http::Exchange& exchange) const {
  const wire::RequestHead& head = exchange.head();
  std::string fields;
  engine::append_preflight_fields(fields, cors_, origin_of(head),
                                  value_of(head, "access-control-request-headers"));
  fields += "Content-Length: 0\r\n";
  exchange.answer({.status = 204, .fields = fields});
}

}  // namespace limpet::socketio
