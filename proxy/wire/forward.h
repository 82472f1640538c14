// Heads as they leave the proxy: hop-by-hop fields removed (RFC 9110, 7.6.1), forwarding fields set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"
#include "proxy/wire/ip_address.h"

namespace limpet::wire {

// Who is asking, once X-Forwarded-For was read or refused.
struct ClientIdentity {
  IpAddress address;           // meaningless if !known
  bool known = false;          // false: a Unix-socket client that nobody vouches for
  bool believed_peer = false;  // the peer is in trusted_proxies
};

// The client's address: the peer's unless the peer is trusted; then right to left through X-Forwarded-For
// while the entries are trusted addresses; garbage stops there. `peer` is nullptr for a Unix socket.
ClientIdentity identify_client(std::span<const Field> fields, const IpAddress* peer,
                               std::span<const Cidr> trusted, bool trust_unix);

struct UpstreamHeadOptions {
  ClientIdentity client{};
  const IpAddress* peer = nullptr;    // nullptr: Unix socket
  std::string_view scheme = "http";   // of the client's connection
  std::string_view request_id{};      // X-Request-Id to set; a trusted peer's own is kept
  std::string_view drop_cookie{};     // affinity cookie the server must not see; empty: none
  bool websocket = false;             // keep Upgrade and Connection
  bool drop_accept_encoding = false;  // an Engine.IO open, whose answer must be readable
  bool via = false;
};
// X-Request-Id of a trusted peer, if it has one of 1 to 128 characters of [A-Za-z0-9._-]; else nothing.
std::string_view believed_request_id(const RequestHead& head, const ClientIdentity& client);

// Appends the head for a server: origin-form request line in HTTP/1.1, Host first (an absolute form's
// authority wins), then the client's fields in their order without hop-by-hop and forged ones, then ours,
// then the empty line. Body framing is written from head.body (one Content-Length, or Transfer-Encoding:
// chunked). From a peer that is not trusted X-Forwarded-*, X-Real-IP, Forwarded, X-Client-IP, True-Client-IP
// and names with an underscore are removed; from a trusted one X-Forwarded-For and Forwarded are extended.
// X-Forwarded-For/-Proto/-Host, X-Real-IP and Forwarded (RFC 7239) are set. `Expect` is passed on.
void append_upstream_head(std::string& out, const RequestHead& head, const UpstreamHeadOptions& options);

struct ClientHeadOptions {
  Method method = Method::get;
  std::uint8_t client_minor = 1;
  bool close = false;                 // Connection: close
  bool websocket = false;             // a checked 101
  bool dechunk = false;               // an HTTP/1.0 client: chunked becomes until_close
  bool private_no_store = false;      // the affinity cookie is set: Cache-Control: private, no-store
  std::string_view set_cookie{};      // affinity Set-Cookie value to add; empty: none
  std::string_view replace_cookie{};  // a server's own Set-Cookie of this name is dropped...
  std::string_view rewrite_value{};   // ...or, if this is not empty, gets this value instead
  std::string_view via_pseudonym{};   // empty: no Via
};
struct ClientHeadResult {
  bool server_cookie_dropped = false;
  bool cookie_rewritten = false;
};
// Appends the head for the client: always HTTP/1.1 in the status line, hop-by-hop fields removed, body
// framing from head.body.
ClientHeadResult append_client_head(std::string& out, const ResponseHead& head,
                                    const ClientHeadOptions& options);

// Appends an interim (1xx) head other than 101.
void append_interim_head(std::string& out, const ResponseHead& head);

}  // namespace limpet::wire
