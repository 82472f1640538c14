#include "backend/socketio/query.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>

#include "backend/engine/text.h"

namespace limpet::socketio {
namespace {

void add(boost::json::object& query, const std::string& key, std::string value) {
  boost::json::value* known = query.if_contains(key);
  if (known == nullptr) {
    query[key] = std::move(value);
  } else if (known->is_array()) {
    known->get_array().emplace_back(std::move(value));
  } else {
    *known = boost::json::array{*known, boost::json::string(value)};
  }
}

}  // namespace

NamespaceQuery split_namespace(std::string_view name) {
  const std::size_t mark = std::min(name.find('?'), name.size());
  NamespaceQuery split{name.substr(0, mark), {}};
  std::string_view rest = name.substr(std::min(mark + 1, name.size()));
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) continue;
    std::string key_room, value_room;
    add(split.query, std::string(engine::form_decoded(pair.substr(0, equals), key_room)),
        std::string(engine::form_decoded(pair.substr(std::min(equals + 1, pair.size())), value_room)));
  }
  return split;
}

bool is_namespace_name(std::string_view name) {
  return name.size() <= 256 && engine::valid_utf8(name);
}

}  // namespace limpet::socketio
