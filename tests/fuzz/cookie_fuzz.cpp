// Cookies: what is found is in the field, what was removed is no longer found, what was rewritten reads back.
#include <array>
#include <cassert>
#include <string>

#include "proxy/wire/cookie.h"

using namespace limpet::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t half = bytes.find('\n');  // no field value holds one
  const Field fields[] = {{"Cookie", bytes.substr(0, half), FieldId::cookie},
                          {"X", "io=no", FieldId::other},
                          {"Cookie", half == bytes.npos ? "" : bytes.substr(half + 1), FieldId::cookie}};
  std::array<std::string_view, 3> values;
  const std::size_t found = cookie_values(fields, "io", values);
  for (std::size_t i = 0; i < found; ++i) {
    assert(values[i].empty() || (values[i].data() >= bytes.data() && values[i].size() <= bytes.size()));
  }

  std::string rest;
  const bool kept = append_without_cookie(rest, fields[0].value, "io");
  assert(kept == !rest.empty() && rest.size() <= 2 * fields[0].value.size());
  const Field left[] = {{"Cookie", rest, FieldId::cookie}};
  assert(cookie_values(left, "io", values) == 0);

  std::string rewritten;
  append_with_value(rewritten, bytes, "ws1");
  if (const auto before = parse_set_cookie(bytes)) {
    const auto after = parse_set_cookie(rewritten);
    assert(after && after->name == before->name && after->value == "ws1");
  } else if (bytes.substr(0, bytes.find(';')).find('=') == bytes.npos) {
    assert(rewritten == bytes);
  }
  return 0;
}
