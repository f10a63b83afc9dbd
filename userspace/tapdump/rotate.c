// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rotate.c - when the next capture file of -w begins, and the last one ends.
 *
 * Limits are tcpdump's: -C begins a new file before a record when the file is
 * larger than it may be, so it has one record more than fits; -G begins one by
 * the clock, in whole seconds since the start, also when no packet comes.
 * CLOCK_REALTIME decides, because names tell the time: by another clock two
 * files could get the same name, when time is slewed or set back.
 * --ring-buffer and --autostop add dumpcap's.  A file begins with the preamble
 * that the records behind it need, ends with a whole record, and the next
 * record is the first one of the next file.
 *
 * The directory is opened first, so that it is found when privileges have been
 * given up, or the path leads elsewhere meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "guard.h"
#include "tapdump.h"

#define MSEC_PER_SEC	1000
#define NSEC_PER_MSEC	1000000
#define NEVER		INT64_MAX
#define LOOK_MS		60000	/* at the clock, which somebody may set */

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * MSEC_PER_SEC + ts.tv_nsec / NSEC_PER_MSEC;
}

static bool is_stdout(const struct files *f)
{
	return !strcmp(f->opt->write, "-");
}

static uint64_t size_limit(const struct options *opt)
{
	return opt->rotate_size ? opt->rotate_size : opt->ring.bytes;
}

/* More than one file? */
static bool is_rotating(const struct options *opt)
{
	return strcmp(opt->write, "-") != 0 &&
	       (opt->rotate_size || opt->rotate_seconds || opt->is_ring);
}

static void begin_period(struct files *f)
{
	f->begun_ms = now_ms(CLOCK_REALTIME);
	f->period = f->begun_ms / MSEC_PER_SEC;
	f->due_ms = NEVER;
	f->due_clock_ms = NEVER;
	/* At the end of a second, as with tcpdump. */
	if (f->opt->rotate_seconds)
		f->due_clock_ms = ((int64_t)f->period +
				   f->opt->rotate_seconds) * MSEC_PER_SEC;
	if (f->opt->ring.seconds)
		f->due_ms = now_ms(CLOCK_MONOTONIC) +
			    (int64_t)f->opt->ring.seconds * MSEC_PER_SEC;
}

/* Of a folder's name, what is in front of the first part with a pattern. */
static void cut_to_fixed(char *dir)
{
	char *end = strchr(dir, '%');

	while (end > dir && end[-1] != '/')
		end--;
	if (end == dir)
		*end++ = '.';
	*end = '\0';
}

int files_prepare(struct files *f, const struct options *opt)
{
	const char *slash = strrchr(opt->write, '/');
	bool varies;
	char *dir;

	*f = (struct files){ .opt = opt, .dir = AT_FDCWD, .fd = -1,
			     .base = -1, .runner = -1, .guard.fd = -1 };
	if (is_stdout(f))
		return 0;
	f->parts = opt->part || (is_rotating(opt) && !opt->no_part);
	f->dir_len = slash ? slash + 1 - opt->write : 0;
	dir = slash ? strndup(opt->write, f->dir_len) : strdup(".");
	if (!dir)
		die("no memory");
	varies = (opt->rotate_seconds || opt->is_ring) && strchr(dir, '%');
	if (varies)
		cut_to_fixed(dir);
	f->base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (f->base < 0) {
		complain("cannot write to %s: %s", opt->write, strerror(errno));
		return -1;
	}
	if (varies)
		f->dir_len = 0;		/* another one each time */
	else
		f->dir = f->base;
	return 0;
}

/* What an earlier run left, complete or not. */
static void look_around(struct files *f)
{
	char *pattern;

	if (f->dir != f->base)
		return;
	pattern = names_pattern(f->opt);
	if (f->parts)
		parts_repair(f, pattern);
	if (f->opt->ring.files || f->opt->ring.total || f->opt->ring.percent)
		set_find(f, pattern);
	free(pattern);
}

/* Who runs commands has the rights that there still are; the guardian few. */
void files_fork(struct files *f, struct ptap *tap)
{
	if (is_stdout(f))
		return;
	look_around(f);
	if (f->opt->command && is_rotating(f->opt))
		f->runner = command_start(f->opt->command, f->opt->jobs,
					  ptap_fd(tap));
	f->place = (struct guard_place){
		.dir = f->dir,
		.dir_len = f->dir_len,
		.base = f->base,
		.runner = f->runner,
		.command = f->opt->command,
	};
	guard_start(&f->guard, &f->place, ptap_fd(tap));
	if (f->runner >= 0)
		close(f->runner);	/* the guardian speaks to it */
	f->runner = -1;
}

/* Where files will be made or renamed from now on, or -1 if none will. */
int files_folder(const struct files *f)
{
	return is_rotating(f->opt) || f->parts ? f->base : -1;
}

