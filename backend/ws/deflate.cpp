#define ZLIB_CONST
#include "backend/ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "proxy/wire/ws_deflate.h"

namespace limpet::ws {
namespace {

constexpr std::string_view kTail("\0\0\xff\xff", 4);  // of each message; does not travel (7.2.1)
constexpr std::size_t kFirstRoom = 16 * 1024;

const Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<const Bytef*>(text.data());
}

}  // namespace

// --- the handshake ---

// `shared` compresses each message once, with zlib's full window, for all. zlib has no window of 256 bytes.
Agreement negotiate(std::string_view offers, Deflate mode) {
  if (mode == Deflate::off) return {};
  wire::DeflateOffers list(offers);
  for (wire::DeflateOffer offer; list.next(offer);) {
    const std::uint8_t bits = offer.server_max_window_bits == 0 ? 15 : offer.server_max_window_bits;
    if (bits < (mode == Deflate::shared ? 15 : 9)) continue;
    if (mode == Deflate::shared) return {mode, 15, false, false};
    return {mode, bits, !offer.server_no_context_takeover, !offer.client_no_context_takeover};
  }
  return {};
}

std::string answer_of(const Agreement& agreement) {
  if (agreement.mode == Deflate::off) return {};
  std::string answer = "permessage-deflate";
  if (!agreement.we_keep_context) answer += "; server_no_context_takeover";
  if (!agreement.client_keeps_context) answer += "; client_no_context_takeover";
  if (agreement.window_bits < 15)
    answer += "; server_max_window_bits=" + std::to_string(agreement.window_bits);
  return answer;
}

// --- out ---

void FreeDeflate::operator()(z_stream_s* stream) const {
  ::deflateEnd(stream);
  delete stream;
}

Deflater& Deflater::shared() {
  thread_local std::vector<char> out;
  thread_local Deflater deflater(out, 15, false);
  return deflater;
}

std::string_view Deflater::deflate(std::string_view body) {
  if (body.empty()) return {kTail.data(), 1};  // 7.2.3.6; zlib would have nothing to flush
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    constexpr int kMemory = 8;
    if (::deflateInit2(stream.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits_, kMemory,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
    stream_.reset(stream.release());
  }
  if (out_.size() < kFirstRoom) out_.resize(kFirstRoom);
  stream_->next_in = bytes_of(body);
  stream_->avail_in = static_cast<uInt>(body.size());
  std::size_t size = 0;
  for (;;) {
    stream_->next_out = reinterpret_cast<Bytef*>(out_.data() + size);
    stream_->avail_out = static_cast<uInt>(out_.size() - size);
    ::deflate(stream_.get(), Z_SYNC_FLUSH);
    size = out_.size() - stream_->avail_out;
    if (stream_->avail_out > 0) break;  // all of it is out, the tail last
    out_.resize(out_.size() * 2);
  }
  if (!keeps_context_) ::deflateReset(stream_.get());
  return {out_.data(), size - kTail.size()};
}

// --- in ---

void FreeInflate::operator()(z_stream_s* stream) const {
  ::inflateEnd(stream);
  delete stream;
}

// Into out_ from `size` on. `ended`: a final block has been read (7.2.3.5), what follows begins anew, in the
// same window.
Inflater::Result Inflater::run(std::string_view in, bool& ended, std::size_t most, std::size_t& size) {
  stream_->next_in = bytes_of(in);
  stream_->avail_in = static_cast<uInt>(in.size());
  for (;;) {
    if (size == out_.size()) out_.resize(std::min(out_.size() * 2, most + 1));
    stream_->next_out = reinterpret_cast<Bytef*>(out_.data() + size);
    stream_->avail_out = static_cast<uInt>(std::min(out_.size(), most + 1) - size);
    const int result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    size = static_cast<std::size_t>(reinterpret_cast<char*>(stream_->next_out) - out_.data());
    if (size > most) return Result::too_big;
    if (result == Z_STREAM_END) {
      ::inflateResetKeep(stream_.get());
      ended = stream_->avail_in == 0;
      if (ended) return Result::whole;
      continue;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) return Result::damaged;
    if (stream_->avail_out > 0) return stream_->avail_in == 0 ? Result::whole : Result::damaged;
  }
}

Inflater::Result Inflater::inflate(std::string_view compressed, std::size_t most, std::string_view& body) {
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    if (::inflateInit2(stream.get(), -15) != Z_OK) throw std::bad_alloc();
    stream_.reset(stream.release());
  }
  if (out_.size() < kFirstRoom) out_.resize(kFirstRoom);
  std::size_t size = 0;
  bool ended = false;
  Result result = run(compressed, ended, most, size);
  if (result == Result::whole && !ended) {
    result = run(kTail, ended, most, size);
    constexpr int kBetweenBlocks = 128;
    const bool cut = ended || (stream_->data_type & kBetweenBlocks) == 0;
    if (result == Result::whole && cut) result = Result::damaged;
  }
  if (!keeps_context_) ::inflateReset(stream_.get());
  body = {out_.data(), size};
  return result;
}

}  // namespace limpet::ws
