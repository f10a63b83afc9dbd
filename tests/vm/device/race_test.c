// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pairs of calls against each other, many times, under traffic.
 *
 * Two threads meet at a barrier; then one does the first thing, the other one
 * the second, a random moment earlier or later.  Each round has a session of
 * its own.  Every outcome that the interface allows is right; the kernel must
 * survive, and what can be asked afterwards must hold.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <net/if.h>
#include "common.h"
#include "link.h"
#include "race_test.h"

#define ROUNDS		24U
#define DELAY_MAX	3000U	/* turns of an empty loop */

/**
 * struct race - a session in a round
 * @fd: its descriptor
 * @keep: another one of the same session, that nobody closes
 * @null: what takes @fd's place when the session is closed
 * @mapped: what @a has mapped
 * @len: bytes of that
 */
struct race {
	int fd;
	int keep;
	int null;
	void *mapped;
	size_t len;
};

/**
 * struct pair - what happens at the same time
 * @state: of the session at first
 * @closed: @b closes the session; nothing can be asked afterwards
 * @a: done by the test's thread
 * @b: done by the other one
 * @after: if set, looks at what came of it
 */
struct pair {
	uint32_t state;
	bool closed;
	void (*a)(struct race *r);
	void (*b)(struct race *r);
	void (*after)(struct race *r);
};

struct racer {
	const struct pair *pair;
	struct race *race;
	pthread_barrier_t barrier;
	unsigned int rounds;
	unsigned int seed;
};

unsigned int race_rounds(unsigned int usual)
{
	const char *more = getenv("PTAP_RACES");

	return usual * (more ? strtoul(more, NULL, 10) : 1);
}

static void moment(unsigned int *seed)
{
	unsigned int n = rand_r(seed) % DELAY_MAX;

	while (n--)
		__asm__ volatile("" ::: "memory");
}

static void *racer_thread(void *arg)
{
	struct racer *w = arg;
	unsigned int seed = w->seed, i;

	for (i = 0; i < w->rounds; i++) {
		pthread_barrier_wait(&w->barrier);
		moment(&seed);
		w->pair->b(w->race);
		pthread_barrier_wait(&w->barrier);
	}
	return NULL;
}

static void round_prepare(struct race *r, const struct pair *pair)
{
	struct ptap_setup setup = SETUP_COPYBREAK(100, .snaplen = 2000,
						  .ring_size = 65536);

	memset(r, 0, sizeof(*r));
	if (if_nametoindex("d0") == 0)
		REQUIRE(!link_dummy("d0"), "no d0");
	if (pair->state == PTAP_STATE_NEW)
		r->fd = session_open(O_RDWR | O_NONBLOCK);
	else
		r->fd = session_setup("d0", setup);
	if (pair->state == PTAP_STATE_RUNNING)
		REQUIRE(!ioctl(r->fd, PTAP_IOC_START), "START: %m");
	REQUIRE(!fcntl(r->fd, F_SETFL, O_RDWR | O_NONBLOCK), "fcntl: %m");
	r->keep = pair->closed ? -1 : dup(r->fd);
	r->null = open("/dev/null", O_RDWR);
	REQUIRE(r->null >= 0, "/dev/null: %m");
}

/* Of a session that was running, whatever ended it. */
static void round_account(int fd)
{
	if (session_state(fd) < PTAP_STATE_RUNNING)
		return;
	session_end(fd);
	CHECK_EQ(session_info(fd).nr_hooks, 0, "hooks");
}

static void round_end(struct race *r, const struct pair *pair)
{
	if (pair->after)
		pair->after(r);
	if (r->mapped)
		munmap(r->mapped, r->len);
	if (!pair->closed) {
		round_account(r->keep);
		close(r->keep);
	}
	close(r->fd);
	close(r->null);
}

/* Slow: fewer rounds. */
static void do_delete(struct race *r)
{
	(void)r;
	CHECK(!link_delete("d0"), "d0 cannot be deleted");
}

