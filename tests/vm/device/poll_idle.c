// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A session in which nothing happens costs nothing, and wakes up all the same:
 * the flush timer stops when there is nothing to flush, and a packet that comes
 * while it stops, or long after, wakes the sleeper.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include "common.h"
#include "poll_test.h"

#define TRACE_DIR	"/sys/kernel/tracing/instances/ptap_test"
#define READ_SECONDS	8

/* A thread that reads what comes and sleeps in poll() for the rest. */
static void *sleep_in_poll(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };
	static char buf[65536];

	for (;;) {
		poll(&p, 1, -1);
		while (read(p.fd, buf, sizeof(buf)) > 0)
			;
	}
	return NULL;
}

static int start_sleeper(void)
{
	static int fd;
	pthread_t thread;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	REQUIRE(!fcntl(fd, F_SETFL, O_NONBLOCK), "F_SETFL: %m");
	TEST_THREAD(thread, sleep_in_poll, &fd);
	return fd;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Lines of a file with this word and with a function of the flush timer. */
static int count_lines(const char *path, const char *word)
{
	char line[1024];
	int nr = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		nr += strstr(line, word) && strstr(line, "ptap_wake");
	fclose(f);
	return nr;
}

static int traced_expiries(void)
{
	return count_lines(TRACE_DIR "/trace", "hrtimer_expire_entry");
}

static void trace_end(void)
{
	write_file(TRACE_DIR "/events/timer/hrtimer_expire_entry/enable", "0");
	rmdir(TRACE_DIR);
}

void idle_no_timers(void)
{
	int fd, before, after;

	mkdir(TRACE_DIR, 0700);
	if (!write_file(TRACE_DIR "/events/timer/hrtimer_expire_entry/enable",
			"1")) {
		rmdir(TRACE_DIR);
		SKIP("tracefs has no hrtimer events");
	}
	fd = start_sleeper();
	/* Does the trace show our timer at all? */
	send_frames("d0", 0, 1, 60);
	sleep_us(300000);
	if (traced_expiries() <= 0) {
		trace_end();
		SKIP("the trace does not name our timer");
	}
	sleep_us(700000);
	before = traced_expiries();
	sleep_us(1500000);
	after = traced_expiries();
	trace_end();
	CHECK(after == before, "%d timer expiries in 1.5 s", after - before);
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).consumed, 1, "consumed");
	session_stop(fd);
	session_account(fd, NULL, NULL);
}

void idle_timer_list(void)
{
	int fd = start_sleeper(), i, found = 0;

	if (count_lines("/proc/timer_list", "") < 0)
		SKIP("no /proc/timer_list");
	send_frames("d0", 0, 1, 60);
	sleep_us(700000);
	for (i = 0; i < 20; i++) {
		found += count_lines("/proc/timer_list", "ptap_wake");
		sleep_us(37000);
	}
	CHECK(!found, "the flush timer is queued in %d of 20 looks", found);
	session_stop(fd);
	session_account(fd, NULL, NULL);
}

static void *late_frame(void *arg)
{
	sleep_us(1500000);
	send_frames("d0", *(uint64_t *)arg, 1, 60);
	return NULL;
}

/* A packet wakes who sleeps in poll() since before it was sent. */
static void poll_late(int fd, uint64_t seq)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	pthread_t thread;

	TEST_THREAD(thread, late_frame, &seq);
	CHECK(poll(&p, 1, -1) == 1, "poll: %m");
	pthread_join(thread, NULL);
}

void idle_then_poll(void)
{
	struct capture c;
	struct tally t;
	uint64_t i;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	for (i = 0; i < 2; i++) {
		poll_late(fd, i);
		capture_read(&c, fd, i + 1, 0);
	}
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 2);
}

/*
 * In the idle state a packet comes while nobody sleeps, which asks the ring for
 * nothing any more; the next sleeper has to ask again.
 */
void idle_while_awake(void)
{
	struct pollfd p = { .events = POLLIN };
	struct capture c;
	struct tally t;

	net_dummy("d0");
	pin_cpu(0);
	p.fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, p.fd, tally_packet, &t);
	capture_read_once(&c, p.fd, 0);
	CHECK(!poll(&p, 1, 700), "nothing is readable");
	send_frames("d0", 0, 1, 60);
	capture_read(&c, p.fd, 1, 0);
	poll_late(p.fd, 1);
	capture_finish(&c, p.fd);
	tally_expect(&t, 0, 0, 2);
}

static void on_alarm(int sig)
{
	(void)sig;
}

void idle_then_read(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t seq = 0;
	pthread_t thread;
	struct capture c;
	struct tally t;
	int fd;

	net_dummy("d0");
	sigaction(SIGALRM, &sa, NULL);
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	TEST_THREAD(thread, late_frame, &seq);
	alarm(READ_SECONDS);
	CHECK(capture_read_once(&c, fd, 0) > 0, "read: %m");
	alarm(0);
	pthread_join(thread, NULL);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 1);
}

