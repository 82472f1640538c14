// identify_client(): the only reader of X-Forwarded-For, and only from peers that are trusted.
#include <algorithm>

#include "proxy/wire/bytes.h"
#include "proxy/wire/forward.h"

namespace limpet::wire {
namespace {

bool contains(std::span<const Cidr> ranges, const IpAddress& address) {
  return std::ranges::any_of(ranges, [&](const Cidr& range) { return range.contains(address); });
}

// An entry as balancers write it: an address, with a port by some ("192.0.2.1:4711", "[2001:db8::1]:4711").
std::optional<IpAddress> parse_entry(std::string_view entry) {
  std::string_view port;
  if (entry.starts_with('[')) {
    const std::size_t end = entry.find(']');
    if (end == entry.npos) return std::nullopt;
    port = entry.substr(end + 1);
    entry = entry.substr(1, end - 1);
    if (entry.find(':') == entry.npos) return std::nullopt;
  } else if (std::ranges::count(entry, ':') == 1) {
    port = entry.substr(entry.find(':'));
    entry = entry.substr(0, entry.find(':'));
  }
  if (!port.empty() &&
      (port[0] != ':' || port.size() == 1 || port.size() > 6 || !all(port.substr(1), kDigit))) {
    return std::nullopt;
  }
  return IpAddress::parse(entry);
}

// Steps through one field's list from the right; false once an entry says who the client is.
bool walk(std::string_view list, std::span<const Cidr> trusted, ClientIdentity& client) {
  while (!list.empty()) {
    const std::size_t comma = list.rfind(',');
    const std::string_view entry = trim(comma == list.npos ? list : list.substr(comma + 1));
    list = comma == list.npos ? std::string_view() : list.substr(0, comma);
    if (entry.empty()) continue;
    const auto address = parse_entry(entry);
    if (!address) return false;
    client.address = *address;
    client.known = true;
    if (!contains(trusted, *address)) return false;
  }
  return true;
}

}  // namespace

ClientIdentity identify_client(std::span<const Field> fields, const IpAddress* peer,
                               std::span<const Cidr> trusted, bool trust_unix) {
  ClientIdentity client;
  client.known = peer != nullptr;
  if (peer != nullptr) client.address = *peer;
  client.believed_peer = peer != nullptr ? contains(trusted, *peer) : trust_unix;
  if (!client.believed_peer) return client;
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->id == FieldId::x_forwarded_for && !walk(field->value, trusted, client)) break;
  }
  return client;
}

}  // namespace limpet::wire
