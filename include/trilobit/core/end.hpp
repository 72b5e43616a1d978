// SPDX-License-Identifier: MIT
// Room core. Takes back what begin.hpp did.
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#pragma pop_macro("I")
#pragma pop_macro("abs")
#pragma pop_macro("far")
#pragma pop_macro("max")
#pragma pop_macro("min")
#pragma pop_macro("near")
#pragma pop_macro("slots")
