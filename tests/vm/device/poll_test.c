// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What poll(), select() and epoll say of a session, and when.
 *
 * The machine may be emulated and slow: that a wake-up comes is tested, never
 * that it comes soon.  Who is not woken sleeps until the test's time is over:
 * with a timeout poll() and select() would look once more at its end, and hide
 * that nobody woke them.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include "common.h"
#include "poll_test.h"

#define SHORT_MS	150
#define NO_END		(-1)

static int poll_one(int fd, int timeout, int *revents)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, timeout);

	REQUIRE(n >= 0, "poll: %m");
	*revents = p.revents;
	return n;
}

static int select_one(int fd, int timeout_ms)
{
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	n = select(fd + 1, &set, NULL, NULL, timeout_ms < 0 ? NULL : &tv);
	REQUIRE(n >= 0, "select: %m");
	return n;
}

static int epoll_add(int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	REQUIRE(ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll: %m");
	return ep;
}

static uint32_t epoll_one(int ep, int timeout)
{
	struct epoll_event ev = { 0 };
	int n = epoll_wait(ep, &ev, 1, timeout);

	REQUIRE(n >= 0, "epoll_wait: %m");
	return n ? ev.events : 0;
}

static void not_started(void)
{
	int fd = session_open(O_RDWR), revents;

	net_dummy("d0");
	CHECK(!poll_one(fd, 50, &revents), "NEW: revents %#x", revents);
	close(fd);
	fd = session_setup("d0", SETUP());
	CHECK(!poll_one(fd, 50, &revents), "SETUP: revents %#x", revents);
	close(fd);
}

static void nothing_readable(void)
{
	int fd, ep, revents;
	uint64_t from;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	from = mono_ns();
	CHECK(!poll_one(fd, SHORT_MS, &revents), "poll: revents %#x", revents);
	CHECK(!select_one(fd, SHORT_MS), "select");
	ep = epoll_add(fd, EPOLLIN);
	CHECK(!epoll_one(ep, SHORT_MS), "epoll");
	CHECK(mono_ns() - from >= 3 * SHORT_MS * 1000000ULL, "nobody waited");
	CHECK(!poll_one(fd, 0, &revents), "poll without waiting");
	session_stop(fd);
	session_account(fd, NULL, NULL);
	close(fd);
}

/* Less than a watermark: a packet that gets old. */
static void below_watermark(void)
{
	struct capture c;
	struct tally t;
	int fd, i, revents, n = 0;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.flush_us = 30000));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	for (i = 0; i < 9; i++) {
		send_frames("d0", i, 1, 60);
		if (i % 3 == 0) {
			n = poll_one(fd, NO_END, &revents);
			CHECK(revents == POLLIN, "revents %#x", revents);
		} else if (i % 3 == 1) {
			n = select_one(fd, NO_END);
		} else {
			int ep = epoll_add(fd, EPOLLIN);

			n = epoll_one(ep, NO_END) == EPOLLIN;
			close(ep);
		}
		CHECK(n == 1, "packet %d does not wake", i);
		capture_read(&c, fd, i + 1, 0);
	}
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 9);
}

struct late {
	uint64_t first;
	uint64_t nr;
	uint32_t size;
	uint32_t delay_ms;
};

static void *late_frames(void *arg)
{
	struct late *l = arg;

	sleep_us(l->delay_ms * 1000);
	send_frames("d0", l->first, l->nr, l->size);
	return NULL;
}

/* The flush time is a second, but the watermark is reached: counted. */
static void at_watermark(void)
{
	struct late late = { .nr = 200, .size = 1000, .delay_ms = 100 };
	struct ptap_stats st;
	struct capture c;
	struct tally t;
	pthread_t thread;
	int fd, revents;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.flush_us = 1000000,
				       .watermark = 10000));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	TEST_THREAD(thread, late_frames, &late);
	CHECK(poll_one(fd, NO_END, &revents) == 1 && revents == POLLIN,
	      "revents %#x", revents);
	pthread_join(thread, NULL);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK(st.wakeups >= 1, "the watermark woke nobody");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 200);
}

static void immediate(void)
{
	struct late late = { .nr = 1, .size = 60, .delay_ms = 30 };
	struct capture c;
	struct tally t;
	pthread_t thread;
	int fd, revents, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.flush_us = 1000000, .watermark = 1));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	for (i = 0; i < 10; i++) {
		late.first = i;
		TEST_THREAD(thread, late_frames, &late);
		CHECK(poll_one(fd, NO_END, &revents) == 1 && revents == POLLIN,
		      "packet %d: revents %#x", i, revents);
		pthread_join(thread, NULL);
		capture_read(&c, fd, i + 1, 0);
	}
	CHECK(session_stats(fd, PTAP_RING_ALL).wakeups >= 5, "few wake-ups");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 10);
}

