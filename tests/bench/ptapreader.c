// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ptapreader.c - ptap's side of what tapdump does not do in a benchmark.
 *
 *	ptapreader -i IFACE [-b MIB] [-F EXPRESSION] [-c COPYBREAK] [-p]
 *		   [-m META] [-r] [-T] [-w FILE] [-D | -H | -L | -R | -W]
 *
 * Captures with rings of MIB each, -p in pcapng, -m with these PTAP_META_*
 * bits, -r with read(), -T with times from the TSC, and writes, or without -w
 * only releases, what comes.  -H takes nothing before the end, but for what is
 * there at a SIGUSR1, after which it prints "warm": the sender's cost alone.  -R gives back unread every 20 ms, -L whenever it is
 * woken: the same with the default ring.  -D takes what is there every 20 ms,
 * for a stream with pauses: the reader's cost alone, timed; -W the same with
 * write() of each ring's memory as it is, whatever is in it: what cannot be
 * undercut.
 *
 * Prints "ready" on standard error when the capture runs; on SIGINT or SIGTERM
 * stops, takes what is left and prints one line of JSON.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

#define PAUSE_MS	20

static volatile sig_atomic_t stopped, lap;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		lap = 1;
	else
		stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint64_t cpu_ns(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000ull +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000ull;
}

/* What was taken, and what of it was timed. */
struct taken {
	uint64_t records;
	uint64_t bytes;
	uint64_t timed_bytes;
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

static void put(struct ptap *p, struct ptap_writer *w,
		const struct ptap_spans *spans, struct taken *t)
{
	t->records += spans->records;
	t->bytes += spans->bytes;
	if (w && ptap_writer_put(w, spans))
		err(1, "write");
	ptap_spans_release(p);
}

/* As much as there is.  False when there will be no more. */
static bool take_ready(struct ptap *p, struct ptap_writer *w, struct taken *t)
{
	struct ptap_spans spans;
	int ret;

	while ((ret = ptap_spans_next(p, 0, &spans)) > 0)
		put(p, w, &spans, t);
	if (ret < 0 && ret != -ENODATA && ret != -EINTR)
		errx(1, "%s", ptap_error(p));
	return ret != -ENODATA;
}

/* The same, of the rings' bytes. */
static bool take_raw(struct ptap *p, int fd, struct taken *t)
{
	const struct ptap_ring_map *m;
	uint64_t tail, head, n;
	const uint8_t *from;
	unsigned int i;

	for (i = 0; i < p->info.nr_rings; i++) {
		m = &p->maps[i];
		head = ptap_cons_head(m->ctl);
		for (tail = m->con->tail; tail != head; tail += n) {
			n = head - tail;
			if (n > PTAP_BATCH_BYTES_MAX)
				n = PTAP_BATCH_BYTES_MAX;
			from = m->data + (tail & (m->ctl->data_size - 1));
			if (write(fd, from, n) != (ssize_t)n)
				err(1, "write");
			ptap_cons_release(m->con, tail + n);
			t->bytes += n;
		}
	}
	return !p->stopped;
}

/*
 * Until the capture is stopped and empty.  With @pauses the reader sleeps by
 * the clock, and what it takes is timed once it has been @warm bytes through
 * the rings: the first lap is page faults.
 */
static void take(struct ptap *p, struct ptap_writer *w, int raw, bool pauses,
		 uint64_t warm, struct taken *t)
{
	uint64_t wall, cpu, before;
	bool more;

	do {
		if (stopped && ptap_stop(p))
			errx(1, "%s", ptap_error(p));
		wall = now_ns();
		cpu = cpu_ns();
		before = t->bytes;
		more = raw >= 0 ? take_raw(p, raw, t) : take_ready(p, w, t);
		if (before >= warm) {
			t->wall_ns += now_ns() - wall;
			t->cpu_ns += cpu_ns() - cpu;
			t->timed_bytes += t->bytes - before;
		}
		if (more && pauses)
			poll(NULL, 0, PAUSE_MS);
		else if (more)
			ptap_wait(p, 100, NULL);
	} while (more);
}

/* Until a signal.  A first lap through the rings may be taken out of them. */
static void hold(struct ptap *p, struct taken *t)
{
	while (!stopped) {
		if (lap) {
			lap = 0;
			take_ready(p, NULL, t);
			fprintf(stderr, "warm\n");
		}
		poll(NULL, 0, PAUSE_MS);
	}
}

/* Two pages of a ring, as <linux/ptap.h> lays them out. */
static void *ring_page(int fd, uint64_t off, int prot)
{
	long page = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, prot, MAP_SHARED, fd, off);

	if (at == MAP_FAILED)
		err(1, "mmap");
	return at;
}

/*
 * Until a signal: a reader that takes no time, with mappings of its own.  The
 * library's position stays behind and so is not used afterwards.
 */
