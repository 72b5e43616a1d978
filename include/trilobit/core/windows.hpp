// SPDX-License-Identifier: MIT
// Room core. Enters: Windows. Leaves: the few functions that the library calls of it, declared here
// as windows.h declares them, since that header brings thousands of macros to whoever includes us.
#pragma once

#include "trilobit/version.hpp"

#if defined(_WIN32)

// As in windows.h: what C functions take has one type, in whatever namespace they are declared.
struct _SECURITY_ATTRIBUTES;
union _LARGE_INTEGER;

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::windows {

#if defined(_WIN64)
using size = unsigned long long;  // SIZE_T
#else
using size = unsigned long;
#endif

extern "C" {
__declspec(dllimport) void* __stdcall CreateFileA(const char* path, unsigned long access,
                                                  unsigned long sharing, _SECURITY_ATTRIBUTES*,
                                                  unsigned long creation, unsigned long flags,
                                                  void* model);
__declspec(dllimport) unsigned long __stdcall GetFileType(void* file);
__declspec(dllimport) int __stdcall GetFileSizeEx(void* file, _LARGE_INTEGER* size);
__declspec(dllimport) int __stdcall CloseHandle(void* handle);
__declspec(dllimport) int __stdcall MoveFileExA(const char* from, const char* to,
                                                unsigned long flags);
__declspec(dllimport) void* __stdcall CreateFileMappingA(void* file, _SECURITY_ATTRIBUTES*,
                                                         unsigned long protection,
                                                         unsigned long size_high,
                                                         unsigned long size_low, const char* name);
__declspec(dllimport) void* __stdcall MapViewOfFile(void* mapping, unsigned long access,
                                                    unsigned long offset_high,
                                                    unsigned long offset_low, size bytes);
__declspec(dllimport) int __stdcall UnmapViewOfFile(const void* at);
__declspec(dllimport) void* __stdcall VirtualAlloc(void* at, size bytes, unsigned long kind,
                                                   unsigned long protection);
__declspec(dllimport) int __stdcall VirtualProtect(void* at, size bytes, unsigned long protection,
                                                   unsigned long* before);
__declspec(dllimport) int __stdcall VirtualFree(void* at, size bytes, unsigned long kind);
}

}  // namespace trilobit::inline TRILOBIT_ABI::windows

#include "trilobit/core/end.hpp"

#endif
