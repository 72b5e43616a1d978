# SPDX-License-Identifier: MIT
# trilobit_add_rooms(<folder>...): adds those of the folders that exist and have a CMakeLists.txt.

function(trilobit_add_rooms)
  foreach(room IN LISTS ARGN)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${room}/CMakeLists.txt")
      add_subdirectory(${room})
    endif()
  endforeach()
endfunction()
