#include "proxy/log/access.h"

#include "proxy/log/access_line.h"
#include "proxy/log/state.h"

namespace limpet::log {

bool access_enabled() {
  return access_writer() != nullptr;
}

void access(const AccessRecord& record) {
  Writer* const writer = access_writer();
  if (writer == nullptr) return;
  Line line;
  writer->put(format_access(line, record, access_as_json()));
}

}  // namespace limpet::log
