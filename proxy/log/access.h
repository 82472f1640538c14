// The access log: one line per request, one per tunnel at its end.
//
// Lines are formatted on the calling thread into a bounded ring of that thread and written by the log's writer
// thread; a full ring drops the line and counts it. No allocation per line.
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::log {

// Times in microseconds from the request's first byte; kNever where the step was not reached.
struct AccessRecord {
  static constexpr std::uint64_t kNever = ~0ull;
  bool tunnel = false;            // at the end of a tunnel, else of a request
  std::string_view client;        // "203.0.113.7:51234"; of a trusted proxy's client: the address alone
  std::string_view request_id;
  std::string_view method, host, target;  // target: without query unless [log] query is on
  std::uint8_t http_minor = 1;
  std::uint16_t status = 0;       // as sent to the client; 0: none was
  std::string_view route;         // the pool's name
  std::string_view server;        // id; empty: none was chosen
  std::string_view by;            // what decided: "sid", "learned", "cookie", "source", "balance", "moved", ""
  std::string_view sid;           // whole; only its first 6 characters are written
  std::uint32_t retries = 0;
  std::uint64_t connect_us = kNever;
  std::uint64_t first_byte_us = kNever;
  std::uint64_t total_us = 0;
  std::uint64_t bytes_in = 0;     // from the client
  std::uint64_t bytes_out = 0;    // to the client
  std::string_view ended_by;      // "client", "server", "proxy"
  std::string_view reason;        // "done", "eof", "idle", "drain", a fault's name...
  std::string_view user_agent;
};

void access(const AccessRecord& record);
bool access_enabled();

}  // namespace limpet::log