/*
 * The race: again and again the reader goes to sleep while, at a random time
 * around it, another CPU sends one packet.  The flush time is so short that the
 * idle state is entered within the same time.
 *
 * Who is not woken sleeps until the test's time is over: no packet follows that
 * would wake it, and with a timeout of its own poll() would look once more at
 * the end and hide that nobody woke it.
 */
#define RACE_ROUNDS	1500
#define RACE_DELAY_US	1200	/* of the packet; idle states come and go */
#define RACE_NEAR_US	300	/* the same where there are none */
#define RACE_READER_US	600	/* of the reader; sending takes its time, too */

struct race {
	uint64_t go;
	uint32_t delay_us;
};

static void random_delay(unsigned int *seed, uint32_t max_us)
{
	uint64_t until = mono_ns() + rand_r(seed) % max_us * 1000ULL;

	while (mono_ns() < until)
		;
}

/* The sender may go on, and the reader does soon. */
static void race_go(struct race *r, uint64_t round, unsigned int *seed)
{
	__atomic_store_n(&r->go, round + 1, __ATOMIC_RELEASE);
	random_delay(seed, RACE_READER_US);
}

static uint32_t race_delay(const struct ptap_setup *setup)
{
	return setup->watermark == 1 ? RACE_NEAR_US : RACE_DELAY_US;
}

static void *race_sender(void *arg)
{
	int sock = frame_socket("d0");
	struct race *r = arg;
	unsigned int seed = 1;
	uint64_t i;

	pin_cpu(1);
	for (i = 0; i < RACE_ROUNDS; i++) {
		/* In User-Mode Linux a thread that spins stops the others. */
		while (__atomic_load_n(&r->go, __ATOMIC_ACQUIRE) <= i)
			sched_yield();
		random_delay(&seed, r->delay_us);
		frame_send(sock, &(struct frame){ .size = 60, .seq = i });
	}
	close(sock);
	return NULL;
}

static struct ptap_setup race_setup(uint32_t copybreak, uint32_t watermark)
{
	return SETUP_COPYBREAK(copybreak, .flush_us = 150,
			       .watermark = watermark);
}

/* Mapped and polled; with @edge by an edge-triggered epoll. */
static void race_mapped(struct ptap_setup setup, bool edge)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct race race = { .delay_us = race_delay(&setup) };
	struct pollfd p = { .events = POLLIN };
	unsigned int seed = 2;
	int ep = epoll_create1(0);
	pthread_t thread;
	struct rings rs;
	struct capture c;
	struct tally t;
	uint64_t i;

	need_cpus(2);
	net_dummy("d0");
	p.fd = session_start("d0", setup);
	rings_map(&rs, p.fd);
	tally_init(&t);
	capture_init(&c, p.fd, tally_packet, &t);
	if (edge)
		epoll_ctl(ep, EPOLL_CTL_ADD, p.fd, &ev);
	TEST_THREAD(thread, race_sender, &race);
	pin_cpu(0);
	for (i = 0; i < RACE_ROUNDS; i++) {
		race_go(&race, i, &seed);
		do {
			REQUIRE((edge ? epoll_wait(ep, &ev, 1, -1) :
				 poll(&p, 1, -1)) == 1, "round %llu: %m",
				(unsigned long long)i);
			rings_read(&rs, &c);
		} while (c.packets <= i);
	}
	pthread_join(thread, NULL);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, RACE_ROUNDS);
	close(ep);
}

static void race_reading(struct ptap_setup setup)
{
	struct race race = { .delay_us = race_delay(&setup) };
	unsigned int seed = 2;
	pthread_t thread;
	struct capture c;
	struct tally t;
	uint64_t i;
	int fd;

	need_cpus(2);
	net_dummy("d0");
	fd = session_start("d0", setup);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	TEST_THREAD(thread, race_sender, &race);
	pin_cpu(0);
	for (i = 0; i < RACE_ROUNDS; i++) {
		race_go(&race, i, &seed);
		REQUIRE(capture_read_once(&c, fd, 4096) > 0, "round %llu: %m",
			(unsigned long long)i);
	}
	pthread_join(thread, NULL);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, RACE_ROUNDS);
}

void race_poll(void)
{
	race_mapped(race_setup(2048, 0), false);
}

void race_poll_cloned(void)
{
	race_mapped(race_setup(0, 0), false);
}

void race_poll_watermark(void)
{
	race_mapped(race_setup(2048, 1), false);
}

void race_read(void)
{
	race_reading(race_setup(2048, 0));
}

/* No timer looks after what was missed. */
void race_read_watermark(void)
{
	race_reading(race_setup(2048, 1));
}

void race_read_cloned(void)
{
	race_reading(race_setup(0, 0));
}

void race_epoll_edge(void)
{
	race_mapped(race_setup(2048, 0), true);
}
