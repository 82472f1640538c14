// Access lines: whatever the fields hold, one line, in the documented shape, that says what the fields say.
#include <boost/json.hpp>

#include <array>
#include <cassert>
#include <string>

#include "proxy/log/access_line.h"

using namespace limpet::log;

namespace {

constexpr std::size_t kFields = 11;

struct Fields {
  AccessRecord record;
  std::array<std::string_view*, kFields> texts{
      &record.user_agent, &record.target, &record.client, &record.sid,      &record.host,  &record.request_id,
      &record.method,     &record.route,  &record.server, &record.ended_by, &record.reason};
};

// The fields are what stands between bytes of 0xfe; the numbers are the size and the first bytes.
void fill(Fields& fields, std::string_view bytes) {
  AccessRecord& r = fields.record;
  r.tunnel = bytes.size() % 2 != 0;
  r.http_minor = bytes.size() % 3 != 0;
  r.status = static_cast<std::uint16_t>(bytes.size());
  r.connect_us =
      bytes.empty() ? AccessRecord::kNever : static_cast<unsigned char>(bytes[0]) * 0x123456789abcdeull;
  r.bytes_in = ~r.connect_us;
  for (std::string_view* each : fields.texts) {
    const std::size_t end = std::min(bytes.find('\xfe'), bytes.size());
    *each = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

// RFC 3629, told another way than the code under test does.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t n) {
      return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0u;
    };
    const auto tail = [&](std::size_t n) { return at(n) >= 0x80 && at(n) <= 0xbf; };
    const unsigned a = at(0), b = at(1);
    if (a <= 0x7f) {
      i += 1;
    } else if (a >= 0xc2 && a <= 0xdf && tail(1)) {
      i += 2;
    } else if (a >= 0xe0 && a <= 0xef && tail(1) && tail(2) && (a != 0xe0 || b >= 0xa0) &&
               (a != 0xed || b <= 0x9f)) {
      i += 3;
    } else if (a >= 0xf0 && a <= 0xf4 && tail(1) && tail(2) && tail(3) && (a != 0xf0 || b >= 0x90) &&
               (a != 0xf4 || b <= 0x8f)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

void check_line(std::string_view line) {
  assert(line.size() <= Line::kMost && line.find('\n') == line.size() - 1);
  line.remove_suffix(1);
  for (const char c : line) assert(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  assert(is_utf8(line));
}

// Splits as a reader would: at spaces. What the fields hold moves no column.
void check_text(std::string_view line) {
  check_line(line);
  constexpr std::array<std::string_view, 18> kBegin = {
      "2",       "",    "\"",   "",         "HTTP/1.",  "",       "kind=",  "id=", "pool=",
      "server=", "by=", "sid=", "retries=", "connect=", "first=", "total=", "in=", "out="};
  for (const std::string_view begin : kBegin) {
    const std::size_t end = line.find(' ');
    assert(end != line.npos && end > 0 && line.starts_with(begin));
    line.remove_prefix(end + 1);
  }
  assert(line.starts_with("end=") && line.find(" ua=\"") != line.npos);
  line.remove_prefix(line.find(' ') + 1);
  assert(line.starts_with("ua=\"") && line.ends_with("\"\n"));
  line.remove_prefix(4);
  line.remove_suffix(2);
  for (std::size_t i = 0; i < line.size(); ++i) {  // the quote at the end is the first that is not escaped
    assert(line[i] != '"');
    if (line[i] == '\\') ++i;
    assert(i < line.size());
  }
}

// What a byte of the field becomes in JSON, for fields of ASCII.
void check_member(const boost::json::object& object, std::string_view name, std::string_view field,
                  std::size_t most) {
  const boost::json::value& value = object.at({name.data(), name.size()});
  if (field.empty()) return assert(value.is_null());
  const auto& text = value.as_string();
  for (const char c : field) {
    if (static_cast<unsigned char>(c) >= 0x80) return;
  }
  const std::string_view shown(text.data(), text.size());
  if (shown == field) return;
  assert(6 * field.size() > most && shown.ends_with("...") &&
         field.starts_with(shown.substr(0, shown.size() - 3)));
}

void check_json(std::string_view line, const AccessRecord& r) {
  check_line(line);
  line.remove_suffix(1);
  const boost::json::value parsed = boost::json::parse({line.data(), line.size()});  // throws: a finding
  const boost::json::object& object = parsed.as_object();
  assert(object.size() == 22);
  check_member(object, "user_agent", r.user_agent, 512);
  check_member(object, "target", r.target, 1536);
  check_member(object, "client", r.client, 128);
  check_member(object, "host", r.host, 256);
  check_member(object, "id", r.request_id, 64);
  check_member(object, "sid", r.sid.substr(0, 6), 64);
  check_member(object, "server", r.server, 64);
  assert(object.at("bytes_in").to_number<std::uint64_t>() == r.bytes_in);
  assert(object.at("connect_ms").is_null() == (r.connect_us == AccessRecord::kNever));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Fields fields;
  fill(fields, {reinterpret_cast<const char*>(data), size});
  Line text, json;
  check_text(format_access(text, fields.record, false));
  check_json(format_access(json, fields.record, true), fields.record);

  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  for (const std::size_t most : {std::size_t{0}, size % 17, 6 * size}) {
    for (const Style style : {Style::message, Style::bare, Style::quoted, Style::json}) {
      const std::string shown = escaped(whole, style, most);
      assert(shown.size() <= most && is_utf8(shown) && shown.find('\n') == shown.npos);
    }
  }
  return 0;
}
