// The WebSocket opening handshake: what a request must be, and whether a 101 is the answer to it.
#include "proxy/wire/websocket.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "proxy/wire/bytes.h"

namespace limpet::wire {
namespace {

// Of several fields with one id none is believed.
const Field* only(std::span<const Field> fields, FieldId id) {
  const Field* found = nullptr;
  for (const Field& field : fields) {
    if (field.id != id) continue;
    if (found != nullptr) return nullptr;
    found = &field;
  }
  return found;
}

bool names_websocket(const Field* upgrade) {
  return upgrade != nullptr && equal_ignoring_case(upgrade->value, "websocket");
}

// base64 of 16 bytes (RFC 6455, 4.1).
bool valid_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  for (const char c : key.substr(0, 22)) {
    const char l = lower(c);
    if (!is(c, kDigit) && !(l >= 'a' && l <= 'z') && c != '+' && c != '/') return false;
  }
  return true;
}

bool valid_protocols(std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (field.id != FieldId::sec_websocket_protocol) continue;
    ListReader list(field.value);
    std::string_view protocol;
    if (!list.next(protocol)) return false;
    do {
      if (!all(protocol, kToken)) return false;
    } while (list.next(protocol));
  }
  return true;
}

std::string_view extension_name(std::string_view element) {
  return trim(element.substr(0, element.find(';')));
}

bool extension_offered(std::string_view name, std::string_view offered) {
  ListReader list(offered);
  for (std::string_view element; list.next(element);) {
    if (equal_ignoring_case(extension_name(element), name)) return true;
  }
  return false;
}

// Subprotocols are compared as they stand (RFC 6455, 4.1: the value of the field, not a keyword).
bool protocol_offered(std::string_view protocol, std::string_view offered) {
  ListReader list(offered);
  for (std::string_view element; list.next(element);) {
    if (element == protocol) return true;
  }
  return false;
}

void join(std::string& list, std::string_view value) {
  if (!list.empty()) list += ',';
  list += value;
}

}  // namespace

std::optional<Fault> check_handshake(const RequestHead& head) {
  const bool bodiless =
      head.body.kind == BodyKind::none || (head.body.kind == BodyKind::length && head.body.length == 0);
  if (head.method != Method::get || head.minor == 0 || !bodiless || !head.upgrade) return Fault::bad_upgrade;
  if (!names_websocket(only(head.fields, FieldId::upgrade))) return Fault::bad_upgrade;
  const Field* version = only(head.fields, FieldId::sec_websocket_version);
  if (version == nullptr) return Fault::bad_upgrade;
  if (version->value != "13") return Fault::version_not_13;
  const Field* key = only(head.fields, FieldId::sec_websocket_key);
  if (key == nullptr || !valid_key(key->value)) return Fault::bad_upgrade;
  if (!valid_protocols(head.fields)) return Fault::bad_upgrade;
  return std::nullopt;
}

bool asks_websocket(const RequestHead& head) {
  if (!head.upgrade) return false;
  for (const Field& field : head.fields) {
    if (field.id == FieldId::upgrade && has_token(field.value, "websocket")) return true;
  }
  return false;
}

std::string accept_for(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  // Looked up once: OpenSSL 3 searches its providers for every digest that begins by name.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                     &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned length = 0;
  EVP_DigestInit_ex2(context.get(), sha1, nullptr);
  EVP_DigestUpdate(context.get(), key.data(), key.size());
  EVP_DigestUpdate(context.get(), kGuid.data(), kGuid.size());
  EVP_DigestFinal_ex(context.get(), hash.data(), &length);
  std::array<unsigned char, 32> encoded;
  const int size = EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(length));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

Offer offer_of(const RequestHead& head) {
  Offer offer;
  for (const Field& field : head.fields) {
    if (field.id == FieldId::sec_websocket_key) offer.key = field.value;
    if (field.id == FieldId::sec_websocket_protocol) join(offer.protocols, field.value);
    if (field.id == FieldId::sec_websocket_extensions) join(offer.extensions, field.value);
  }
  return offer;
}

std::optional<Fault> check_switching(const ResponseHead& answer, const Offer& offer) {
  constexpr auto kMismatch = Fault::upgrade_mismatch;
  if (answer.status != 101 || answer.minor == 0 || !answer.upgrade) return kMismatch;
  if (!names_websocket(only(answer.fields, FieldId::upgrade))) return kMismatch;
  const Field* accept = only(answer.fields, FieldId::sec_websocket_accept);
  if (accept == nullptr || accept->value != accept_for(offer.key)) return kMismatch;
  bool protocol_seen = false;
  for (const Field& field : answer.fields) {
    if (field.id == FieldId::content_length || field.id == FieldId::transfer_encoding) return kMismatch;
    if (field.id == FieldId::sec_websocket_protocol) {
      if (protocol_seen || !protocol_offered(field.value, offer.protocols)) return kMismatch;
      protocol_seen = true;
    }
    if (field.id != FieldId::sec_websocket_extensions) continue;
    ListReader extensions(field.value);
    for (std::string_view element; extensions.next(element);) {
      if (!extension_offered(extension_name(element), offer.extensions)) return kMismatch;
    }
  }
  return std::nullopt;
}

}  // namespace limpet::wire
