// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * parts.c - files that an earlier capture left off, when the machine's power
 * went, say.
 *
 * A file that is being written is called NAME.part and locked.  One that is not
 * locked any more is cut behind its last whole record and gets its name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guard.h"
#include "tapdump.h"

static bool is_regular(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* The name without the suffix, or NULL if it has none. */
static char *final_name(const char *part)
{
	size_t len = strlen(part), suffix = strlen(PART_SUFFIX);

	if (len <= suffix || strcmp(part + len - suffix, PART_SUFFIX) != 0)
		return NULL;
	return strndup(part, len - suffix);
}

static void give_name(int dir, const char *part, const char *name,
		      const struct whole *whole, long long cut)
{
	if (!faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		complain("%s was left off; it is valid now, but there is a %s already",
			 part, name);
		return;
	}
	if (renameat(dir, part, dir, name)) {
		complain("cannot rename %s: %s", part, strerror(errno));
		return;
	}
	if (whole->records)
		complain("%s was left off: %lld bytes are cut off, it holds %llu packet%s, and its name is %s now",
			 part, cut, (unsigned long long)whole->records,
			 whole->records == 1 ? "" : "s", name);
	else
		complain("%s was left off: %lld bytes are cut off, and its name is %s now",
			 part, cut, name);
}

static void repair(const struct files *f, const char *part, const char *name,
		   int fd)
{
	struct whole whole = { 0 };
	int dir = f->dir;
	long long cut;

	if (f->opt->codec != CODEC_NONE)
		cut = frames_cut(fd, f->opt->codec, &whole);
	else
		cut = repair_cut(fd, &whole);
	if (cut < 0) {
		complain("cannot repair %s: %s", part,
			 cut == -EINVAL ? "it is no capture file" :
					  strerror(-cut));
		return;
	}
	if (whole.bytes) {
		give_name(dir, part, name, &whole, cut);
		return;
	}
	if (!unlinkat(dir, part, 0))
		complain("%s was left off with nothing in it, and is removed",
			 part);
}

static void look_at(const struct files *f, const char *pattern,
		    const char *part)
{
	char *name = final_name(part);
	int fd = -1;

	if (name && names_match(pattern + f->dir_len, name))
		fd = openat(f->dir, part, O_RDWR | O_NOFOLLOW | O_NONBLOCK |
					  O_CLOEXEC);
	if (fd >= 0 && is_regular(fd) && !flock(fd, LOCK_EX | LOCK_NB))
		repair(f, part, name, fd);
	if (fd >= 0)
		close(fd);
	free(name);
}

/**
 * parts_repair - finish what was left off
 * @f: files; their folder is open
 * @pattern: their names
 */
void parts_repair(const struct files *f, const char *pattern)
{
	struct dirent **list;
	int nr, i;

	nr = scandirat(f->dir, ".", &list, NULL, alphasort);
	for (i = 0; i < nr; i++) {
		look_at(f, pattern, list[i]->d_name);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
}
