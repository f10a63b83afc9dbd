// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Faults: a call's n-th allocation or user copy fails, where the kernel can do
 * that (/proc/thread-self/fail-nth, the worker's nth_fd).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"

/* False if it could not be armed. */
bool fault_arm(struct worker *w, struct rng *r)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", 1 + rng_below(r, 40));
	state->armed[w->index] = true;
	if (pwrite(w->nth_fd, text, strlen(text), 0) <= 0) {
		state->armed[w->index] = false;
		return false;
	}
	__atomic_add_fetch(&state->faults, 1, __ATOMIC_RELAXED);
	return true;
}

/* errno stays as it is. */
void fault_disarm(struct worker *w)
{
	int err = errno;

	while (pwrite(w->nth_fd, "0", 1, 0) < 0 && errno == EFAULT)
		;
	state->armed[w->index] = false;
	errno = err;
}
