// The framing decision. Stricter than RFC 9112 allows wherever two parsers could differ: a length is one
// field of digits, a coding is `chunked` and nothing else.
#include "proxy/wire/framing.h"

#include <charconv>

#include "proxy/wire/bytes.h"

namespace limpet::wire {
namespace {

// More than any client sends; bounds the work of removing the fields that Connection names.
constexpr unsigned kMostOptions = 32;

bool known_coding(std::string_view name) {
  for (const std::string_view coding : {"chunked", "gzip", "x-gzip", "deflate", "compress", "x-compress"}) {
    if (equal_ignoring_case(name, coding)) return true;
  }
  return false;
}

// 501 is for what a stricter proxy could not do either: codings that exist, `chunked` once and last.
Fault coding_fault(std::string_view value) {
  ListReader codings(value);
  bool chunked = false;
  for (std::string_view coding; codings.next(coding);) {
    if (chunked || !known_coding(coding)) return Fault::bad_transfer_encoding;
    chunked = equal_ignoring_case(coding, "chunked");
  }
  const bool tidy = !value.empty() && value.front() != ',' && value.back() != ',';
  return chunked && tidy ? Fault::coding_unsupported : Fault::bad_transfer_encoding;
}

std::optional<std::uint64_t> parse_length(std::string_view value) {
  std::uint64_t length = 0;
  if (value.empty() || !all(value, kDigit)) return std::nullopt;
  if (std::from_chars(value.data(), value.data() + value.size(), length).ec != std::errc())
    return std::nullopt;
  if (length > INT64_MAX) return std::nullopt;
  return length;
}

struct Reader {
  Framing out;
  unsigned options = 0;
  bool upgrade_field = false;

  void refuse(Fault fault) {
    if (!out.fault) out.fault = fault;
  }
  // Whatever else is wrong with either of them.
  void refuse_both() { out.fault = Fault::length_and_coding; }

  void connection(std::string_view value) {
    ListReader list(value);
    for (std::string_view option; list.next(option);) {
      if (equal_ignoring_case(option, "close")) out.close = true;
      if (equal_ignoring_case(option, "keep-alive")) out.keep_alive = true;
      if (equal_ignoring_case(option, "upgrade")) out.upgrade = true;
      const FieldId named = field_id(option);
      const bool framing = named == FieldId::content_length || named == FieldId::transfer_encoding;
      if (framing || ++options > kMostOptions) refuse(Fault::bad_connection);
    }
  }

  void length(std::string_view value) {
    if (out.coding) return refuse_both();
    const auto parsed = parse_length(value);
    if (!parsed || out.length) return refuse(Fault::bad_content_length);
    out.length = parsed;
  }

  void coding(std::string_view value, std::uint8_t minor) {
    if (out.length) return refuse_both();
    // RFC 9112, 6.1: in HTTP/1.0 the framing is faulty.
    if (out.coding || minor == 0) return refuse(Fault::bad_transfer_encoding);
    out.coding = true;
    out.chunked = equal_ignoring_case(value, "chunked");
    if (!out.chunked) refuse(coding_fault(value));
  }
};

}  // namespace

Framing read_framing(std::span<const Field> fields, std::uint8_t minor) {
  Reader reader;
  for (const Field& field : fields) {
    switch (field.id) {
      case FieldId::connection: reader.connection(field.value); break;
      case FieldId::content_length: reader.length(field.value); break;
      case FieldId::transfer_encoding: reader.coding(field.value, minor); break;
      case FieldId::upgrade: reader.upgrade_field = true; break;
      default: break;
    }
  }
  reader.out.upgrade = reader.out.upgrade && reader.upgrade_field;
  return reader.out;
}

}  // namespace limpet::wire
