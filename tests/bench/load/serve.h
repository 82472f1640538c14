// Serve: the server behind the proxy. One thread, epoll.
//
//   GET /health           200 "ok"
//   GET /                 200 and 200 bytes
//   GET /bytes/N          200 and N bytes
//   POST /sink            takes the body, answers with its length
//   WebSocket /echo       every message back
//   WebSocket /push?rate=R&size=S
//                         R times a second a binary frame of S bytes, whose first 8 are the CLOCK_MONOTONIC
//                         nanoseconds at which it was due
//   WebSocket /idle       silent
#pragma once

#include <string>
#include <vector>

namespace limpet::bench {

struct ServeOptions {
  std::vector<std::string> listen;
  std::vector<std::string> tls;  // certificate and key, or nothing
  std::string ports_file;        // where the addresses are written; empty: standard output
};

[[noreturn]] void serve(const ServeOptions& options);

}  // namespace limpet::bench
