// llhttp over a field section: the only file that sees llhttp. It runs strict, whatever its version, and
// stops before the body; framing is decided in framing.cpp.
#include "proxy/wire/field_parser.h"

#include <llhttp.h>

#include <algorithm>

#include "proxy/wire/bytes.h"

namespace limpet::wire {
namespace {

FieldList& list(llhttp_t* parser) {
  return *static_cast<FieldList*>(parser->data);
}

int on_name(llhttp_t* parser, const char* at, std::size_t length) {
  list(parser).push_back({{at, length}, {}, field_id({at, length})});
  return 0;
}
int on_value(llhttp_t* parser, const char* at, std::size_t length) {
  list(parser).back().value = trim({at, length});
  return 0;
}
int on_end(llhttp_t*) {
  return HPE_PAUSED;
}

const llhttp_settings_t kSettings = [] {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_headers_complete = on_end;
  return settings;
}();

// A parser that has just read a start line; copied for each head, which is cheaper than reading one.
llhttp_t after(llhttp_type_t type, std::string_view line) {
  llhttp_t parser;
  llhttp_init(&parser, type, &kSettings);
  llhttp_execute(&parser, line.data(), line.size());
  return parser;
}
const llhttp_t kAfterRequestLine = after(HTTP_REQUEST, "GET / HTTP/1.1\r\n");
const llhttp_t kAfterStatusLine = after(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n");

Fault fault_of(llhttp_errno_t error) {
  switch (error) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH: return Fault::bad_content_length;
    case HPE_INVALID_TRANSFER_ENCODING: return Fault::bad_transfer_encoding;
    case HPE_INVALID_HEADER_TOKEN: return Fault::bad_field_name;
    default: return Fault::bad_line_end;
  }
}

// llhttp cuts the value that it refuses where it stopped; what is wrong with it shows only in the whole.
void restore_last(std::string_view block, FieldList& fields) {
  if (fields.empty()) return;
  const std::string_view name = fields.back().name;
  const std::size_t colon = static_cast<std::size_t>(name.data() - block.data()) + name.size();
  if (colon >= block.size() || block[colon] != ':') return;
  const std::size_t end = std::min(block.find('\r', colon), block.size());
  fields.back().value = trim(block.substr(colon + 1, end - colon - 1));
}

}  // namespace

std::optional<Fault> parse_fields(Side side, std::string_view block, FieldList& fields) {
  fields.clear();
  llhttp_t parser = side == Side::request ? kAfterRequestLine : kAfterStatusLine;
  parser.data = &fields;
  const llhttp_errno_t error = llhttp_execute(&parser, block.data(), block.size());
  if (error == HPE_PAUSED) return std::nullopt;
  restore_last(block, fields);
  return fault_of(error);
}

}  // namespace limpet::wire