static void race(const struct pair *pair)
{
	struct sender snd = {
		.dev = "d1", .nr = UINT64_MAX / 2, .size = 60,
		.size_max = 1500, .batch = 4, .pause_us = 300,
	};
	pthread_t other, sending;
	struct race r;
	struct racer w = {
		.pair = pair, .race = &r, .seed = 2,
		.rounds = race_rounds(pair->b == do_delete ? ROUNDS / 3 :
							     ROUNDS),
	};
	unsigned int seed = 1, i;
	bool stop = false;

	/* Traffic of another device shares the hooks' lists and RTNL. */
	net_dummy("d0");
	net_dummy("d1");
	snd.stop = &stop;
	TEST_THREAD(sending, sender_thread, &snd);
	pthread_barrier_init(&w.barrier, NULL, 2);
	TEST_THREAD(other, racer_thread, &w);
	for (i = 0; i < w.rounds; i++) {
		round_prepare(&r, pair);
		pthread_barrier_wait(&w.barrier);
		moment(&seed);
		pair->a(&r);
		pthread_barrier_wait(&w.barrier);
		round_end(&r, pair);
	}
	pthread_join(other, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(sending, NULL);
}

static void do_setup(struct race *r)
{
	struct ptap_setup setup = SETUP(.snaplen = 2000, .ring_size = 65536);

	CHECK(!ioctl(r->fd, PTAP_IOC_SETUP, &setup) || errno == ENOTTY,
	      "SETUP: %m");
}

static void do_start(struct race *r)
{
	CHECK(!ioctl(r->fd, PTAP_IOC_START) || errno == ENODEV ||
	      errno == ENOTTY, "START: %m");
}

/* Its number stays taken: another thread's next file must not get it. */
static void do_close(struct race *r)
{
	CHECK(dup2(r->null, r->fd) == r->fd, "dup2: %m");
}

static void do_stop(struct race *r)
{
	CHECK(!ioctl(r->fd, PTAP_IOC_STOP), "STOP: %m");
}

static void do_send(struct race *r)
{
	(void)r;
	send_frames("d0", 0, 40, 400);
}

static void do_map(struct race *r)
{
	void *p;

	/* The ring's size is known; INFO might come too late. */
	r->len = getpagesize() + 2 * 65536;
	p = mmap(NULL, r->len, PROT_READ, MAP_SHARED, r->fd, getpagesize());
	CHECK(p != MAP_FAILED || errno == ENODEV, "mmap: %m");
	if (p != MAP_FAILED)
		r->mapped = p;
}

static void do_drain(struct race *r)
{
	struct ptap_drain drain = { .size = sizeof(drain),
				    .ring = PTAP_RING_ALL };

	CHECK(!ioctl(r->fd, PTAP_IOC_DRAIN, &drain) || errno == ENOTTY,
	      "DRAIN: %m");
}

static void do_read(struct race *r)
{
	static char buf[70000];

	CHECK(read(r->fd, buf, sizeof(buf)) >= 0 || errno == EAGAIN,
	      "read: %m");
}

/* The other thread's has a buffer of its own. */
static void do_read_too(struct race *r)
{
	static char buf[5000];

	CHECK(read(r->fd, buf, sizeof(buf)) >= 0 || errno == EAGAIN,
	      "read: %m");
}

static void do_poll(struct race *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	CHECK(poll(&p, 1, 5) >= 0, "poll: %m");
}

static void do_filter(struct race *r)
{
	static const struct sock_filter half[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_KIND_OFF + 10),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 200),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	CHECK(!session_filter(r->fd, half, 4) || errno == EBUSY, "FILTER: %m");
}

static void do_sync(struct race *r)
{
	struct ptap_sync sync = { .size = sizeof(sync) };

	CHECK(!ioctl(r->fd, PTAP_IOC_SYNC, &sync) || errno == ENOTTY,
	      "SYNC: %m");
}

