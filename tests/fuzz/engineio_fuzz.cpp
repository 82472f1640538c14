// Engine.IO: a sid that is given out is clean, an open packet is found the same in plain, sized and JSONP
// form.
#include <cassert>
#include <string>

#include "proxy/wire/engineio.h"

using namespace limpet::wire;
using namespace std::chrono_literals;

namespace {

bool clean(std::string_view sid) {
  for (const char c : sid) {
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' &&
        c != '_') {
      return false;
    }
  }
  return sid.size() <= 64;
}

std::string as_jsonp(std::string_view text) {
  std::string body = "___eio[0](\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') body += '\\';
    body += c;
  }
  return body + "\");";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const EngineIoQuery query = parse_engineio_query(bytes);
  assert(clean(query.sid()) && (query.sid_length == 0 || query.sid_given));

  const auto open = parse_engineio_open(bytes);
  if (open) {
    assert(!open->sid.empty() && clean(open->sid));
    assert(open->ping_interval >= 1s && open->ping_interval <= 24h);
    assert(open->ping_timeout >= 1s && open->ping_timeout <= 24h);
  }
  // "0{" alone is plain: "05:0{" is a sized packet already.
  if (open && bytes.starts_with("0{")) {
    for (const std::string& form : {"123:" + std::string(bytes), as_jsonp(bytes)}) {
      if (form.size() > BodySample::kMost) continue;
      const auto again = parse_engineio_open(form);
      assert(again && again->sid == open->sid && again->ping_interval == open->ping_interval);
    }
  }

  says_sid_unknown(bytes);
  BodySample sample;
  for (std::size_t at = 0; at < bytes.size(); at += 100) sample.add(bytes.substr(at, 100));
  assert(sample.bytes() == bytes.substr(0, BodySample::kMost));
  return 0;
}
