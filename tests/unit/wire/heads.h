// The words of the wire tests: what the scanner and the parser say of some bytes.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/wire/head.h"

namespace limpet::wire {

inline void PrintTo(Fault fault, std::ostream* out) {
  *out << text_of(fault);
}

struct Verdict {
  HeadScanner::Step step{};
  Fault fault{};
  std::size_t length = 0;  // of a complete head
  bool operator==(const Verdict&) const = default;
};
inline void PrintTo(const Verdict& verdict, std::ostream* out) {
  if (verdict.step == HeadScanner::Step::more) *out << "more";
  if (verdict.step == HeadScanner::Step::complete) *out << "complete at " << verdict.length;
  if (verdict.step == HeadScanner::Step::refused) *out << "refused: " << text_of(verdict.fault);
}

// Feeds `bytes` as they would arrive in pieces of `piece` bytes.
inline Verdict scan_in_pieces(HeadScanner::Kind kind, std::string_view bytes, std::size_t piece,
                              HeadLimits limits) {
  HeadScanner scanner(kind, limits);
  Verdict verdict;
  for (std::size_t n = piece;; n += piece) {
    verdict.step = scanner.feed(bytes.substr(0, n));
    if (verdict.step != HeadScanner::Step::more || n >= bytes.size()) break;
  }
  if (verdict.step == HeadScanner::Step::refused) verdict.fault = scanner.fault();
  if (verdict.step == HeadScanner::Step::complete) verdict.length = scanner.length();
  return verdict;
}

// The verdict on `bytes`, which no split may change.
inline Verdict scan(HeadScanner::Kind kind, std::string_view bytes, HeadLimits limits = {}) {
  const Verdict whole = scan_in_pieces(kind, bytes, bytes.size() + 1, limits);
  for (const std::size_t piece : {1, 2, 3, 7, 64}) {
    EXPECT_EQ(scan_in_pieces(kind, bytes, piece, limits), whole) << "in pieces of " << piece << ": " << bytes;
  }
  return whole;
}
inline Verdict scan_request(std::string_view bytes, HeadLimits limits = {}) {
  return scan(HeadScanner::Kind::request, bytes, limits);
}
inline Verdict scan_response(std::string_view bytes, HeadLimits limits = {}) {
  return scan(HeadScanner::Kind::response, bytes, limits);
}

inline Verdict refused(Fault fault) {
  return {HeadScanner::Step::refused, fault, 0};
}
inline Verdict complete(std::size_t length) {
  return {HeadScanner::Step::complete, {}, length};
}
inline const Verdict kMore{HeadScanner::Step::more, {}, 0};

// A head as a proxy meets it: the scanner first, then the parser. Owns the bytes that the views point into.
struct Request {
  explicit Request(std::string_view text) : bytes(text) {
    HeadScanner scanner(HeadScanner::Kind::request, {});
    const auto step = scanner.feed(bytes);
    EXPECT_NE(step, HeadScanner::Step::more) << bytes;
    if (step == HeadScanner::Step::refused) {
      result = scanner.fault();
    } else {
      const std::string_view all = bytes;
      result = parse_request(all.substr(scanner.start(), scanner.length() - scanner.start()), fields);
    }
  }
  Request(const Request&) = delete;
  bool ok() const { return std::holds_alternative<RequestHead>(result); }
  Fault fault() const { return ok() ? Fault::too_many_interim : std::get<Fault>(result); }
  const RequestHead& head() const { return std::get<RequestHead>(result); }
  const RequestHead* operator->() const { return &head(); }

  std::string bytes;
  FieldList fields;
  Parsed<RequestHead> result;
};

struct Response {
  explicit Response(std::string_view text, Method asked = Method::get, bool asked_upgrade = false)
      : bytes(text) {
    HeadScanner scanner(HeadScanner::Kind::response, {});
    const auto step = scanner.feed(bytes);
    EXPECT_NE(step, HeadScanner::Step::more) << bytes;
    if (step == HeadScanner::Step::refused) {
      result = scanner.fault();
    } else {
      result =
          parse_response(std::string_view(bytes).substr(0, scanner.length()), asked, asked_upgrade, fields);
    }
  }
  Response(const Response&) = delete;
  bool ok() const { return std::holds_alternative<ResponseHead>(result); }
  Fault fault() const { return ok() ? Fault::bad_method : std::get<Fault>(result); }
  const ResponseHead& head() const { return std::get<ResponseHead>(result); }
  const ResponseHead* operator->() const { return &head(); }

  std::string bytes;
  FieldList fields;
  Parsed<ResponseHead> result;
};

// "GET / HTTP/1.1" with Host and these further lines.
inline std::string get(std::string_view lines) {
  return std::string("GET / HTTP/1.1\r\nHost: a.example\r\n").append(lines).append("\r\n");
}
inline std::string post(std::string_view lines) {
  return std::string("POST / HTTP/1.1\r\nHost: a.example\r\n").append(lines).append("\r\n");
}
inline std::string ok(std::string_view lines) {
  return std::string("HTTP/1.1 200 OK\r\n").append(lines).append("\r\n");
}

inline Fault request_fault(std::string_view text) {
  const Request request(text);
  EXPECT_FALSE(request.ok()) << text;
  return request.fault();
}
inline Fault response_fault(std::string_view text, Method asked = Method::get, bool asked_upgrade = false) {
  const Response response(text, asked, asked_upgrade);
  EXPECT_FALSE(response.ok()) << text;
  return response.fault();
}

}  // namespace limpet::wire
