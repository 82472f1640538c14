// TunnelRecord: what is kept of a request for the life of its tunnel: its place among the clients, its share
// of the server's load, its learned sid, its log line. Ends on the tunnel thread.
#pragma once

#include <memory>
#include <string>

#include "proxy/log/access.h"
#include "proxy/session/worker.h"
#include "proxy/tunnel/tunnel.h"
#include "routing/server.h"

namespace limpet::session {

class TunnelRecord final : public tunnel::Record {
 public:
  // Views of `record` are copied; `server` counts the tunnel already. The sid is forgotten at the end if
  // `learned`.
  TunnelRecord(Shared& shared, std::shared_ptr<routing::Server> server, const log::AccessRecord& record,
               std::uint64_t begun_us, bool learned);
  ~TunnelRecord() override;
  void ended(const tunnel::Ending& ending) noexcept override;

 private:
  std::string_view piece(std::size_t index) const;
  static constexpr std::size_t kPieces = 9;

  Shared& shared_;
  std::shared_ptr<routing::Server> server_;
  std::string text_;  // the record's strings, one after the other
  std::array<std::uint16_t, kPieces + 1> at_{};
  std::uint64_t begun_us_;
  std::uint32_t connect_us_;
  std::uint32_t first_byte_us_;
  std::uint16_t retries_;
  bool learned_;
};

}  // namespace limpet::session
