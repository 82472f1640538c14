// Transport: a Stream, or TLS over one, behind the same verbs. Owned by a Link, on its loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "backend/redis/tls.h"
#include "proxy/net/stream.h"

namespace limpet::redis {

class Transport {
 public:
  void open(net::Stream stream, std::unique_ptr<TlsSession> tls);  // null: plain
  void close();
  explicit operator bool() const { return static_cast<bool>(stream_); }

  net::IoResult handshake();  // ok at once if plain; again: wait to read
  // Until `again`, or until emptied_by() what was read: only then there is an event for what comes next.
  net::IoResult read(std::span<char> into);
  bool emptied_by(const net::IoResult& got, std::size_t asked) const { return !tls_ && got.bytes < asked; }
  net::IoResult write(std::span<const char> bytes);                       // may be short
  bool holds_unsent() const { return tls_ && !tls_->to_send().empty(); }  // then wait_write(), flush()
  net::IoResult flush();

  void wait_read(net::Delegate then) { stream_.wait_read(then); }
  void wait_write(net::Delegate then) { stream_.wait_write(then); }
  std::string why(const net::IoResult& result) const;  // of eof or error

 private:
  net::IoResult receive();
  static net::IoResult result_of(TlsStep step);

  net::Stream stream_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace limpet::redis
