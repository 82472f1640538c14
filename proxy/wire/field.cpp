// Fields by name: which ones the proxy knows, and small questions to lists of them.
#include <algorithm>

#include "proxy/wire/bytes.h"
#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

// By length, so that a name is compared with a handful at most.
constexpr Known kKnown[] = {
    {"te", FieldId::te},
    {"via", FieldId::via},
    {"host", FieldId::host},
    {"accept", FieldId::accept},
    {"cookie", FieldId::cookie},
    {"expect", FieldId::expect},
    {"trailer", FieldId::trailer},
    {"upgrade", FieldId::upgrade},
    {"forwarded", FieldId::forwarded},
    {"x-real-ip", FieldId::x_real_ip},
    {"connection", FieldId::connection},
    {"keep-alive", FieldId::keep_alive},
    {"set-cookie", FieldId::set_cookie},
    {"user-agent", FieldId::user_agent},
    {"retry-after", FieldId::retry_after},
    {"x-client-ip", FieldId::x_client_ip},
    {"content-type", FieldId::content_type},
    {"x-request-id", FieldId::x_request_id},
    {"authorization", FieldId::authorization},
    {"cache-control", FieldId::cache_control},
    {"content-length", FieldId::content_length},
    {"true-client-ip", FieldId::true_client_ip},
    {"accept-encoding", FieldId::accept_encoding},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"proxy-connection", FieldId::proxy_connection},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-port", FieldId::x_forwarded_port},
    {"sec-websocket-key", FieldId::sec_websocket_key},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"proxy-authenticate", FieldId::proxy_authenticate},
    {"x-forwarded-prefix", FieldId::x_forwarded_prefix},
    {"x-forwarded-server", FieldId::x_forwarded_server},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"sec-websocket-accept", FieldId::sec_websocket_accept},
    {"sec-websocket-version", FieldId::sec_websocket_version},
    {"sec-websocket-protocol", FieldId::sec_websocket_protocol},
    {"sec-websocket-extensions", FieldId::sec_websocket_extensions},
};
constexpr std::size_t kLongest = std::end(kKnown)[-1].name.size();
static_assert(std::is_sorted(std::begin(kKnown), std::end(kKnown),
                             [](const Known& a, const Known& b) { return a.name.size() < b.name.size(); }));
static_assert(std::size(kKnown) == static_cast<std::size_t>(FieldId::true_client_ip));

// kFirst[n]: where the names of n bytes begin.
constexpr std::array<std::uint8_t, kLongest + 2> kFirst = [] {
  std::array<std::uint8_t, kLongest + 2> first{};
  for (std::size_t length = 0; length < first.size(); ++length) {
    while (first[length] < std::size(kKnown) && kKnown[first[length]].name.size() < length) ++first[length];
  }
  return first;
}();

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.size() > kLongest) return FieldId::other;
  for (std::size_t i = kFirst[name.size()]; i < kFirst[name.size() + 1]; ++i) {
    if (equal_ignoring_case(kKnown[i].name, name)) return kKnown[i].id;
  }
  return FieldId::other;
}

const Field* find(std::span<const Field> fields, FieldId id) {
  const auto at = std::ranges::find(fields, id, &Field::id);
  return at == fields.end() ? nullptr : &*at;
}

bool has_token(std::string_view list, std::string_view token) {
  ListReader elements(list);
  for (std::string_view element; elements.next(element);) {
    if (equal_ignoring_case(element, token)) return true;
  }
  return false;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool idempotent(Method method) {
  return method != Method::post && method != Method::patch && method != Method::other;
}

}  // namespace limpet::wire
