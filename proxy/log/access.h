// The access log: one line per request, one per tunnel at its end. Any thread.
//
// Lines are formatted on the calling thread into a bounded ring of that thread and written by the log's
// writer thread; a full ring drops the line and counts it. No allocation per line.
//
// Text, in one line (folded here):
//   2026-11-24T14:00:01.123Z 203.0.113.7:51234 "GET example.org/socket.io/ HTTP/1.1" 200 kind=request
//   id=4f0c... pool=ws server=ws1 by=learned sid=AbCdEf retries=0 connect=0.123 first=1.002 total=1203.004
//   in=120 out=322 end=server:done ua="curl/8"
// Always these fields in this order, a space between them, none inside one but in ua="...", which is the
// last, and between the three words of the request. Times are UTC, or milliseconds from the request's first
// byte; `in` and `out` are bytes from and to the client; `end` is who ended it and why; `-` is what was not
// there or not reached. Bytes that could pass for something else are \xNN, a backslash is doubled, a quote is
// \"; a field that was too long ends in "...".
//
// JSON: an object a line with the same facts under the names time, kind, client, id, method, host, target,
// protocol, status, pool, server, by, sid, retries, connect_ms, first_byte_ms, total_ms, bytes_in, bytes_out,
// ended_by, reason, user_agent; null is what was not there. A byte that is not part of a UTF-8 character is
// \u00NN.
//
// Where lines are missing: `TIME - "- - -" 0 kind=dropped lines=N`, or
// {"time":...,"kind":"dropped","lines":N}.
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::log {

// Times in microseconds from the request's first byte; kNever where the step was not reached.
struct AccessRecord {
  static constexpr std::uint64_t kNever = ~0ull;
  bool tunnel = false;      // at the end of a tunnel, else of a request
  std::string_view client;  // "203.0.113.7:51234"; of a trusted proxy's client: the address alone
  std::string_view request_id;
  std::string_view method, host, target;  // target: without query unless [log] query is on
  std::uint8_t http_minor = 1;
  std::uint16_t status = 0;  // as sent to the client; 0: none was
  std::string_view route;    // the pool's name
  std::string_view server;   // id; empty: none was chosen
  std::string_view by;       // what decided: "sid", "learned", "cookie", "source", "balance", "moved", ""
  std::string_view sid;      // whole; only its first 6 characters are written
  std::uint32_t retries = 0;
  std::uint64_t connect_us = kNever;
  std::uint64_t first_byte_us = kNever;
  std::uint64_t total_us = 0;
  std::uint64_t bytes_in = 0;   // from the client
  std::uint64_t bytes_out = 0;  // to the client
  std::string_view ended_by;    // "client", "server", "proxy"
  std::string_view reason;      // "done", "eof", "idle", "drain", a fault's name...
  std::string_view user_agent;
};

void access(const AccessRecord& record);
bool access_enabled();

}  // namespace limpet::log