static void release_all(struct ptap *p, bool pauses)
{
	volatile struct ptap_ring_consumer *con[64];
	volatile struct ptap_ring_control *ctl[64];
	struct pollfd pfd = { .fd = ptap_fd(p), .events = POLLIN };
	struct ptap_info info;
	unsigned int i;

	if (ptap_info_get(p, &info) || info.nr_rings > 64)
		errx(1, "no rings, or too many");
	for (i = 0; i < info.nr_rings; i++) {
		con[i] = ring_page(pfd.fd, i * info.ring_stride,
				   PROT_READ | PROT_WRITE);
		ctl[i] = ring_page(pfd.fd, i * info.ring_stride +
				   info.page_size, PROT_READ);
	}
	while (!stopped) {
		if (pauses)
			poll(NULL, 0, PAUSE_MS);
		else
			poll(&pfd, 1, PAUSE_MS);
		for (i = 0; i < info.nr_rings; i++)
			__atomic_store_n(&con[i]->tail,
					 __atomic_load_n(&ctl[i]->head,
							 __ATOMIC_ACQUIRE),
					 __ATOMIC_RELEASE);
	}
}

static void report(struct ptap *p, bool release, const struct taken *t)
{
	uint64_t records = t->records;
	struct ptap_stats st;

	if (ptap_stats_get(p, PTAP_RING_ALL, &st))
		errx(1, "%s", ptap_error(p));
	if (release)
		records = st.captured;
	printf("{\"seen\": %llu, \"captured\": %llu, \"dropped\": %llu, \"filtered\": %llu, \"in_rings\": %llu, \"wakeups\": %llu, \"bytes\": %llu, \"timed_bytes\": %llu, \"take_ns\": %llu, \"take_cpu_ns\": %llu}\n",
	       (unsigned long long)st.seen, (unsigned long long)records,
	       (unsigned long long)ptap_stats_dropped(&st),
	       (unsigned long long)st.filtered,
	       (unsigned long long)st.captured, (unsigned long long)st.wakeups,
	       (unsigned long long)t->bytes, (unsigned long long)t->timed_bytes,
	       (unsigned long long)t->wall_ns, (unsigned long long)t->cpu_ns);
}

static void open_tap(struct ptap *p, const struct ptap_config *cfg,
		     const char *filter)
{
	if (ptap_open(p, cfg) || ptap_filter_set(p, filter) || ptap_start(p))
		errx(1, "%s", ptap_error(p));
	fprintf(stderr, "ready\n");
}

int main(int argc, char **argv)
{
	struct ptap_config cfg = {
		.size = sizeof(cfg), .format = PTAP_FORMAT_PCAP_NSEC,
	};
	struct sigaction sa = { .sa_handler = on_signal };
	const char *iface = NULL, *file = NULL, *filter = NULL;
	struct ptap_writer *w = NULL;
	struct ptap *p = ptap_create();
	struct taken taken = { 0 };
	bool pauses;
	char how = 0;
	int opt, fd = -1;

	while ((opt = getopt(argc, argv, "i:b:F:c:m:prTw:DHLRW")) != -1) {
		switch (opt) {
		case 'i': iface = optarg; break;
		case 'b':
			cfg.ring_size = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'F': filter = optarg; break;
		case 'c':
			cfg.copybreak = strtoul(optarg, NULL, 0);
			cfg.flags |= PTAP_CONFIG_COPYBREAK;
			break;
		case 'T': cfg.flags |= PTAP_CONFIG_CLOCK_TSC; break;
		case 'm': cfg.meta = strtoul(optarg, NULL, 0); break;
		case 'p': cfg.format = PTAP_FORMAT_PCAPNG; break;
		case 'r': cfg.mode = PTAP_MODE_READ; break;
		case 'w': file = optarg; break;
		case 'D': case 'H': case 'L': case 'R': case 'W':
			how = opt;
			break;
		default: return 2;
		}
	}
	if (!iface || !p)
		errx(2, "usage: ptapreader -i IFACE [-b MIB] [-F EXPRESSION] [-c COPYBREAK] [-p] [-m META] [-r] [-w FILE] [-D | -H | -L | -R | -W]");
	pauses = how == 'D' || how == 'W';
	cfg.ifaces = &iface;
	cfg.nr_ifaces = 1;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	open_tap(p, &cfg, filter);
	if (file) {
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0)
			err(1, "%s", file);
		w = ptap_writer_create(fd, cfg.format);
	}
	if (how == 'H')
		hold(p, &taken);
	if (how == 'R' || how == 'L') {
		release_all(p, how == 'R');
		if (ptap_stop(p))
			errx(1, "%s", ptap_error(p));
	} else {
		take(p, w, how == 'W' ? fd : -1, pauses,
		     pauses ? 4 * cfg.ring_size : 0, &taken);
	}
	report(p, how == 'R' || how == 'L' || how == 'W', &taken);
	ptap_writer_destroy(w);
	ptap_destroy(p);
	return 0;
}
