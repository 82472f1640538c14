// X-Forwarded-For: the client is the peer, or an entry of the list; a stranger's list changes nothing.
// Address literals and ranges read back as they are written.
#include <cassert>
#include <string>

#include "proxy/wire/forward.h"

using namespace limpet::wire;

namespace {

void literals(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) assert(IpAddress::parse(address->text()) == address);
  if (const auto range = Cidr::parse(text)) {
    assert(Cidr::parse(range->text()) == range);
    assert(range->contains(range->base));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  literals(bytes);
  const std::size_t half = bytes.find('\n');  // no field value holds one
  const Field fields[] = {
      {"X-Forwarded-For", bytes.substr(0, half), FieldId::x_forwarded_for},
      {"Forwarded", bytes.substr(0, half), FieldId::forwarded},
      {"x-forwarded-for", half == bytes.npos ? "" : bytes.substr(half + 1), FieldId::x_forwarded_for}};
  const IpAddress peer = *IpAddress::parse("10.0.0.1");
  const Cidr trusted[] = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("2001:db8::/32")};

  const ClientIdentity stranger = identify_client(fields, &peer, {}, true);
  assert(stranger.known && !stranger.believed_peer && stranger.address == peer);
  const ClientIdentity nobody = identify_client(fields, nullptr, trusted, false);
  assert(!nobody.known && !nobody.believed_peer);
  const ClientIdentity client = identify_client(fields, &peer, trusted, false);
  assert(client.known && client.believed_peer);
  const ClientIdentity local = identify_client(fields, nullptr, trusted, true);
  assert(local.believed_peer && (!local.known || local.address == client.address));

  RequestHead head;
  head.method_text = "GET";
  head.target = head.path = "/";
  head.authority = head.host = "a.example";
  head.fields = fields;
  std::string out;
  append_upstream_head(out, head, {.client = client, .peer = &peer});
  append_upstream_head(out, head, {.client = nobody});
  assert(out.find("for=unknown") != out.npos);
  return 0;
}
