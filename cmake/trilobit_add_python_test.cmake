# SPDX-License-Identifier: MIT
# trilobit_add_python_test(<script> <what holds>)
#
# A script beside the CMakeLists.txt that drives the runner, registered as "<room>: <what holds>" with
# the room's label. It exits 4 to be counted as skipped. Debian's own Python, which has Debian's NumPy,
# comes first.

find_program(TRILOBIT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(TRILOBIT_PYTHON python3)
mark_as_advanced(TRILOBIT_PYTHON)

function(trilobit_add_python_test script holds)
  file(RELATIVE_PATH label "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REPLACE "/" "_" room "${label}")
  if(TRILOBIT_PYTHON)
    set(command "${TRILOBIT_PYTHON}" "${CMAKE_CURRENT_SOURCE_DIR}/${script}")
  else()
    set(command sh -c "echo 'skipped: no python3'; exit 4")
  endif()
  add_test(NAME "${room}: ${holds}" COMMAND ${command})
  set_tests_properties("${room}: ${holds}" PROPERTIES
    LABELS ${label} SKIP_RETURN_CODE 4 TIMEOUT 600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;TRILOBIT_PROGRAM=$<TARGET_FILE:example_trilobit>;TRILOBIT_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endfunction()
