# Compiler, linker and hardening flags that every target shares.

find_program(LIMPET_CCACHE ccache)
if(LIMPET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # With a precompiled header ccache keeps nothing unless it is told that macros and times of it do not matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${LIMPET_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${LIMPET_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()

find_program(LIMPET_MOLD mold)
find_program(LIMPET_LLD ld.lld)
if(LIMPET_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(LIMPET_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -fstack-protector-strong -fno-omit-frame-pointer)
if(LIMPET_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)
add_link_options(-Wl,-z,relro,-z,now)
# One kind of code for libraries and programs, so that all can use one precompiled header.
add_compile_options(-fPIE)
add_link_options(-pie)

if(LIMPET_SANITIZE)
  add_compile_options(-fsanitize=${LIMPET_SANITIZE} -fno-sanitize-recover=all)
  # Its run-time opens a pipe to look at an object, so that it reports every object once descriptors run out.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fsanitize=${LIMPET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # its flow analysis sees ghosts in instrumented code
    add_compile_options(-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict
      -Wno-maybe-uninitialized)
  endif()
  if(LIMPET_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # Asio's fences; its queues are guarded by mutexes as well
  endif()
else()
  add_compile_options($<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
if(LIMPET_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "LIMPET_FUZZ needs clang: configure with the preset `fuzz`, or -DCMAKE_CXX_COMPILER=clang++")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
