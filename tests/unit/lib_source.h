/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which libptap does a test run: the library, or the same source compiled into
 * the test?  A sanitizer sees only code that was compiled with it, and the
 * library was not; ThreadSanitizer would even miss its acquire and release
 * and report races that are none.  So a test of NAME.c says
 *
 *	#if LIB_SOURCE
 *	#include "NAME.c"
 *	#endif
 *
 * and its plain variant runs what users link.
 */
#ifndef PTAP_UNIT_LIB_SOURCE_H
#define PTAP_UNIT_LIB_SOURCE_H

#include "tap.h"

#if TAP_TSAN || defined(__SANITIZE_ADDRESS__)
#define LIB_SOURCE	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIB_SOURCE	1
#endif
#endif
#ifndef LIB_SOURCE
#define LIB_SOURCE	0
#endif

#endif /* PTAP_UNIT_LIB_SOURCE_H */
