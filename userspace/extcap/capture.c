// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - from the tap into Wireshark's pipe, as pcapng.
 *
 * Ends with SIGTERM or SIGINT, when the interfaces are gone, and when nobody
 * reads the pipe any more; what was captured until then is written.  The filter
 * changes when the toolbar says so.
 *
 * The pipe is opened before anything can be refused: dumpcap, which reads it,
 * waits for ever for the first byte of a pipe that nobody has opened, and for a
 * closed one not at all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "extcap.h"

#define LOOK_MS	1000	/* is somebody still reading? */
#define OPEN_MS	60000	/* until dumpcap reads the pipe */
#define PAUSE_MS	20

static volatile sig_atomic_t stop_wanted;

static void on_signal(int sig)
{
	if (sig != SIGIO)
		stop_wanted = 1;
}

/* Signals are taken while the capture sleeps, in @sleeping. */
static void signals_init(sigset_t *sleeping)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGIO };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(&blocked, signals[i]);
		sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, sleeping);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigdelset(sleeping, signals[i]);
}

static struct ptap *open_tap(const struct extcap *x)
{
	bool any = !strcmp(x->iface, EXTCAP_ANY);
	struct ptap_config config = {
		.size = sizeof(config),
		.ifaces = &x->iface,
		.nr_ifaces = any ? 0 : 1,
		.format = PTAP_FORMAT_PCAPNG,
		.snaplen = x->snaplen,
		.direction = x->direction,
		.meta = x->meta ? PTAP_META_FLAGS : 0,
		.ring_size = x->ring_size,
	};
	struct ptap *tap = ptap_create();

	if (!tap)
		errx(1, "no memory");
	if (x->promisc && !any)
		config.flags |= PTAP_CONFIG_PROMISC;
	if (x->clock_tsc)
		config.flags |= PTAP_CONFIG_CLOCK_TSC;
	if (ptap_open(tap, &config) || ptap_filter_set(tap, x->filter))
		errx(1, "%s", ptap_error(tap));
	return tap;
}

static bool is_read(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLERR | POLLHUP));
}

/* What holds from now on, and what of it the kernel does not do. */
static void show_filter(const struct ptap *tap, const struct control *toolbar,
			const char *filter)
{
	const char *why = ptap_filter_why(tap);

	if (why)
		control_log(toolbar, "Filtering in user space, since %s: %s",
			    why, filter);
	else if (*filter)
		control_log(toolbar, "Capture filter: %s", filter);
	else
		control_log(toolbar, "No capture filter");
}

static void change_filter(struct ptap *tap, struct control *toolbar)
{
	char *filter;

	while ((filter = control_next_filter(toolbar))) {
		if (ptap_filter_set(tap, filter))
			control_warn(toolbar, ptap_error(tap));
		else
			show_filter(tap, toolbar, filter);
		free(filter);
	}
}

/* Everything that is there now; -ENODATA when the capture has ended. */
static int take(struct ptap *tap, struct ptap_writer *w)
{
	struct ptap_spans spans;
	int ret, err;

	while ((ret = ptap_spans_next(tap, 0, &spans)) > 0) {
		err = ptap_writer_put(w, &spans);
		ptap_spans_release(tap);
		if (err)
			return err;
	}
	return ret == -EINTR ? 0 : ret;
}

static int run(struct ptap *tap, int fd, struct control *toolbar,
	       const sigset_t *sleeping)
{
	struct ptap_writer *w = ptap_writer_create(fd, PTAP_FORMAT_PCAPNG);
	int err;

	if (!w)
		return -ENOMEM;
	while (!(err = take(tap, w)) && is_read(fd)) {
		if (stop_wanted)
			ptap_stop(tap);
		else
			ptap_wait(tap, LOOK_MS, sleeping);
		change_filter(tap, toolbar);
	}
	ptap_writer_destroy(w);
	return err == -ENODATA || err == -EPIPE ? 0 : err;
}

static void report(struct ptap *tap, const struct control *toolbar)
{
	struct ptap_stats st;

	ptap_stop(tap);
	if (ptap_stats_get(tap, PTAP_RING_ALL, &st))
		return;
	control_log(toolbar, "%llu packets captured, %llu dropped",
		    (unsigned long long)st.captured,
		    (unsigned long long)ptap_stats_dropped(&st));
}

/* The pipe is open: capture into it. */
static int capture_into(int fd, struct ptap *tap, const struct extcap *x,
			const sigset_t *sleeping)
{
	struct control toolbar;
	int ret;

	if (control_open(&toolbar, x))
		return 1;
	control_show_filter(&toolbar, x->filter ? x->filter : "");
	if (ptap_filter_why(tap))
		show_filter(tap, &toolbar, x->filter ? x->filter : "");
	if (ptap_start(tap))
		errx(1, "%s", ptap_error(tap));
	ret = run(tap, fd, &toolbar, sleeping);
	if (ret)
		warnx("the capture ends: %s", ptap_strerror(ret));
	report(tap, &toolbar);
	control_close(&toolbar);
	return ret != 0;
}

/* Who waits for a reader is not there any more when none comes. */
static int open_fifo(const char *path)
{
	int fd, ms;

	for (ms = 0; ; ms += PAUSE_MS) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || errno != ENXIO || ms >= OPEN_MS)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	if (fd < 0)
		err(1, "cannot open %s", path);
	if (fcntl(fd, F_SETFL, 0))
		err(1, "cannot set up %s", path);
	return fd;
}

int capture_run(const struct extcap *x)
{
	sigset_t sleeping;
	struct ptap *tap;
	int fd, status;

	if (!x->fifo)
		errx(1, "--capture needs --fifo=FILE");
	fd = open_fifo(x->fifo);
	tap = open_tap(x);
	signals_init(&sleeping);
	status = capture_into(fd, tap, x, &sleeping);
	close(fd);
	ptap_destroy(tap);
	return status;
}
