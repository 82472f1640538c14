// notify_supervisor: tells systemd of readiness and shutdown (sd_notify(3)), where NOTIFY_SOCKET is set.
#pragma once

#include <string_view>

namespace limpet {

void notify_supervisor(std::string_view state);  // "READY=1", "STOPPING=1"

}  // namespace limpet
