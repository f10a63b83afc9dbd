/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * guard.h - the guardian of the files (guard.c), as who writes them sees it.
 */
#ifndef TAPDUMP_GUARD_H
#define TAPDUMP_GUARD_H

#include <stdint.h>
#include <sys/types.h>
#include "repair.h"

#define PART_SUFFIX	".part"

struct guard_share;

/**
 * struct guard - a guardian
 * @fd: it is told here, or -1 if there is none
 * @pid: its process
 * @share: what it can see without being told
 */
struct guard {
	int fd;
	pid_t pid;
	struct guard_share *share;
};

/**
 * struct guard_place - where the files are
 * @dir: folder that names are looked up in
 * @dir_len: bytes of names in front of that
 * @base: folder below which all files are
 * @runner: of -z, or -1
 * @command: -z
 */
struct guard_place {
	int dir;
	size_t dir_len;
	int base;
	int runner;
	const char *command;
};

/* guard_done()'s flags */
#define GUARD_SYNC	(1U << 0)	/* onto the disk */
#define GUARD_RENAME	(1U << 1)	/* without PART_SUFFIX */
#define GUARD_RUN	(1U << 2)	/* the command of -z on it */
#define GUARD_REMOVE	(1U << 3)	/* nothing is in it: none of these */
#define GUARD_SYNC_IDLE	(1U << 4)	/* if no other file waits */

void guard_start(struct guard *g, const struct guard_place *place, int tap_fd);
void guard_name(struct guard *g, const char *name, bool framed);
void guard_file(struct guard *g, int fd);
void guard_whole(struct guard *g, const struct whole *whole);
void guard_done(struct guard *g, unsigned int flags);
void guard_settle(const struct guard *g);
int guard_finish(struct guard *g);

#endif /* TAPDUMP_GUARD_H */
