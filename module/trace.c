// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of trace.h, made once.
 */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#endif
#include "trace.h"
