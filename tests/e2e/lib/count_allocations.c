/* Counts a process's allocations: preloaded into the program under test (allocations.mjs), it keeps three 64-bit
 * numbers in the file $ALLOCATIONS: blocks asked for, blocks resized, blocks given back. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

enum { asked, resized, given_back, kinds };
static uint64_t before_start[kinds];
static uint64_t* counts = before_start;

static void count(int kind) {
  __atomic_fetch_add(&counts[kind], 1, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void start(void) {
  const char* path = getenv("ALLOCATIONS");
  const int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (ftruncate(fd, sizeof(before_start)) == 0) {
    void* shared = mmap(NULL, sizeof(before_start), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED) counts = shared;
  }
  close(fd);
}

void* malloc(size_t size) {
  count(asked);
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  count(asked);
  return __libc_calloc(number, size);
}
void* realloc(void* at, size_t size) {
  count(resized);
  return __libc_realloc(at, size);
}
void free(void* at) {
  if (at != NULL) count(given_back);
  __libc_free(at);
}
void* aligned_alloc(size_t alignment, size_t size) {
  count(asked);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** at, size_t alignment, size_t size) {
  count(asked);
  *at = __libc_memalign(alignment, size);
  return *at == NULL ? ENOMEM : 0;
}
