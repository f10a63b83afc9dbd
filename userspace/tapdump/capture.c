// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - from the tap to the output, until somebody wants an end.
 *
 * A capture ends by a signal, by -c, by -G with -W, by --autostop, with its
 * last interface, or with its output.  With -c exactly what was asked for is
 * written; if the output fails, what could be; otherwise everything that was
 * captured.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "tapdump.h"

/* tcpdump ends early when it does not like its options, say. */
static bool printer_ended(const struct capture *c)
{
	siginfo_t info = { 0 };

	return c->out.printer.pid &&
	       !waitid(P_PID, c->out.printer.pid, &info,
		       WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static int see_to_wishes(struct capture *c)
{
	unsigned int wishes = signals_take(WISH_STOP | WISH_INFO | WISH_CHILD);

	if (wishes & WISH_INFO)
		report_brief(c);
	if (wishes & WISH_STOP)
		c->interrupted = true;
	if (wishes & WISH_STOP || (wishes & WISH_CHILD && printer_ended(c)))
		return ptap_stop(c->tap);
	return 0;
}

/* What is in the file now, and what is not and never will be. */
static void complain_write(const struct capture *c, int err)
{
	uint64_t records = output_held(&c->out);
	uint64_t lost = 0;
	struct ptap_stats st;

	if (!ptap_stop(c->tap) && !ptap_stats_get(c->tap, PTAP_RING_ALL, &st))
		lost = st.captured - output_records(&c->out);
	if (!records)
		complain("cannot write to %s: %s; nothing is in it",
			 output_name(&c->out), file_error(err));
	else
		complain("cannot write to %s: %s; it is valid and holds %llu packet%s, %llu more that had been captured %s lost",
			 output_name(&c->out), ptap_strerror(err),
			 (unsigned long long)records, records == 1 ? "" : "s",
			 (unsigned long long)lost, lost == 1 ? "is" : "are");
}

/* The output failed. */
static int failed(struct capture *c, int err)
{
	if (err == -EPIPE) {
		/* Who read has seen enough; that is no failure. */
		c->lost_reader = true;
		return 0;
	}
	complain_write(c, err);
	return err;
}

static int put(struct capture *c, const struct ptap_spans *spans)
{
	int err = output_put(&c->out, spans);

	ptap_spans_release(c->tap);
	if (err < 0)
		return failed(c, err);
	if (!err)
		return 0;
	c->enough = true;
	return 0;
}

static uint64_t wanted(const struct capture *c)
{
	return c->opt->count ? c->opt->count - output_records(&c->out) : 0;
}

static bool is_done(const struct capture *c)
{
	return c->lost_reader || c->enough ||
	       (c->opt->count &&
		output_records(&c->out) == c->opt->count);
}

static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int stop_wait_ms(const struct capture *c)
{
	int64_t left;

	if (!c->stop_ms)
		return -1;
	left = c->stop_ms - now_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* The next file, if it is time or the user's wish. */
static int turn(struct capture *c)
{
	int ret = 0;

	if (c->stop_ms && now_ms() >= c->stop_ms) {
		c->stop_ms = 0;
		c->last = true;
		return ptap_stop(c->tap);
	}
	if (c->last || !c->opt->write)
		return 0;
	if (!file_flush_ms(&c->out.files))
		ret = file_flush(&c->out.files);
	if (ret)
		;
	else if (signals_take(WISH_TURN))
		ret = files_turn_now(&c->out.files, c->tap);
	else if (files_due(&c->out.files))
		ret = files_turn(&c->out.files, c->tap);
	else
		ret = sums_tick(&c->out.sums, &c->out.files);
	if (ret < 0)
		return failed(c, ret);
	if (!ret)
		return 0;
	c->last = true;
	c->full = c->opt->rotate_files && !c->opt->is_ring;
	return ptap_stop(c->tap);
}

/* How long to sleep: until the next thing that goes by the clock. */
static int timeout_ms(const struct capture *c)
{
	int ms = sooner(meters_wait_ms(c), stop_wait_ms(c));

	if (!c->opt->write || c->last)
		return ms;
	ms = sooner(ms, files_wait_ms(&c->out.files));
	return sooner(ms, sums_wait_ms(&c->out.sums));
}

/* 0 there was something or nothing, 1 it is over, or a negative errno */
static int step(struct capture *c)
{
	struct ptap_spans spans;
	int ret;

	ret = see_to_wishes(c);
	if (ret)
		goto fail;
	ret = turn(c);
	if (ret || c->lost_reader)
		return ret;
	ret = ptap_spans_next(c->tap, wanted(c), &spans);
	if (ret > 0)
		return put(c, &spans);
	if (ret == -ENODATA)
		return 1;
	if (!ret)
		ret = signals_wait(c->tap, c->out.reader, timeout_ms(c));
	if (ret == -EPIPE) {
		c->lost_reader = true;
		return 0;
	}
	if (ret >= 0 || ret == -EINTR)
		return 0;
fail:
	complain("%s", ptap_error(c->tap));
	return ret;
}

/* Returns 0, or -1 when the complaint has been made. */
int capture_run(struct capture *c)
{
	int ret = 0;

	if (c->opt->stop.seconds)
		c->stop_ms = now_ms() + (int64_t)c->opt->stop.seconds * 1000;
	while (!ret && !is_done(c)) {
		meters_tick(c);
		ret = step(c);
	}
	if (ptap_stop(c->tap)) {
		complain("%s", ptap_error(c->tap));
		return -1;
	}
	return ret < 0 ? -1 : 0;
}
