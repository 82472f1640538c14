#include "backend/cluster/stream_entry.h"

#include <charconv>
#include <utility>

#include "backend/codec/base64.h"

namespace limpet::cluster {

StreamEntry read_entry(const redis::Reply& entry) {
  StreamEntry read;
  if (entry.size() != 2 || !entry[1].is_array()) return read;
  const redis::Reply fields = entry[1];
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::string_view key = fields[i].text();
    if (key == "uid")
      read.uid = fields[i + 1].text();
    else if (key == "nsp")
      read.nsp = fields[i + 1].text();
    else if (key == "type")
      read.type = fields[i + 1].text();
    else if (key == "data")
      read.data = fields[i + 1].text();
  }
  read.id = entry[0].text();
  return read;
}

std::optional<family::Incoming> read_message(const StreamEntry& entry) {
  unsigned type = 0;
  const char* const end = entry.type.data() + entry.type.size();
  const auto [stopped, error] = std::from_chars(entry.type.data(), end, type);
  if (error != std::errc{} || stopped != end || type == 0 || type > 255) return std::nullopt;
  auto data = family::read_data(entry.data);
  if (!data) return std::nullopt;
  return family::Incoming{static_cast<family::Type>(type), std::string(entry.uid), std::string(entry.nsp),
                          std::move(*data)};
}

std::string_view EntryWriter::data_of(const family::Outgoing& what) {
  if (only_plaintext_ || !what.has_bytes()) {
    text_.clear();
    family::write_data(text_, what);
    return text_.bytes();
  }
  binary_.clear();
  family::write_data(binary_, what);
  base64_.clear();
  codec::append_base64(base64_, binary_.bytes());
  return base64_;
}

}  // namespace limpet::cluster
