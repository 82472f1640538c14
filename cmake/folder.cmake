# limpet_folder(NAME  USES limpet_x ...  LIBRARIES Foo::foo ...  PUBLIC_LIBRARIES ...)
#
# One static library of every .cpp in one source folder (main.cpp and main_*.cpp apart). USES names the other folders that its files may include;
# cmake/check_layers.cmake fails the build on an include that is not named here, so that no arrow points upwards.
define_property(TARGET PROPERTY LIMPET_DIR BRIEF_DOCS "source folder of a limpet target, relative to the top")

# The standard headers, compiled once for every target that limpet_settings() prepares.
add_library(limpet_std OBJECT ${CMAKE_CURRENT_LIST_DIR}/std.cpp)
target_precompile_headers(limpet_std PRIVATE ${CMAKE_CURRENT_LIST_DIR}/std.h)

function(limpet_settings target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_precompile_headers(${target} REUSE_FROM limpet_std)
endfunction()

function(limpet_folder name)
  cmake_parse_arguments(arg "" "" "USES;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "/main[^/]*\\.cpp$")
  add_library(${name} STATIC ${sources})
  limpet_settings(${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_USES} ${arg_PUBLIC_LIBRARIES} PRIVATE ${arg_LIBRARIES})
  limpet_check_layers(${name} "${arg_USES}")
endfunction()

function(limpet_check_layers name uses)
  file(RELATIVE_PATH dir ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES LIMPET_DIR ${dir})
  set(allowed ${dir})
  foreach(other ${uses})
    get_target_property(other_dir ${other} LIMPET_DIR)
    list(APPEND allowed ${other_dir})
  endforeach()
  file(GLOB files CONFIGURE_DEPENDS *.h *.cpp)
  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${name}.layers)
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} "-DTOP=${PROJECT_SOURCE_DIR}" "-DDIR=${dir}" "-DALLOWED=${allowed}" "-DSTAMP=${stamp}"
            -P ${PROJECT_SOURCE_DIR}/cmake/check_layers.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/check_layers.cmake
    VERBATIM)
  add_custom_target(${name}_layers ALL DEPENDS ${stamp})
endfunction()