static void *stop_later(void *arg)
{
	sleep_us(200000);
	session_stop(*(int *)arg);
	return NULL;
}

static void *delete_later(void *arg)
{
	sleep_us(200000);
	net_ip("link del d0");
	return arg;
}

static void hangup_run(void *(*end)(void *))
{
	int fd, revents, ep;
	struct capture c;
	struct tally t;
	pthread_t thread;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	ep = epoll_add(fd, EPOLLIN);
	TEST_THREAD(thread, end, &fd);
	CHECK(poll_one(fd, NO_END, &revents) == 1 &&
	      revents == (POLLIN | POLLHUP), "revents %#x", revents);
	pthread_join(thread, NULL);
	CHECK(epoll_one(ep, NO_END) == (EPOLLIN | EPOLLHUP), "epoll");
	CHECK(select_one(fd, NO_END) == 1, "select");
	/* It stays so. */
	CHECK(poll_one(fd, 0, &revents) == 1 &&
	      revents == (POLLIN | POLLHUP), "revents %#x", revents);
	capture_finish(&c, fd);
}

static void hangup_at_stop(void)
{
	hangup_run(stop_later);
}

static void hangup_when_gone(void)
{
	hangup_run(delete_later);
}

static void *sleeper(void *arg)
{
	int revents, n = poll_one(*(int *)arg, NO_END, &revents);

	CHECK(n == 1 && revents == (POLLIN | POLLHUP), "revents %#x", revents);
	return NULL;
}

static void *read_sleeper(void *arg)
{
	char buf[4096];

	while (read(*(int *)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void many_sleepers(void)
{
	pthread_t threads[8];
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	for (i = 0; i < 8; i++)
		TEST_THREAD(threads[i], i < 5 ? sleeper : read_sleeper, &fd);
	sleep_us(200000);
	session_stop(fd);
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	session_account(fd, NULL, NULL);
	close(fd);
}

static void level_triggered(void)
{
	struct capture c;
	struct tally t;
	int fd, ep, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.flush_us = 20000));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	ep = epoll_add(fd, EPOLLIN);
	for (i = 0; i < 5; i++) {
		send_frames("d0", i, 1, 60);
		CHECK(epoll_one(ep, NO_END) == EPOLLIN, "packet %d", i);
		CHECK(epoll_one(ep, NO_END) == EPOLLIN, "still readable");
		capture_read(&c, fd, i + 1, 0);
		CHECK(!epoll_one(ep, SHORT_MS), "nothing is readable");
	}
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 5);
}

/*
 * After an event read all there is; the next packet makes the next event.  Each
 * second one has 60 bytes, the others @size.
 */
static void edge_run(struct ptap_setup setup, uint32_t size)
{
	struct capture c;
	struct tally t;
	int fd, ep, i;

	fd = session_start("d0", setup);
	REQUIRE(!fcntl(fd, F_SETFL, O_NONBLOCK), "F_SETFL: %m");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	ep = epoll_add(fd, EPOLLIN | EPOLLET);
	for (i = 0; i < 6 && !tap_failures(); i++) {
		if (size > 60 && i % 2 == 0)
			sleep_us(50000);	/* the timer has stopped */
		send_frames("d0", i, 1, i % 2 ? 60 : size);
		CHECK(epoll_one(ep, NO_END) & EPOLLIN, "no event for packet %d",
		      i);
		while (c.packets <= (uint64_t)i)
			if (capture_read_once(&c, fd, 0) < 0)
				sleep_us(500);
		CHECK_ERRNO(capture_read_once(&c, fd, 0), EAGAIN, "read");
	}
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, i);
}

static void edge_triggered(void)
{
	net_dummy("d0");
	edge_run(SETUP(), 60);
}

static void edge_triggered_immediate(void)
{
	net_dummy("d0");
	edge_run(SETUP(.watermark = 1), 60);
}

/* A packet that is a watermark by itself, and one that is not. */
static void edge_triggered_mixed(void)
{
	net_dummy("d0");
	pin_cpu(0);
	edge_run(SETUP(.watermark = 1000), 1400);
}

static void edge_triggered_mapped(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd, ep, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	ep = epoll_add(fd, EPOLLIN | EPOLLET);
	for (i = 0; i < 5 && !tap_failures(); i++) {
		send_frames("d0", i, 1, 60);
		CHECK(epoll_one(ep, NO_END) & EPOLLIN, "no event for packet %d",
		      i);
		rings_read(&rs, &c);
		CHECK_EQ(c.packets, i + 1, "packets after the event");
	}
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, i);
}

