// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rotate.c - the capture files of -w, and when the next one begins.
 *
 * Names and limits are tcpdump's.  -C begins a new file before a record when
 * the file is larger than it may be, so it has one record more than fits.  -G
 * begins one by the clock, in whole seconds since the start, also when no
 * packet comes.  A file begins with the preamble that the records behind it
 * need, ends with a whole record, and the next record is the first one of the
 * next file.
 *
 * The directory is opened first, so that it is found when privileges have been
 * given up, or the path leads elsewhere meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tapdump.h"

#define MSEC_PER_SEC	1000
#define NSEC_PER_MSEC	1000000

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

/* Digits that -W wants in the names of -C, as tcpdump counts them. */
static int digits(const struct options *opt)
{
	unsigned int last = opt->rotate_files ? opt->rotate_files - 1 : 0;
	int n = 0;

	for (; last; last /= 10)
		n++;
	return n;
}

/* With -G the name is a pattern of strftime(), in local time. */
static void name_by_time(const struct files *f, char *name, size_t size)
{
	struct tm tm;

	if (!localtime_r(&f->period, &tm) ||
	    !strftime(name, size, f->opt->write, &tm))
		die("no file name can be made of %s", f->opt->write);
}

/* The name of the file that f->number and f->period ask for. */
static char *make_name(const struct files *f)
{
	const struct options *opt = f->opt;
	char by_time[PATH_MAX];
	char *name;
	int n;

	if (opt->rotate_seconds)
		name_by_time(f, by_time, sizeof(by_time));
	if (!opt->rotate_size || (!f->number && !digits(opt)))
		n = asprintf(&name, "%s",
			     opt->rotate_seconds ? by_time : opt->write);
	else
		n = asprintf(&name, "%s%0*u",
			     opt->rotate_seconds ? by_time : opt->write,
			     digits(opt), f->number);
	if (n < 0)
		die("no memory");
	return name;
}

/*
 * The next rotation is due at the end of a second, as with tcpdump; behind it,
 * because names tell the second.
 */
