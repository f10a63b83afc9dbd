// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * set.c - the files that are complete, oldest first, and the limit for all.
 *
 * --ring-buffer limits them by number, bytes, or how full the disk may be; then
 * those of earlier runs count as well.  --on-full=ring makes room with them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "guard.h"
#include "tapdump.h"

/* Forget the first. */
static void drop_first(struct file_set *set)
{
	struct set_file *file = set->first;

	set->first = file->next;
	if (!set->first)
		set->last = NULL;
	set->nr--;
	set->bytes -= file->bytes;
	free(file);
}

/* A file is complete. */
void set_add(struct file_set *set, const char *name, uint64_t bytes)
{
	size_t len = strlen(name) + 1;
	struct set_file *file = malloc(sizeof(*file) + len);

	if (!file)
		die("no memory");
	*file = (struct set_file){ .bytes = bytes };
	memcpy(file->name, name, len);
	if (set->last)
		set->last->next = file;
	else
		set->first = file;
	set->last = file;
	set->nr++;
	set->bytes += bytes;
}

/* A file is begun anew. */
void set_forget(struct file_set *set, const char *name)
{
	struct set_file **at = &set->first, *file, *before = NULL;

	while ((file = *at) && strcmp(file->name, name) != 0) {
		before = file;
		at = &file->next;
	}
	if (!file)
		return;
	*at = file->next;
	if (set->last == file)
		set->last = before;
	set->nr--;
	set->bytes -= file->bytes;
	free(file);
}

void set_free(struct file_set *set)
{
	while (set->first)
		drop_first(set);
}

/* The guardian may be about to rename it. */
static int remove_file(const struct files *f, const char *name)
{
	char part[PATH_MAX];
	int i;

	snprintf(part, sizeof(part), "%s%s", name, PART_SUFFIX);
	for (i = 0; i < 2; i++) {
		if (!unlinkat(f->dir, name + f->dir_len, 0) ||
		    !unlinkat(f->dir, part + f->dir_len, 0))
			return 0;
		if (errno != ENOENT)
			return -errno;
	}
	return -ENOENT;
}

/* Remove the oldest one that is there; false if there is none. */
bool set_remove_oldest(struct files *f)
{
	int err = -ENOENT;

	while (f->set.first && err) {
		err = remove_file(f, f->set.first->name);
		if (err && err != -ENOENT)
			complain("cannot remove %s: %s", f->set.first->name,
				 strerror(-err));
		drop_first(&f->set);
	}
	return !err;
}

static bool is_over(const struct files *f)
{
	const struct limits *limit = &f->opt->ring;
	struct statvfs st;
	double used;

	if (limit->files && f->set.nr + 1 > limit->files)
		return true;
	if (limit->total && f->set.bytes + limit->bytes > limit->total)
		return true;
	if (!limit->percent || f->fd < 0 || fstatvfs(f->fd, &st) ||
	    !st.f_blocks)
		return false;
	used = 100.0 * (st.f_blocks - st.f_bfree);
	return used / (st.f_blocks - st.f_bfree + st.f_bavail) > limit->percent;
}

/* A new file is open: does another have to go? */
void set_trim(struct files *f)
{
	while (f->set.first && is_over(f))
		if (!set_remove_oldest(f))
			return;
}

struct found {
	char *name;
	struct stat st;
};

static int by_age(const void *a, const void *b)
{
	const struct timespec *s = &((const struct found *)a)->st.st_mtim;
	const struct timespec *t = &((const struct found *)b)->st.st_mtim;

	if (s->tv_sec != t->tv_sec)
		return s->tv_sec < t->tv_sec ? -1 : 1;
	return (s->tv_nsec > t->tv_nsec) - (s->tv_nsec < t->tv_nsec);
}

static bool is_earlier(const struct files *f, const char *pattern,
		       const char *name, struct stat *st)
{
	return names_match(pattern + f->dir_len, name) &&
	       !fstatat(f->dir, name, st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st->st_mode);
}

/* The files of earlier runs, which the limit is for as well. */
void set_find(struct files *f, const char *pattern)
{
	struct dirent **list;
	struct found *all;
	int nr, i, n = 0;

	nr = scandirat(f->dir, ".", &list, NULL, NULL);
	if (nr < 0)
		return;
	all = calloc(nr + 1, sizeof(*all));
	if (!all)
		die("no memory");
	for (i = 0; i < nr; i++) {
		if (is_earlier(f, pattern, list[i]->d_name, &all[n].st) &&
		    asprintf(&all[n].name, "%.*s%s", (int)f->dir_len, pattern,
			     list[i]->d_name) >= 0)
			n++;
		free(list[i]);
	}
	free(list);
	qsort(all, n, sizeof(*all), by_age);
	for (i = 0; i < n; i++) {
		set_add(&f->set, all[i].name, all[i].st.st_size);
		free(all[i].name);
	}
	free(all);
}
