#include "backend/engine/query.h"

#include <algorithm>
#include <string>

#include "backend/engine/text.h"

namespace limpet::engine {
namespace {

Query::Transport transport_of(std::string_view name) {
  if (name == "polling") return Query::Transport::polling;
  if (name == "websocket") return Query::Transport::websocket;
  return Query::Transport::unknown;
}

void take_sid(Query& query, std::string_view sid) {
  query.sid_given = !sid.empty();
  query.sid_size = sid.size() == Query::kSid ? Query::kSid : 0;
  std::copy_n(sid.data(), query.sid_size, query.sid_bytes);
}

void take_index(Query& query, std::string_view index) {
  query.jsonp = true;
  query.index_digits = 0;
  for (const char c : index) {
    if (c < '0' || c > '9' || query.index_digits == Query::kMostDigits) continue;
    query.index_bytes[query.index_digits++] = c;
  }
}

void take(Query& query, std::string_view key, std::string_view value) {
  if (key == "EIO") {
    query.revision = value == "4" ? 4 : 3;
  } else if (key == "transport") {
    query.transport = transport_of(value);
  } else if (key == "sid") {
    take_sid(query, value);
  } else if (key == "b64") {
    query.base64 = !value.empty();
  } else if (key == "j") {
    take_index(query, value);
  }
}

}  // namespace

Query parse_query(std::string_view text) {
  Query query;
  std::string key_room, value_room;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    take(query, form_decoded(pair.substr(0, equals), key_room), form_decoded(value, value_room));
  }
  return query;
}

}  // namespace limpet::engine