static void begin_period(struct files *f)
{
	int64_t now = now_ms(CLOCK_REALTIME);

	f->period = now / MSEC_PER_SEC;
	f->due_ms = now_ms(CLOCK_MONOTONIC) - now % MSEC_PER_SEC +
		    (int64_t)f->opt->rotate_seconds * MSEC_PER_SEC + 1;
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

static bool is_rotating(const struct options *opt)
{
	return strcmp(opt->write, "-") != 0 &&
	       (opt->rotate_size || opt->rotate_seconds);
}

int files_prepare(struct files *f, const struct options *opt)
{
	const char *slash = strrchr(opt->write, '/');
	bool varies;
	char *dir;

	*f = (struct files){ .opt = opt, .dir = AT_FDCWD, .fd = -1,
			     .base = -1, .runner = -1 };
	if (is_stdout(f))
		return 0;
	f->dir_len = slash ? slash + 1 - opt->write : 0;
	dir = slash ? strndup(opt->write, f->dir_len) : strdup(".");
	if (!dir)
		die("no memory");
	varies = opt->rotate_seconds && strchr(dir, '%');
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

/* Whoever runs commands is forked while there are rights to inherit. */
void files_fork(struct files *f, struct ptap *tap)
{
	if (f->opt->command && is_rotating(f->opt))
		f->runner = command_start(f->opt->command, f->opt->jobs,
					  ptap_fd(tap));
}

/* Where files will be made from now on, or -1 if no more will. */
int files_folder(const struct files *f)
{
	return is_rotating(f->opt) ? f->base : -1;
}

/* Open f->name, empty.  Returns 0 or a negative errno, as errno says too. */
static int open_file(struct files *f)
{
	f->fd = openat(f->dir, f->name + f->dir_len,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (f->fd < 0)
		return -errno;
	f->writer = ptap_writer_create(f->fd, f->opt->format);
	if (!f->writer)
		die("no memory");
	return 0;
}

int files_open(struct files *f)
{
	if (is_stdout(f)) {
		f->name = strdup("standard output");
		f->fd = STDOUT_FILENO;
		f->writer = ptap_writer_create(f->fd, f->opt->format);
		if (!f->writer || !f->name)
			die("no memory");
		begin_period(f);
		return 0;
	}
	begin_period(f);
	f->name = make_name(f);
	return open_file(f);
}

/* Some file systems say only now that they could not write. */
static void close_file(struct files *f)
{
	if (f->writer)
		f->records += ptap_writer_records(f->writer);
	ptap_writer_destroy(f->writer);
	f->writer = NULL;
	if (f->fd >= 0 && close(f->fd) && errno != EINTR) {
		complain("cannot write to %s: %s", f->name, strerror(errno));
		f->failed = true;
	}
	f->fd = -1;
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
		err = ptap_writer_put(f->writer, &spans);
	}
	free(iov.iov_base);
	return err;
}

/* Write, and enter it into the account. */
static int put(struct files *f, const struct ptap_spans *spans)
{
	int err = ptap_writer_put(f->writer, spans);

	return err ? err : sums_count(f->sums, spans);
}

/* From this file to the one that f->number and f->period ask for. */
static int next_file(struct files *f, struct ptap *tap)
{
	int err = sums_put(f->sums, f->writer, false);

	if (err)
		return err;
	close_file(f);
	if (f->runner >= 0)
		command_run(f->runner, f->opt->command, f->name);
	free(f->name);
	f->name = make_name(f);
	err = open_file(f);
	if (!err)
		err = write_preamble(f, tap);
	return err ? err : sums_put(f->sums, f->writer, false);
}

static void count_number(struct files *f)
{
	f->number++;
	if (f->opt->rotate_files && f->number >= f->opt->rotate_files)
		f->number = 0;
}

/* Bytes that may be added before the record that is the last one. */
static uint64_t room(const struct files *f)
{
	uint64_t bytes = ptap_writer_bytes(f->writer);

	return bytes < f->opt->rotate_size ? f->opt->rotate_size - bytes : 0;
}

/* Headers alone make no file too large. */
static bool is_too_large(const struct files *f)
{
	return ptap_writer_records(f->writer) &&
	       ptap_writer_bytes(f->writer) > f->opt->rotate_size;
}

/* Only for -C: part for part, a file for each. */
static int put_parts(struct files *f, struct ptap *tap, struct cut *cut)
{
	struct ptap_spans part;
	int err = 0;

	while (!err && !cut_is_done(cut)) {
		if (is_too_large(f)) {
			count_number(f);
			err = next_file(f, tap);
			cut_skip_headers(cut);
		}
		if (err)
			break;
		if (!cut_next(cut, room(f), &part))
			return -EIO;
		err = put(f, &part);
	}
	return err;
}

/**
 * files_put - write, and begin as many new files as -C asks for
 * @f: files
 * @tap: where @spans are from
 * @spans: still held
 *
 * Return: 0 or a negative errno.
 */
int files_put(struct files *f, struct ptap *tap,
	      const struct ptap_spans *spans)
{
	struct cut cut;
	int err;

	if (!f->opt->rotate_size || !spans->records ||
	    ptap_writer_bytes(f->writer) + spans->bytes <= f->opt->rotate_size)
		return put(f, spans);
	err = cut_init(&cut, spans, f->opt->format);
	if (!err)
		err = put_parts(f, tap, &cut);
	cut_exit(&cut);
	return err;
}

/* Milliseconds until files_due(), or -1 if there is no -G. */
int files_wait_ms(const struct files *f)
{
	int64_t left;

	if (!f->opt->rotate_seconds)
		return -1;
	left = f->due_ms - now_ms(CLOCK_MONOTONIC);
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

bool files_due(const struct files *f)
{
	return !files_wait_ms(f);
}

/* Counted from the last time, without drift; what was missed is left out. */
static void next_period(struct files *f)
{
	int64_t step = (int64_t)f->opt->rotate_seconds * MSEC_PER_SEC;
	int64_t late = now_ms(CLOCK_MONOTONIC) - f->due_ms;

	f->due_ms += step * (late / step + 1);
	f->period = now_ms(CLOCK_REALTIME) / MSEC_PER_SEC;
}

/**
 * files_turn - the time of -G is over
 * @f: files
 * @tap: where packets come from
 *
 * Return: 0, 1 it was the last file that -W allows, or a negative errno.
 */
int files_turn(struct files *f, struct ptap *tap)
{
	const struct options *opt = f->opt;

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
	char *name = make_name(f);
	struct stat now, next;
	bool same;

	same = !fstat(f->fd, &now) &&
	       !fstatat(f->dir, name + f->dir_len, &next, 0) &&
	       now.st_dev == next.st_dev && now.st_ino == next.st_ino;
	free(name);
	return same;
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
	/* Where nothing more could be written, this is not said again. */
	sums_put(f->sums, f->writer, true);
	close_file(f);
	if (run_command && f->runner >= 0)
		command_run(f->runner, f->opt->command, f->name);
	free(f->name);
	f->name = NULL;
	if (f->base >= 0)
		close(f->base);
	if (f->runner >= 0)
		close(f->runner);
	return f->failed ? -1 : 0;
}
