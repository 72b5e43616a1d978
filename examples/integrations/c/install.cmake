# SPDX-License-Identifier: MIT
# libtrilobit for others: both libraries, a CMake package and a pkg-config file, of C alone. The
# header is installed with the others.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS trilobit_c trilobit_c_static EXPORT libtrilobitTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/libtrilobit")
install(EXPORT libtrilobitTargets NAMESPACE libtrilobit:: DESTINATION "${package}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/libtrilobitConfigVersion.cmake"
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES libtrilobitConfig.cmake "${CMAKE_CURRENT_BINARY_DIR}/libtrilobitConfigVersion.cmake"
        DESTINATION "${package}")

file(RELATIVE_PATH prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
# What a C compiler has to name when it links the archive.
set(libraries "${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES}")
list(FILTER libraries INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
list(REMOVE_DUPLICATES libraries)
list(TRANSFORM libraries PREPEND "-l")
list(JOIN libraries " " libraries)
configure_file(libtrilobit.pc.in libtrilobit.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/libtrilobit.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
