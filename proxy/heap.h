// How malloc is to treat this process.
#pragma once

namespace limpet {

void keep_heap_small();

}  // namespace limpet
