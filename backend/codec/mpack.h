// libmpack's header, fit for C++: it has no linkage of its own, and leaves a macro named bool behind.
#pragma once

#include <cassert>
#include <climits>
#include <cstddef>

extern "C" {
#include <mpack.h>
}
#undef bool
