#include "backend/presence/script.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace limpet::presence {
namespace {

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), sum.data(), &size, ::EVP_sha1(), nullptr);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[sum[i] >> 4];
    hex += kHex[sum[i] & 15];
  }
  return hex;
}

struct Call {
  std::vector<std::string> words;  // of EVAL, but for the script
  redis::Done done;

  void send(redis::Redis& redis, std::string_view command, std::string_view script, redis::Done then) {
    std::vector<std::string_view> views{command, script};
    views.insert(views.end(), words.begin(), words.end());
    redis.command(redis::Words(views), std::move(then), words[1]);
  }
};

}  // namespace

Script::Script(std::string_view text)
    : text_(std::make_shared<const std::string>(text)), hash_(sha1_hex(text)) {}

void Script::run(redis::Redis& redis, Parts keys, Parts arguments, redis::Done done) const {
  auto call = std::make_shared<Call>();
  call->words.push_back(std::to_string(keys.size()));
  call->words.insert(call->words.end(), keys.begin(), keys.end());
  call->words.insert(call->words.end(), arguments.begin(), arguments.end());
  call->done = std::move(done);
  Call& it = *call;
  it.send(redis, "EVALSHA", hash_,
          [&redis, text = text_, call = std::move(call)](const redis::Result& result) {
            if (!result.error.starts_with("NOSCRIPT")) return call->done(result);
            call->send(redis, "EVAL", *text, call->done);
          });
}

}  // namespace limpet::presence
