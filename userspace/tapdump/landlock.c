// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * landlock.c - no file but those beneath the output folder, and what describes
 * the machine, for the rest of the process's life.
 *
 * Landlock is in kernels from 5.13 on, and may be switched off; what a kernel
 * does not know of it is left out without a word.  The C library has no
 * functions for it, and Debian 11 no header, so the few values of
 * <linux/landlock.h> that are needed are written down here.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tapdump.h"

/* The same on every architecture. */
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset	444
#define __NR_landlock_add_rule		445
#define __NR_landlock_restrict_self	446
#endif

#define CREATE_VERSION		(1U << 0)
#define RULE_PATH_BENEATH	1

#define FS_EXECUTE		(1ULL << 0)
#define FS_WRITE_FILE		(1ULL << 1)
#define FS_READ_FILE		(1ULL << 2)
#define FS_REMOVE_FILE		(1ULL << 5)
#define FS_MAKE_REG		(1ULL << 8)
#define FS_MAKE_SYM		(1ULL << 12)
#define FS_REFER		(1ULL << 13)	/* from version 2 on */
#define FS_TRUNCATE		(1ULL << 14)	/* 3 */
#define FS_IOCTL_DEV		(1ULL << 15)	/* 5 */
#define NET_BIND_TCP		(1ULL << 0)	/* 4 */
#define NET_CONNECT_TCP		(1ULL << 1)
#define SCOPE_ALL		3ULL		/* 6: sockets, signals */

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* All that the kernel can forbid; returns the bytes of @rules that it knows. */
static size_t forbid_all(struct ruleset *rules, long version)
{
	*rules = (struct ruleset){ .fs = (FS_MAKE_SYM << 1) - 1 };
	if (version >= 2)
		rules->fs |= FS_REFER;
	if (version >= 3)
		rules->fs |= FS_TRUNCATE;
	if (version >= 5)
		rules->fs |= FS_IOCTL_DEV;
	if (version < 4)
		return sizeof(rules->fs);
	rules->net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version < 6)
		return sizeof(rules->fs) + sizeof(rules->net);
	rules->scoped = SCOPE_ALL;
	return sizeof(*rules);
}

static int allow(int ruleset, int file, uint64_t allowed)
{
	struct path_beneath beneath = { .allowed = allowed, .parent = file };

	return syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH,
		       &beneath, 0) ? -errno : 0;
}

/* What is not there is not needed. */
static int allow_reading(int ruleset, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), err;

	if (fd < 0)
		return 0;
	err = allow(ruleset, fd, FS_READ_FILE);
	close(fd);
	return err;
}

static int allow_places(int ruleset, const struct ruleset *rules,
			const struct places *places)
{
	static const char *const described[] = {
		"/sys", "/proc/cpuinfo", "/etc/os-release",
		"/usr/lib/os-release",
	};
	uint64_t make = (FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG |
			 FS_TRUNCATE) & rules->fs;
	size_t i;
	int err = 0;

	/* Files are mended by who can read them. */
	if (places->out >= 0)
		err = allow(ruleset, places->out, make | FS_READ_FILE);
	/* Names are by the clock, whose zone may be changed. */
	if (!err && places->out >= 0)
		err = allow_reading(ruleset, "/usr/share/zoneinfo");
	if (!err && places->meters >= 0)
		err = allow(ruleset, places->meters, make);
	if (!places->describe)
		return err;
	for (i = 0; i < sizeof(described) / sizeof(*described); i++)
		if (!err)
			err = allow_reading(ruleset, described[i]);
	return err;
}

/**
 * landlock_enter - forbid what is not the business of who writes a capture
 * @places: files may be made, written, renamed and removed beneath these
 *
 * Needs PR_SET_NO_NEW_PRIVS.
 *
 * Return: 0, also where there is no Landlock; or a negative errno.
 */
int landlock_enter(const struct places *places)
{
	struct ruleset rules;
	long version, fd;
	size_t size;
	int err;

	version = syscall(__NR_landlock_create_ruleset, NULL, 0,
			  CREATE_VERSION);
	if (version < 1)
		return 0;
	size = forbid_all(&rules, version);
	fd = syscall(__NR_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return -errno;
	err = allow_places(fd, &rules, places);
	if (!err && syscall(__NR_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	return err;
}
