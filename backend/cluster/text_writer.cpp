#include "backend/cluster/text_writer.h"

#include <charconv>

#include "backend/codec/json_writer.h"

namespace limpet::cluster {
namespace {

template <class Integer>
void append_integer(std::string& out, Integer number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

void TextWriter::clear() {
  text_.clear();
  open_.clear();
}

void TextWriter::begin() {
  if (open_.empty()) return;
  Open& top = open_.back();
  const bool is_value = top.is_map && top.left % 2 == 1;
  if (!top.fresh) text_ += is_value ? ':' : ',';
  top.fresh = false;
  --top.left;
}

void TextWriter::end() {
  while (!open_.empty() && open_.back().left == 0) {
    text_ += open_.back().is_map ? '}' : ']';
    open_.pop_back();
  }
}

void TextWriter::open(char bracket, std::size_t values, bool is_map) {
  begin();
  text_ += bracket;
  open_.push_back({values, is_map, true});
  end();
}

void TextWriter::array(std::size_t size) {
  open('[', size, false);
}
void TextWriter::map(std::size_t size) {
  open('{', 2 * size, true);
}

void TextWriter::nil() {
  begin();
  text_ += "null";
  end();
}
void TextWriter::boolean(bool value) {
  begin();
  text_ += value ? "true" : "false";
  end();
}
void TextWriter::integer(std::int64_t value) {
  begin();
  append_integer(text_, value);
  end();
}
void TextWriter::number(double value) {
  begin();
  codec::write_number(text_, value);
  end();
}
void TextWriter::text(std::string_view value) {
  begin();
  codec::write_string(text_, value);
  end();
}

void TextWriter::value(const boost::json::value& value, const codec::Args& args) {
  begin();
  codec::write_json_with_buffers(text_, value, args);
  end();
}

}  // namespace limpet::cluster
