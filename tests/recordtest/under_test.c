// SPDX-License-Identifier: GPL-2.0
/* What is tested, compiled once more: external modules share no objects. */
#include "record.c"
#include "clock.c"
