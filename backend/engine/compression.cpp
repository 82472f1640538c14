#include "backend/engine/compression.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "proxy/wire/head.h"

namespace limpet::engine {
namespace {

constexpr int kWindow = 15, kWithGzipHead = 16;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::string_view front = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(front.size() + 1, rest.size()));
  return trimmed(front);
}

// In thousandths. A value that is no number makes the element worth nothing; from_chars takes "nan" for one.
int quality_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = cut(parameters, ';');
    if (!parameter.starts_with("q=")) continue;
    const std::string_view text = trimmed(parameter.substr(2));
    double value = 0;
    if (text.find_first_of("0123456789") <= 1) std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<int>(std::clamp(value, 0.0, 10.0) * 1000);
  }
  return 1000;
}

struct Wish {
  int quality = 0;
  bool named = false;
  int place = 0;
};

// zlib's 268 KB, taken with the first body and kept: to ask for them each time would cost more than most
// bodies.
class Stream {
 public:
  explicit Stream(int form) : form_(form) {}
  ~Stream() {
    if (made_) deflateEnd(&stream_);
  }
  bool append(std::string& out, std::string_view body) {
    if (!(made_ ? deflateReset(&stream_) == Z_OK : make())) return false;
    const std::size_t before = out.size();
    out.resize(before + deflateBound(&stream_, body.size()));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = static_cast<uInt>(out.size() - before);
    const bool whole = ::deflate(&stream_, Z_FINISH) == Z_STREAM_END;
    out.resize(before + (whole ? stream_.total_out : 0));
    return whole;
  }

 private:
  bool make() {
    const int window = kWindow + form_;
    made_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return made_;
  }
  z_stream stream_{};
  const int form_;
  bool made_ = false;
};

bool better(const Wish& a, const Wish& b) {
  if (a.quality != b.quality) return a.quality > b.quality;
  if (a.named != b.named) return a.named;
  return a.place < b.place;
}

}  // namespace

Coding choose_coding(std::string_view accept_encoding) {
  Wish gzip, deflate;
  int place = 0;
  while (!accept_encoding.empty()) {
    std::string_view element = cut(accept_encoding, ',');
    const std::string_view name = cut(element, ';');
    const Wish wish{quality_of(element), name != "*", place++};
    const auto meet = [&](Wish& coding, std::string_view its_name) {
      if (name != "*" && !wire::equal_ignoring_case(name, its_name)) return;
      if (wish.named || !coding.named) coding = wish;  // the more specific one counts, even as a refusal
    };
    meet(gzip, "gzip");
    meet(deflate, "deflate");
  }
  if (gzip.quality == 0 && deflate.quality == 0) return Coding::identity;
  return better(deflate, gzip) ? Coding::deflate : Coding::gzip;
}

std::string_view name_of(Coding coding) {
  constexpr std::array<std::string_view, 3> kNames = {"identity", "gzip", "deflate"};
  return kNames[static_cast<std::size_t>(coding)];
}

bool compress(std::string& out, Coding coding, std::string_view body) {
  thread_local Stream gzip(kWithGzipHead), deflate(0);
  Stream& stream = coding == Coding::gzip ? gzip : deflate;
  return stream.append(out, body);
}

}  // namespace limpet::engine
