// How an access line looks. Field budgets add up to less than Line::kMost, so that a line is always whole.
#include "proxy/log/access.h"

#include "proxy/log/line.h"
#include "proxy/log/state.h"

namespace limpet::log {
namespace {

constexpr std::size_t kMostClient = 64, kMostMethod = 32, kMostHost = 256, kMostTarget = 1536, kMostName = 64,
                      kMostAgent = 512, kSidShown = 6;

void put_or_dash(Line& line, std::string_view text, Style style, std::size_t most) {
  if (text.empty()) {
    line.put("-");
  } else {
    line.put_escaped(text, style, most);
  }
}

void put_ms_or_dash(Line& line, std::uint64_t us) {
  if (us == AccessRecord::kNever) {
    line.put("-");
  } else {
    line.put_ms(us);
  }
}

void as_text(Line& line, const AccessRecord& r) {
  line.put_time();
  line.put(" ");
  put_or_dash(line, r.client, Style::text, kMostClient);
  line.put(" \"");
  put_or_dash(line, r.method, Style::quoted, kMostMethod);
  line.put(" ");
  line.put_escaped(r.host, Style::quoted, kMostHost);
  line.put_escaped(r.target, Style::quoted, kMostTarget);
  line.put(r.http_minor == 0 ? " HTTP/1.0\" " : " HTTP/1.1\" ");
  line.put(r.status);
  line.put(r.tunnel ? " kind=tunnel id=" : " kind=request id=");
  put_or_dash(line, r.request_id, Style::text, kMostName);
  line.put(" pool=");
  put_or_dash(line, r.route, Style::text, kMostName);
  line.put(" server=");
  put_or_dash(line, r.server, Style::text, kMostName);
  line.put(" by=");
  put_or_dash(line, r.by, Style::text, kMostName);
  line.put(" sid=");
  put_or_dash(line, r.sid.substr(0, kSidShown), Style::text, kMostName);
  line.put(" retries=");
  line.put(r.retries);
  line.put(" connect=");
  put_ms_or_dash(line, r.connect_us);
  line.put(" first=");
  put_ms_or_dash(line, r.first_byte_us);
  line.put(" total=");
  line.put_ms(r.total_us);
  line.put(" in=");
  line.put(r.bytes_in);
  line.put(" out=");
  line.put(r.bytes_out);
  line.put(" end=");
  line.put(r.ended_by);
  line.put(":");
  line.put(r.reason);
  line.put(" ua=\"");
  line.put_escaped(r.user_agent, Style::quoted, kMostAgent);
  line.put("\"");
}

void member(Line& line, std::string_view name, std::string_view text, std::size_t most) {
  line.put(",\"");
  line.put(name);
  line.put("\":");
  if (text.empty()) {
    line.put("null");
    return;
  }
  line.put("\"");
  line.put_escaped(text, Style::json, most);
  line.put("\"");
}

void member(Line& line, std::string_view name, std::uint64_t number) {
  line.put(",\"");
  line.put(name);
  line.put("\":");
  line.put(number);
}

void member_ms(Line& line, std::string_view name, std::uint64_t us) {
  line.put(",\"");
  line.put(name);
  line.put("\":");
  if (us == AccessRecord::kNever) {
    line.put("null");
  } else {
    line.put_ms(us);
  }
}

void as_json(Line& line, const AccessRecord& r) {
  line.put("{\"time\":\"");
  line.put_time();
  line.put(r.tunnel ? "\",\"kind\":\"tunnel\"" : "\",\"kind\":\"request\"");
  member(line, "client", r.client, kMostClient);
  member(line, "id", r.request_id, kMostName);
  member(line, "method", r.method, kMostMethod);
  member(line, "host", r.host, kMostHost);
  member(line, "target", r.target, kMostTarget);
  line.put(r.http_minor == 0 ? ",\"protocol\":\"HTTP/1.0\"" : ",\"protocol\":\"HTTP/1.1\"");
  member(line, "status", r.status);
  member(line, "pool", r.route, kMostName);
  member(line, "server", r.server, kMostName);
  member(line, "by", r.by, kMostName);
  member(line, "sid", r.sid.substr(0, kSidShown), kMostName);
  member(line, "retries", r.retries);
  member_ms(line, "connect_ms", r.connect_us);
  member_ms(line, "first_byte_ms", r.first_byte_us);
  member_ms(line, "total_ms", r.total_us);
  member(line, "bytes_in", r.bytes_in);
  member(line, "bytes_out", r.bytes_out);
  member(line, "ended_by", r.ended_by, kMostName);
  member(line, "reason", r.reason, kMostName);
  member(line, "user_agent", r.user_agent, kMostAgent);
  line.put("}");
}

}  // namespace

bool access_enabled() { return access_writer() != nullptr; }

void access(const AccessRecord& record) {
  Writer* writer = access_writer();
  if (writer == nullptr) return;
  thread_local Line line;
  line.clear();
  if (access_as_json()) {
    as_json(line, record);
  } else {
    as_text(line, record);
  }
  writer->put(line.finish());
}

}  // namespace limpet::log
