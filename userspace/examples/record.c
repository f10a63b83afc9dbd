// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * record.c - write a pcapng file: ptap_spans_next() and a writer, without a
 * copy of a packet in user space.  Ends with Ctrl-C.
 *
 *	record IFACE FILE [FILTER]
 *
 *	cc -o record record.c $(pkg-config --cflags --libs ptap)
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ptap.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct ptap_config config = { .size = sizeof(config) };
	struct ptap *p = ptap_create();
	struct ptap_spans spans;
	struct ptap_writer *w;
	struct ptap_stats st;
	sigset_t block, sleeping;
	const char *iface;
	int fd, ret;

	if (argc < 3 || !p)
		errx(2, "usage: record IFACE FILE [FILTER]");
	iface = argv[1];
	config.ifaces = &iface;
	config.nr_ifaces = 1;
	if (ptap_open(p, &config) || ptap_filter_set(p, argv[3]))
		errx(1, "%s", ptap_error(p));
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	w = ptap_writer_create(fd, PTAP_FORMAT_PCAPNG);
	if (fd < 0 || !w)
		err(1, "%s", argv[2]);

	/* The signal is let through while ptap_wait() sleeps, and only then. */
	sigaction(SIGINT, &sa, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &sleeping);
	sigdelset(&sleeping, SIGINT);
	if (ptap_start(p))
		errx(1, "%s", ptap_error(p));
	fprintf(stderr, "recording\n");

	while ((ret = ptap_spans_next(p, 0, &spans)) >= 0 || ret == -EINTR) {
		if (ret > 0) {
			ret = ptap_writer_put(w, &spans);
			ptap_spans_release(p);
			if (ret)
				errx(1, "%s: %s", argv[2], ptap_strerror(ret));
		} else if (stop) {
			ptap_stop(p);	/* and take what is left */
		} else {
			ptap_wait(p, -1, &sleeping);
		}
	}
	if (ret != -ENODATA || ptap_stats_get(p, PTAP_RING_ALL, &st))
		errx(1, "%s", ptap_error(p));
	printf("%llu packets, %llu lost\n",
	       (unsigned long long)ptap_writer_records(w),
	       (unsigned long long)ptap_stats_dropped(&st));
	ptap_writer_destroy(w);
	ptap_destroy(p);
	return close(fd) ? 1 : 0;
}
