// SPDX-License-Identifier: MIT
// Room core. Enters: the macros and warnings of whoever includes the library. Leaves: the names
// that it uses free of them, until end.hpp. Every header that declares something includes this
// after all others and end.hpp at its end; neither has an include guard.
//
// windows.h defines min, max, near and far, complex.h I, Qt slots, others abs. The house test of
// foreign macros knows more of them and tells when this list has to grow.
#pragma push_macro("I")
#pragma push_macro("abs")
#pragma push_macro("far")
#pragma push_macro("max")
#pragma push_macro("min")
#pragma push_macro("near")
#pragma push_macro("slots")
#undef I
#undef abs
#undef far
#undef max
#undef min
#undef near
#undef slots

#if defined(__GNUC__)
#pragma GCC diagnostic push
// Sizes of arrays are constants of type int here; g++ warns of each that depends on a template.
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
