# SPDX-License-Identifier: MIT
# Headers, CMake package and pkg-config file. All of it is the same on every machine, hence the
# version file that ignores the pointer size and the share/ folders.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(trilobit_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/trilobit")

install(TARGETS trilobit EXPORT trilobitTargets)
install(DIRECTORY include/trilobit DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT trilobitTargets NAMESPACE trilobit:: DESTINATION "${trilobit_package_dir}")

configure_package_config_file(cmake/trilobitConfig.cmake.in trilobitConfig.cmake
                              INSTALL_DESTINATION "${trilobit_package_dir}")
# Before 1.0 a minor version may break the interface.
write_basic_package_version_file(trilobitConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(
  FILES "${PROJECT_BINARY_DIR}/trilobitConfig.cmake"
        "${PROJECT_BINARY_DIR}/trilobitConfigVersion.cmake"
        cmake/trilobit_find_xsimd.cmake cmake/trilobit_per_arch.cmake cmake/per_arch.cpp.in
        cmake/per_arch_list.cpp.in
  DESTINATION "${trilobit_package_dir}")

file(RELATIVE_PATH trilobit_pc_prefix "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
configure_file(cmake/trilobit.pc.in trilobit.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/trilobit.pc"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
