// ChunkReader: a byte at a time between runs of payload, a run at a time within them.
#include "proxy/wire/chunked.h"

#include <algorithm>
#include <charconv>

#include "proxy/wire/bytes.h"

namespace limpet::wire {
namespace {

constexpr std::uint8_t kMostDigits = 16;
constexpr std::uint16_t kMostExtension = 256;
constexpr std::uint16_t kMostTrailerBytes = 8 * 1024;
constexpr std::uint8_t kMostTrailers = 64;

using MaybeFault = std::optional<Fault>;

// RFC 9110, 6.5.1: nothing that frames, routes, authenticates, modifies the request or describes the content.
// Names with an underscore are someone's X_Forwarded_For; every field that the proxy knows is one that
// counts.
bool may_pass(std::string_view name) {
  if (field_id(name) != FieldId::other || name.find('_') != name.npos) return false;
  for (const std::string_view prefix :
       {"content-", "proxy-", "if-", "sec-", "x-forwarded-", "access-control-"}) {
    if (equal_ignoring_case(name.substr(0, prefix.size()), prefix)) return false;
  }
  for (const std::string_view forbidden :
       {"www-authenticate", "authentication-info", "max-forwards", "pragma", "range", "age", "date",
        "expires", "location", "vary", "warning", "origin", "referer", "http2-settings"}) {
    if (equal_ignoring_case(name, forbidden)) return false;
  }
  return true;
}

}  // namespace

enum class ChunkReader::At : std::uint8_t {
  size,
  extension,
  size_lf,
  data,
  data_cr,
  data_lf,
  trailer_start,
  trailer_name,
  trailer_value,
  trailer_lf,
  end_lf,
  done,
  refused,
};

ChunkReader::Step ChunkReader::next(std::string_view in) {
  Step step;
  while (step.used < in.size() && at_ < At::done) {
    if (at_ == At::data) {
      const std::size_t run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - step.used));
      step.data = in.substr(step.used, run);
      step.used += run;
      payload_ += run;
      left_ -= run;
      if (left_ == 0) at_ = At::data_cr;
      return step;
    }
    if (const auto fault = framing_byte(in[step.used])) {
      fault_ = *fault;
      at_ = At::refused;
      break;
    }
    ++step.used;
  }
  if (at_ == At::done) step.state = Step::State::done;
  if (at_ == At::refused) step.state = Step::State::refused;
  return step;
}

MaybeFault ChunkReader::framing_byte(char c) {
  switch (at_) {
    case At::data_cr:
      if (c != '\r') return Fault::bad_chunk;
      at_ = At::data_lf;
      return {};
    case At::data_lf:
      if (c != '\n') return Fault::bad_chunk;
      at_ = At::size;
      return {};
    case At::size:
    case At::extension:
    case At::size_lf: return in_size(c);
    default: return in_trailers(c);
  }
}

MaybeFault ChunkReader::in_size(char c) {
  if (at_ == At::size_lf) {
    if (c != '\n') return Fault::bad_chunk;
    digits_ = 0;
    at_ = left_ > 0 ? At::data : At::trailer_start;
    return {};
  }
  if (at_ == At::size && is(c, kHex)) {
    left_ = left_ << 4 | static_cast<std::uint64_t>(hex_value(c));
    // No body has over 2^63 bytes; refusing there keeps the sums of all who count them simple.
    return ++digits_ > kMostDigits || left_ > most_ ? MaybeFault(Fault::bad_chunk) : std::nullopt;
  }
  if (digits_ == 0) return Fault::bad_chunk;
  if (c == '\r') {
    at_ = At::size_lf;
    return {};
  }
  const bool ok = at_ == At::extension ? is(c, kExtension) : c == ';';
  if (!ok || ++extension_ > kMostExtension) return Fault::bad_chunk;
  at_ = At::extension;
  return {};
}

MaybeFault ChunkReader::in_trailers(char c) {
  if (++trailer_bytes_ > kMostTrailerBytes) return Fault::bad_trailer;
  switch (at_) {
    case At::trailer_start:
      if (c == '\r') {
        at_ = At::end_lf;
        return {};
      }
      if (!is(c, kToken) || ++trailer_fields_ > kMostTrailers) return Fault::bad_trailer;
      line_.assign(1, c);
      at_ = At::trailer_name;
      return {};
    case At::trailer_name:
      if (c == ':') at_ = At::trailer_value;
      if (c != ':' && !is(c, kToken)) return Fault::bad_trailer;
      line_ += c;
      return {};
    case At::trailer_value:
      if (c == '\r') at_ = At::trailer_lf;
      if (c != '\r' && !is(c, kValue)) return Fault::bad_trailer;
      if (c != '\r') line_ += c;
      return {};
    case At::trailer_lf:
      if (c != '\n') return Fault::bad_trailer;
      keep_trailer();
      at_ = At::trailer_start;
      return {};
    default:
      if (c != '\n') return Fault::bad_trailer;
      at_ = At::done;
      return {};
  }
}

void ChunkReader::keep_trailer() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (!may_pass(line.substr(0, colon))) return;
  trailers_.append(line.substr(0, colon)).append(": ").append(trim(line.substr(colon + 1))).append("\r\n");
}

std::size_t write_chunk_size(std::uint64_t size, char (&out)[20]) {
  char* end = std::to_chars(out, out + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return static_cast<std::size_t>(end - out);
}

}  // namespace limpet::wire