/* After STOP nothing moves, also while packets go on. */
static void after_stop(struct race *r)
{
	struct ptap_stats a, b;

	a = session_stats(r->fd, PTAP_RING_ALL);
	send_frames("d0", 0, 5, 100);
	b = session_stats(r->fd, PTAP_RING_ALL);
	CHECK(!memcmp(&a, &b, sizeof(a)), "the counters go on after STOP");
}

static void after_delete(struct race *r)
{
	CHECK_EQ(session_info(r->fd).nr_hooks, 0, "hooks of a deleted device");
}

static void after_read(struct race *r)
{
	static char buf[70000];
	ssize_t n;

	session_stop(r->fd);
	while ((n = read(r->fd, buf, sizeof(buf))) > 0)
		;
	CHECK(!n, "read to the end: %m");
	session_account(r->fd, NULL, NULL);
}

#define PAIR(name, ...)							\
	static void name(void)						\
	{								\
		static const struct pair pair = { __VA_ARGS__ };	\
									\
		race(&pair);						\
	}

PAIR(setup_close, PTAP_STATE_NEW, true, do_setup, do_close, NULL)
PAIR(start_close, PTAP_STATE_SETUP, true, do_start, do_close, NULL)
PAIR(start_delete, PTAP_STATE_SETUP, false, do_start, do_delete, after_delete)
PAIR(start_send, PTAP_STATE_SETUP, false, do_start, do_send, NULL)
PAIR(stop_send, PTAP_STATE_RUNNING, false, do_stop, do_send, after_stop)
PAIR(stop_delete, PTAP_STATE_RUNNING, false, do_stop, do_delete, after_delete)
PAIR(stop_filter, PTAP_STATE_RUNNING, false, do_stop, do_filter, NULL)
PAIR(stop_map, PTAP_STATE_RUNNING, false, do_map, do_stop, NULL)
PAIR(map_close, PTAP_STATE_RUNNING, true, do_map, do_close, NULL)
PAIR(map_delete, PTAP_STATE_RUNNING, false, do_map, do_delete, after_delete)
PAIR(drain_close, PTAP_STATE_RUNNING, true, do_drain, do_close, NULL)
PAIR(drain_send, PTAP_STATE_RUNNING, false, do_drain, do_send, NULL)
PAIR(filter_send, PTAP_STATE_RUNNING, false, do_filter, do_send, NULL)
PAIR(read_close, PTAP_STATE_RUNNING, true, do_read, do_close, NULL)
PAIR(read_read, PTAP_STATE_RUNNING, false, do_read, do_read_too, after_read)
PAIR(read_delete, PTAP_STATE_RUNNING, false, do_read, do_delete, NULL)
PAIR(poll_close, PTAP_STATE_RUNNING, true, do_poll, do_close, NULL)
PAIR(poll_delete, PTAP_STATE_RUNNING, false, do_poll, do_delete, after_delete)
PAIR(sync_close, PTAP_STATE_RUNNING, true, do_sync, do_close, NULL)

static const struct test tests[] = {
	{ "SETUP and close", setup_close },
	{ "START and close", start_close },
	{ "START and the device's end", start_delete },
	{ "START and packets", start_send },
	{ "STOP and packets", stop_send },
	{ "STOP and the device's end", stop_delete },
	{ "STOP and FILTER", stop_filter },
	{ "STOP and mmap", stop_map },
	{ "mmap and close", map_close },
	{ "mmap and the device's end", map_delete },
	{ "DRAIN and close", drain_close },
	{ "DRAIN and packets", drain_send },
	{ "FILTER and packets", filter_send },
	{ "read and close", read_close },
	{ "read and read", read_read },
	{ "read and the device's end", read_delete },
	{ "poll and close", poll_close },
	{ "poll and the device's end", poll_delete },
	{ "SYNC and close", sync_close },
	{ "devices come and go by the hundred", churn_devices },
	{ "namespaces come and go by the hundred", churn_namespaces },
	{ "a namespace's end and its packets", namespace_end },
	{ "a CPU goes offline and comes back", cpu_offline },
	{ "the module is unloaded while it is opened", module_reload },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