/* Who waits before there is anything to wait for. */
static void registered_early(void)
{
	int fd = session_open(O_RDWR), ep = epoll_add(fd, EPOLLIN);
	struct capture c;
	struct tally t;
	uint32_t index;

	net_dummy("d0");
	index = net_index("d0");
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP,
		       &SETUP(.nr_ifaces = 1, .ifaces = (uintptr_t)&index)) &&
		!ioctl(fd, PTAP_IOC_START), "SETUP, START: %m");
	sleep_us(100000);
	send_frames("d0", 0, 1, 60);
	CHECK(epoll_one(ep, NO_END) == EPOLLIN, "no event");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 1);
}

/* poll() fills deferred records in: who is woken finds them published. */
static void poll_publishes(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd, revents;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(0));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	rings_ifaces(&rs, &c);
	send_frames("d0", 0, 10, 500);
	CHECK_EQ(rings_readable(&rs), 0, "readable before poll");
	CHECK(poll_one(fd, NO_END, &revents) == 1, "poll");
	CHECK_EQ(rings_readable(&rs), 10 * 532, "readable after poll");
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 10);
}

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* A reader that was woken finds in the first ring when poll() looked. */
static void poll_leaves_time(void)
{
	const struct ptap_ring_control *ctl;
	uint64_t before, polled, last = 0;
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd, i, revents;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.flush_us = 20000));
	rings_map(&rs, fd);
	ctl = rs.r[0].ctl;
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	for (i = 0; i < 3; i++) {
		CHECK(!poll_one(fd, 50, &revents), "revents %#x", revents);
		CHECK_EQ(__atomic_load_n(&ctl->polled_ns, __ATOMIC_ACQUIRE),
			 last, "polled_ns when nothing was found");
		send_frames("d0", i, 1, 60);
		before = real_ns();
		CHECK(poll_one(fd, NO_END, &revents) == 1, "poll");
		polled = __atomic_load_n(&ctl->polled_ns, __ATOMIC_ACQUIRE);
		CHECK(polled >= before && polled <= real_ns(),
		      "polled_ns %llu, poll began at %llu",
		      (unsigned long long)polled, (unsigned long long)before);
		last = polled;
		rings_read(&rs, &c);
	}
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 3);
}

/* A reader that says that it looks by itself is left alone. */
static void awake_reader(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	uint32_t i;
	int fd, ep, revents;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.watermark = 1));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	for (i = 0; i < rs.info.nr_rings; i++)
		rs.r[i].con->awake = 1;
	ep = epoll_add(fd, EPOLLIN);
	for (i = 0; i < 20; i++) {
		send_frames("d0", i, 1, 100);
		rings_read(&rs, &c);
	}
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).wakeups, 0, "wake-ups");
	for (i = 0; i < rs.info.nr_rings; i++)
		rs.r[i].con->awake = 0;
	send_frames("d0", 20, 1, 100);
	CHECK(poll_one(fd, NO_END, &revents) == 1, "poll");
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).wakeups, 1, "wake-ups");
	close(ep);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 21);
}

static const struct test tests[] = {
	{ "before START", not_started },
	{ "nothing readable: they sleep", nothing_readable },
	{ "below the watermark: the flush time wakes", below_watermark },
	{ "at the watermark", at_watermark },
	{ "watermark 1: every packet wakes", immediate },
	{ "POLLHUP at STOP", hangup_at_stop },
	{ "POLLHUP when the interfaces are gone", hangup_when_gone },
	{ "many sleepers are all woken", many_sleepers },
	{ "epoll, level-triggered", level_triggered },
	{ "epoll, edge-triggered", edge_triggered },
	{ "epoll, edge-triggered, watermark 1", edge_triggered_immediate },
	{ "epoll, edge-triggered, above and below", edge_triggered_mixed },
	{ "epoll, edge-triggered, mapped", edge_triggered_mapped },
	{ "epoll of a session that is set up later", registered_early },
	{ "poll publishes deferred records", poll_publishes },
	{ "poll leaves the time in the control page", poll_leaves_time },
	{ "a reader that is awake is not woken", awake_reader },
	{ "idle: no timer expires", idle_no_timers },
	{ "idle: no timer is queued", idle_timer_list },
	{ "a packet after a long idle time wakes poll", idle_then_poll },
	{ "a packet after a long idle time wakes read", idle_then_read },
	{ "a packet in it that nobody slept for, then poll", idle_while_awake },
	{ "lost wake-ups: poll", race_poll },
	{ "lost wake-ups: poll, copybreak 0", race_poll_cloned },
	{ "lost wake-ups: poll, watermark 1", race_poll_watermark },
	{ "lost wake-ups: read", race_read },
	{ "lost wake-ups: read, watermark 1", race_read_watermark },
	{ "lost wake-ups: read, copybreak 0", race_read_cloned },
	{ "lost wake-ups: epoll, edge-triggered", race_epoll_edge },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
