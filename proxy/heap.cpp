#include "proxy/heap.h"

#include <malloc.h>

namespace limpet {

// malloc gives the end of a thread's heap back when a large enough piece of it becomes free, beyond a
// threshold that it raises by itself to megabytes.
void give_heap_back_soon() {
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  ::mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

void keep_heap_small() {
  ::mallopt(M_MXFAST, 0);
  give_heap_back_soon();
}

}  // namespace limpet
