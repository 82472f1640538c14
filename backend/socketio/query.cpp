#include "backend/socketio/query.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <string>

#include "backend/socketio/utf8.h"

namespace limpet::socketio {
namespace {

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* at = text.data() + i + 1;
    if (text[i] == '+')
      out += ' ';
    else if (text[i] != '%' || i + 2 >= text.size() || std::from_chars(at, at + 2, code, 16).ptr != at + 2)
      out += text[i];
    else
      out += static_cast<char>(code), i += 2;
  }
  return out;
}

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
    if (!pair.empty())
      add(split.query, decode(pair.substr(0, equals)),
          decode(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return split;
}

bool is_namespace_name(std::string_view name) {
  if (name.size() > 256) return false;
  for (const char* at = name.data(); at != name.data() + name.size();) {
    const std::size_t size = utf8_sequence(at, name.data() + name.size());
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace limpet::socketio
