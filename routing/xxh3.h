// The one place that includes xxHash, whole and inlined (XXH_INLINE_ALL, cmake/dependencies.cmake). For .cpp
// files.
#pragma once

// Release builds honour its always_inline. With -Og and -O1 gcc does not see through the function pointers of
// its loops for long input, and says so as an error.
#ifndef NDEBUG
#define XXH_NO_INLINE_HINTS 1
#endif
#include <xxhash.h>
