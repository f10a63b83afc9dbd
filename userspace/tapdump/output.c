// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * output.c - where packets go: files, a tcpdump that prints them, or both.
 *
 * With -w, what counts as captured is what is in the files, and with --print
 * the printer gets the same once more; without -w the printer is all there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tapdump.h"

static bool is_printing(const struct options *opt)
{
	return !opt->write || opt->print;
}

/* What has to happen before privileges are given up. */
int output_prepare(struct output *out, const struct options *opt,
		   struct ptap *tap)
{
	*out = (struct output){ .opt = opt, .tap = tap, .reader = -1 };
	out->printer.fd = -1;
	sums_init(&out->sums, opt, tap);
	if (opt->write && files_prepare(&out->files, opt))
		return -1;
	out->files.sums = &out->sums;
	return 0;
}

/* Processes that keep the privileges of the user who captures. */
void output_fork(struct output *out)
{
	if (out->opt->write)
		files_fork(&out->files, out->tap);
}

/* Where files will be made from now on, or -1 if no more will. */
int output_folder(const struct output *out)
{
	return out->opt->write ? files_folder(&out->files) : -1;
}

/* --count prints no packets, and only tells how many there were. */
static int open_nothing(struct printer *pr)
{
	pr->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (pr->fd >= 0)
		return 0;
	complain("cannot write to /dev/null: %s", strerror(errno));
	return -1;
}

static int open_printer(struct output *out)
{
	int err;

	if (!out->opt->write && out->opt->count_only)
		err = open_nothing(&out->printer);
	else
		err = print_start(&out->printer, out->opt);
	if (err)
		return err;
	out->printing = ptap_writer_create(out->printer.fd, out->opt->format);
	if (!out->printing)
		die("no memory");
	return 0;
}

/* What may be closed by who reads it; a printer prints to ours. */
static int find_reader(const struct output *out)
{
	int fd = out->opt->write ? out->files.fd : STDOUT_FILENO;
	struct stat st;

	if (fstat(fd, &st) || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return -1;
	return fd;
}

/* Returns 0, or -1 when the complaint has been made. */
int output_open(struct output *out)
{
	int err = out->opt->write ? files_open(&out->files) : 0;

	if (err) {
		complain("cannot write to %s: %s", out->files.name,
			 file_error(err));
		return -1;
	}
	/* The next file may be anything. */
	if (!out->opt->rotate_size && !out->opt->rotate_seconds &&
	    !out->opt->is_ring)
		out->reader = find_reader(out);
	return is_printing(out->opt) ? open_printer(out) : 0;
}

/*
 * Returns 0, 1 when no more is wanted, or a negative errno.  When a printer
 * beside files is gone, that is SIGCHLD's news.
 */
int output_put(struct output *out, const struct ptap_spans *spans)
{
	int err = 0, ret;

	if (out->opt->write)
		err = files_put(&out->files, out->tap, spans);
	if (err < 0 || !out->printing)
		return err;
	ret = ptap_writer_put(out->printing, spans);
	return out->opt->write ? err : ret;
}

/* Records in the file, or whatever it is, that is being written now. */
uint64_t output_held(const struct output *out)
{
	if (out->opt->write)
		return file_records(&out->files);
	return out->printing ? ptap_writer_records(out->printing) : 0;
}

/* Records in all of them. */
uint64_t output_records(const struct output *out)
{
	return out->files.records + output_held(out);
}

const char *output_name(const struct output *out)
{
	return out->opt->write ? out->files.name : "tcpdump";
}

/* An interrupted tcpdump ends its output with an empty line. */
static void end_line(const struct capture *c)
{
	if (c->opt->write || !c->interrupted)
		return;
	putchar('\n');
	fflush(stdout);
}

/* Close everything; the counts stay.  Returns 0 or -1. */
int output_close(struct output *out, const struct capture *c)
{
	int err = 0;

	if (out->opt->write)
		err = files_close(&out->files, c->full);
	if (out->printing) {
		close(out->printer.fd);
		if (out->printer.pid && print_finish(&out->printer))
			err = -1;
		end_line(c);
	}
	return err;
}

void output_free(struct output *out)
{
	ptap_writer_destroy(out->printing);
	out->printing = NULL;
	sums_free(&out->sums);
}
