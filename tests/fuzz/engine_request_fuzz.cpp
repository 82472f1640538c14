// What a stranger writes into an Engine.IO request beside its payload: query, form, bytes that are no text,
// codings.
#include <cassert>
#include <string>

#include "backend/engine/compression.h"
#include "backend/engine/jsonp.h"
#include "backend/engine/query.h"
#include "backend/engine/text.h"

using namespace limpet::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);

  const Query query = parse_query(bytes);
  assert(query.sid().empty() || (query.sid().size() == Query::kSid && query.sid_given));
  assert(query.revision == 3 || query.revision == 4);
  for (const char c : query.index()) assert(c >= '0' && c <= '9');

  std::string room;
  const std::string text(as_utf8(bytes, room));
  assert(valid_utf8(text));
  assert(valid_utf8(bytes) == (text == bytes));
  assert(bytes_of_units(text, utf16_length(text)) == text.size());
  bytes_of_units(text, size / 2);

  std::string script;
  append_jsonp(script, query.index(), text);
  for (const char c : script) assert(static_cast<unsigned char>(c) >= 0x20);
  assert(script.find("\xE2\x80\xA8") == std::string::npos);

  const auto payload = payload_of_form(bytes);
  assert(!payload || payload->size() <= size);
  choose_coding(bytes);
  return 0;
}
