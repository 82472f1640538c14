// How an access line looks (access.h documents it for readers of the log). Pure: bytes in, one line out.
#pragma once

#include <cstdint>

#include "proxy/log/access.h"
#include "proxy/log/line.h"

namespace limpet::log {

// One line with its end, in `line`, which is fresh. Whatever the fields hold, it is whole and shorter than
// Line::kMost.
std::string_view format_access(Line& line, const AccessRecord& record, bool json);

// Stands where `lines` lines are missing.
std::string_view format_gap(Line& line, std::uint64_t lines, bool json);

}  // namespace limpet::log