static void set_name(struct files *f)
{
	char *name = names_make(f);
	struct stat st;

	free(f->name);
	set_forget(&f->set, name);
	f->name = name;
	/* A pipe that waits for the capture must not be replaced. */
	f->part = f->parts && (fstatat(f->dir, name + f->dir_len, &st, 0) ||
			       S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
	if (!f->part)
		return;
	if (asprintf(&f->name, "%s%s", name, PART_SUFFIX) < 0)
		die("no memory");
	free(name);
}

/* -W says how many there are, together with the one that is being written. */
static void remove_older(const struct files *f)
{
	char *name;

	if (!f->part || !f->opt->rotate_size || !f->opt->rotate_files)
		return;
	name = names_make(f);
	unlinkat(f->dir, name + f->dir_len, 0);
	free(name);
}

int files_open(struct files *f)
{
	int err;

	begin_period(f);
	if (is_stdout(f))
		return file_open_stdout(f);
	set_name(f);
	err = file_open(f);
	if (err)
		return err;
	remove_older(f);
	set_trim(f);
	return 0;
}

/* What the next records need in front of them. */
static int write_preamble(struct files *f, struct ptap *tap)
{
	struct ptap_spans spans = { .nr = 1, .nr_headers = 1 };
	long len = ptap_preamble_get(tap, NULL, 0);
	struct iovec iov;
	int err;

	if (len <= 0)
		return len;	/* nothing was given out: it is still to come */
	iov.iov_len = len;
	iov.iov_base = malloc(len);
	if (!iov.iov_base)
		return -ENOMEM;
	len = ptap_preamble_get(tap, iov.iov_base, iov.iov_len);
	if (len < 0) {
		err = len;
	} else {
		spans.iov = &iov;
		spans.header_bytes = len;
		spans.bytes = len;
		err = file_put(f, &spans);
	}
	free(iov.iov_base);
	return err;
}

/* Write, and enter it into the account. */
static int put(struct files *f, const struct ptap_spans *spans)
{
	int err = file_put(f, spans);

	return err ? err : sums_count(f->sums, spans);
}

/* From this file to the one that f->number and f->period ask for. */
static int next_file(struct files *f, struct ptap *tap)
{
	unsigned int flags = GUARD_RUN;
	int err = sums_put(f->sums, f, false);

	if (err)
		return err;
	/* Where it is not asked for, a slow disk is no reason for losses. */
	flags |= f->opt->part || f->opt->is_ring ? GUARD_SYNC : GUARD_SYNC_IDLE;
	file_close(f, flags);
	if (f->opt->ring.seconds || f->opt->ring.interval)
		begin_period(f);
	else if (f->opt->is_ring)
		f->period = now_ms(CLOCK_REALTIME) / MSEC_PER_SEC;
	set_name(f);
	err = file_open(f);
	if (err)
		return err;
	remove_older(f);
	set_trim(f);
	err = write_preamble(f, tap);
	return err ? err : sums_put(f->sums, f, false);
}

static void count_number(struct files *f)
{
	f->number++;
	if (f->opt->rotate_files && f->number >= f->opt->rotate_files)
		f->number = 0;
}

/* 1: no more files are wanted. */
static int next_numbered(struct files *f, struct ptap *tap)
{
	if (f->opt->stop.files && f->turns + 1 >= f->opt->stop.files)
		return 1;
	f->turns++;
	count_number(f);
	return next_file(f, tap);
}

/* Bytes that may be added before the record that is the last one. */
static uint64_t bytes_left(const struct files *f, uint64_t limit)
{
	uint64_t bytes = file_bytes(f);

	if (!limit)
		return UINT64_MAX;
	return bytes < limit ? limit - bytes : 0;
}

/* The smaller of the limits of this file and of the capture. */
static uint64_t room(const struct files *f)
{
	uint64_t file = bytes_left(f, size_limit(f->opt));
	uint64_t end = bytes_left(f, f->opt->stop.bytes);

	return file < end ? file : end;
}

static uint64_t records_left(const struct files *f)
{
	uint64_t records = file_records(f);

	if (!f->opt->ring.packets)
		return UINT64_MAX;
	return records < f->opt->ring.packets ?
	       f->opt->ring.packets - records : 0;
}

/* Headers alone make no file too large. */
static bool is_larger(const struct files *f, uint64_t limit)
{
	return limit && file_records(f) &&
	       file_bytes(f) > limit;
}

static bool is_full(const struct files *f)
{
	return is_larger(f, size_limit(f->opt)) || !records_left(f);
}

/* Part for part, a file for each. */
static int put_parts(struct files *f, struct ptap *tap, struct cut *cut)
{
	struct ptap_spans part;
	int ret = 0;

	while (!ret && !cut_is_done(cut)) {
		if (is_full(f)) {
			ret = next_numbered(f, tap);
			cut_skip_headers(cut);
		}
		if (ret)
			break;
		if (!cut_next(cut, room(f), records_left(f), &part))
			return -EIO;
		ret = put(f, &part);
		if (!ret && is_larger(f, f->opt->stop.bytes))
			ret = 1;
	}
	return ret;
}

/**
 * files_put - write, and begin as many new files as the limits ask for
 * @f: files
 * @tap: where @spans are from
 * @spans: still held
 *
 * Return: 0, 1 no more is wanted, or a negative errno.
 */
int files_put(struct files *f, struct ptap *tap,
	      const struct ptap_spans *spans)
{
	struct cut cut;
	int ret;

	if (!spans->records || (spans->bytes <= room(f) &&
				spans->records <= records_left(f)))
		return put(f, spans);
	ret = cut_init(&cut, spans, f->opt->format);
	if (!ret)
		ret = put_parts(f, tap, &cut);
	cut_exit(&cut);
	return ret;
}

/* Until the clock shows a multiple of the interval, or has done so. */
static int64_t interval_left(const struct files *f, int64_t now)
{
	int64_t step = (int64_t)f->opt->ring.interval * MSEC_PER_SEC;

	return now / step != f->begun_ms / step ? 0 : step - now % step;
}

/* Milliseconds until the next file is due, or -1. */
static int period_ms(const struct files *f)
{
	int64_t now, left = LOOK_MS, more;

	if (f->due_ms == NEVER && f->due_clock_ms == NEVER &&
	    !f->opt->ring.interval)
		return -1;
	now = now_ms(CLOCK_REALTIME);
	if (f->due_clock_ms != NEVER && f->due_clock_ms - now < left)
		left = f->due_clock_ms - now;
	more = f->opt->ring.interval ? interval_left(f, now) : left;
	if (more < left)
		left = more;
	more = f->due_ms != NEVER ? f->due_ms - now_ms(CLOCK_MONOTONIC) : left;
	if (more < left)
		left = more;
	return left < 0 ? 0 : (int)left;
}

/* Milliseconds until something is to be done, or -1 if nothing is. */
int files_wait_ms(const struct files *f)
{
	int flush = file_flush_ms(f), due = period_ms(f);

	return flush >= 0 && (due < 0 || flush < due) ? flush : due;
}

bool files_due(const struct files *f)
{
	return !period_ms(f);
}

/* Counted from the last time, without drift; what was missed is left out. */
static void next_period(struct files *f)
{
	int64_t step = (int64_t)f->opt->rotate_seconds * MSEC_PER_SEC;
	int64_t now = now_ms(CLOCK_REALTIME);

	f->due_clock_ms += step * ((now - f->due_clock_ms) / step + 1);
	f->period = now / MSEC_PER_SEC;
}

/**
 * files_turn - the time of the file is over
 * @f: files
 * @tap: where packets come from
 *
 * Return: 0, 1 it was the last file that is wanted, or a negative errno.
 */
int files_turn(struct files *f, struct ptap *tap)
{
	const struct options *opt = f->opt;

	if (opt->is_ring)
		return next_numbered(f, tap);
	if (opt->stop.files && f->turns + 1 >= opt->stop.files)
		return 1;
	next_period(f);
	f->turns++;
	if (!opt->rotate_size && opt->rotate_files &&
	    f->turns >= opt->rotate_files)
		return 1;
	f->number = 0;
	return next_file(f, tap);
}

/* Would the file that is being written be overwritten? */
static bool is_same_file(const struct files *f)
{
	char path[PATH_MAX], *name = names_make(f);
	struct stat now, next;

	snprintf(path, sizeof(path), "%s%s", name, f->part ? PART_SUFFIX : "");
	free(name);
	return !fstat(f->fd, &now) &&
	       !fstatat(f->dir, path + f->dir_len, &next, 0) &&
	       now.st_dev == next.st_dev && now.st_ino == next.st_ino;
}

/**
 * files_turn_now - the user wants the next file (SIGHUP)
 * @f: files
 * @tap: where packets come from
 *
 * Return: as files_turn().
 */
int files_turn_now(struct files *f, struct ptap *tap)
{
	unsigned int number = f->number;
	time_t period = f->period;

	if (f->opt->is_ring)
		return next_numbered(f, tap);
	if (f->opt->rotate_size)
		count_number(f);
	else if (f->turns + 1 >= f->opt->rotate_files && f->opt->rotate_files)
		return 1;
	else
		f->period = now_ms(CLOCK_REALTIME) / MSEC_PER_SEC;
	if (is_same_file(f)) {
		f->number = number;
		f->period = period;
		complain("%s goes on: the next file would have its name, and overwrite it",
			 f->name);
		return 0;
	}
	if (!f->opt->rotate_size)
		f->turns++;
	return next_file(f, tap);
}

/* Returns 0, or -1 when the complaint has been made. */
int files_close(struct files *f, bool run_command)
{
	unsigned int flags = GUARD_SYNC;
	int err;

	/* Where nothing more could be written, this is not said again. */
	sums_put(f->sums, f, true);
	if (run_command)
		flags |= GUARD_RUN;
	file_close(f, flags);
	err = guard_finish(&f->guard);
	if (err)
		f->failed = true;
	if (err == -ESRCH)
		file_name(f);
	set_free(&f->set);
	free(f->name);
	f->name = NULL;
	if (f->base >= 0)
		close(f->base);
	return f->failed ? -1 : 0;
}
