// refuse: an answer to a connection that nobody will keep.
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/net/fd.h"

namespace limpet::net {

// Sends what the socket takes at once and closes it; returns how much that was. What has arrived by then is
// read first, because closing over unread bytes resets the connection and can destroy the answer (RFC
// 9112, 9.6); but no more than 64 KiB of it: a client that keeps sending must not hold the thread.
std::size_t answer_and_close(Fd connection, std::string_view answer);

}  // namespace limpet::net
