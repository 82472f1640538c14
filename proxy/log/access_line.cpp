#include "proxy/log/access_line.h"

namespace limpet::log {
namespace {

// How many bytes of each field are shown, escaped.
constexpr std::size_t kMostClient = 128, kMostMethod = 32, kMostHost = 256, kMostTarget = 1536,
                      kMostWord = 64, kMostId = 128, kMostAgent = 512, kSidShown = 6;
constexpr std::size_t kWords = 6;            // pool, server, by, sid, ended by, reason
constexpr std::size_t kNumbers = 9 * 20;     // with a time's fraction counted as digits
constexpr std::size_t kNamesAndMarks = 400;  // what a line has besides, in JSON
static_assert(kMostClient + kMostMethod + kMostHost + kMostTarget + kWords * kMostWord + kMostId +
                  kMostAgent + kNumbers + kNamesAndMarks <
              Line::kMost);

void field(Line& line, std::string_view text, std::size_t most) {
  if (text.empty()) {
    line.put("-");
  } else {
    line.put_escaped(text, Style::bare, most);
  }
}

void field_ms(Line& line, std::uint64_t us) {
  if (us == AccessRecord::kNever) {
    line.put("-");
  } else {
    line.put_ms(us);
  }
}

// Always three words.
void request(Line& line, const AccessRecord& r) {
  line.put("\"");
  field(line, r.method, kMostMethod);
  line.put(" ");
  line.put_escaped(r.host, Style::bare, kMostHost);
  if (!r.target.empty() || r.host.empty()) field(line, r.target, kMostTarget);
  line.put(r.http_minor == 0 ? " HTTP/1.0\" " : " HTTP/1.1\" ");
}

void as_text(Line& line, const AccessRecord& r) {
  line.put_time();
  line.put(" ");
  field(line, r.client, kMostClient);
  line.put(" ");
  request(line, r);
  line.put(r.status);
  line.put(r.tunnel ? " kind=tunnel id=" : " kind=request id=");
  field(line, r.request_id, kMostId);
  line.put(" pool=");
  field(line, r.route, kMostWord);
  line.put(" server=");
  field(line, r.server, kMostWord);
  line.put(" by=");
  field(line, r.by, kMostWord);
  line.put(" sid=");
  field(line, r.sid.substr(0, kSidShown), kMostWord);
  line.put(" retries=");
  line.put(r.retries);
  line.put(" connect=");
  field_ms(line, r.connect_us);
  line.put(" first=");
  field_ms(line, r.first_byte_us);
  line.put(" total=");
  line.put_ms(r.total_us);
  line.put(" in=");
  line.put(r.bytes_in);
  line.put(" out=");
  line.put(r.bytes_out);
  line.put(" end=");
  field(line, r.ended_by, kMostWord);
  line.put(":");
  field(line, r.reason, kMostWord);
  line.put(" ua=\"");
  line.put_escaped(r.user_agent, Style::quoted, kMostAgent);
  line.put("\"");
}

// Names are given with what stands before and after them: ",\"client\":".
void member(Line& line, std::string_view name, std::string_view text, std::size_t most) {
  line.put(name);
  if (text.empty()) return line.put("null");
  line.put("\"");
  line.put_escaped(text, Style::json, most);
  line.put("\"");
}

void member(Line& line, std::string_view name, std::uint64_t number) {
  line.put(name);
  line.put(number);
}

void member_ms(Line& line, std::string_view name, std::uint64_t us) {
  line.put(name);
  if (us == AccessRecord::kNever) return line.put("null");
  line.put_ms(us);
}

void as_json(Line& line, const AccessRecord& r) {
  line.put("{\"time\":\"");
  line.put_time();
  line.put(r.tunnel ? "\",\"kind\":\"tunnel\"" : "\",\"kind\":\"request\"");
  member(line, ",\"client\":", r.client, kMostClient);
  member(line, ",\"id\":", r.request_id, kMostId);
  member(line, ",\"method\":", r.method, kMostMethod);
  member(line, ",\"host\":", r.host, kMostHost);
  member(line, ",\"target\":", r.target, kMostTarget);
  line.put(r.http_minor == 0 ? ",\"protocol\":\"HTTP/1.0\"" : ",\"protocol\":\"HTTP/1.1\"");
  member(line, ",\"status\":", r.status);
  member(line, ",\"pool\":", r.route, kMostWord);
  member(line, ",\"server\":", r.server, kMostWord);
  member(line, ",\"by\":", r.by, kMostWord);
  member(line, ",\"sid\":", r.sid.substr(0, kSidShown), kMostWord);
  member(line, ",\"retries\":", r.retries);
  member_ms(line, ",\"connect_ms\":", r.connect_us);
  member_ms(line, ",\"first_byte_ms\":", r.first_byte_us);
  member_ms(line, ",\"total_ms\":", r.total_us);
  member(line, ",\"bytes_in\":", r.bytes_in);
  member(line, ",\"bytes_out\":", r.bytes_out);
  member(line, ",\"ended_by\":", r.ended_by, kMostWord);
  member(line, ",\"reason\":", r.reason, kMostWord);
  member(line, ",\"user_agent\":", r.user_agent, kMostAgent);
  line.put("}");
}

}  // namespace

std::string_view format_access(Line& line, const AccessRecord& record, bool json) {
  if (json) {
    as_json(line, record);
  } else {
    as_text(line, record);
  }
  return line.finish();
}

std::string_view format_gap(Line& line, std::uint64_t lines, bool json) {
  if (json) line.put("{\"time\":\"");
  line.put_time();
  line.put(json ? "\",\"kind\":\"dropped\",\"lines\":" : " - \"- - -\" 0 kind=dropped lines=");
  line.put(lines);
  if (json) line.put("}");
  return line.finish();
}

}  // namespace limpet::log
