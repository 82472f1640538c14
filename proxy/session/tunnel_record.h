// TunnelRecord: what is kept of a request for the life of its tunnel: its place among the clients, its share
// of the server's load, its learned sid, its log line.
//
// One block of memory with its texts behind it, so that with its slot in the engine an idle tunnel never
// costs more than a KiB.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "proxy/log/access.h"
#include "proxy/session/worker.h"
#include "proxy/tunnel/tunnel.h"
#include "routing/server.h"

namespace limpet::session {

class TunnelRecord final : public tunnel::Record {
 public:
  struct Facts {
    std::shared_ptr<routing::Server> server;  // counts the tunnel already
    routing::By by;
    std::uint64_t begun_us;
    bool learned;  // the sid is forgotten at the end
  };
  // Views of `record` are copied, long ones in part.
  static std::unique_ptr<TunnelRecord> make(Shared& shared, Facts facts, const log::AccessRecord& record);
  ~TunnelRecord() override;
  void ended(const tunnel::Ending& ending) noexcept override;

 private:
  static constexpr std::size_t kPieces = 6;  // client, request id, host, target, sid, user agent
  using Pieces = std::array<std::string_view, kPieces>;

  TunnelRecord(Shared& shared, Facts facts, const log::AccessRecord& record, const Pieces& pieces);
  void* operator new(std::size_t size, std::size_t text) { return ::operator new(size + text); }
  void operator delete(void* at, std::size_t) { ::operator delete(at); }  // if the constructor throws
 public:
  void operator delete(void* at) { ::operator delete(at); }

 private:
  Pieces pieces() const;
  char* text() { return reinterpret_cast<char*>(this + 1); }

  Shared& shared_;
  Facts facts_;
  std::uint32_t connect_us_;
  std::uint32_t first_byte_us_;
  std::uint16_t retries_;
  std::array<std::uint8_t, kPieces> lengths_{};
};

}  // namespace limpet::session
