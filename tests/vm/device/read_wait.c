// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What read() waits for, what ends its waiting, and when it says that nothing
 * more will come.
 */
#define _GNU_SOURCE
#include <time.h>
#include "common.h"
#include "read_test.h"

void wait_nonblocking(void)
{
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	REQUIRE(!fcntl(fd, F_SETFL, O_NONBLOCK), "F_SETFL: %m");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	CHECK(capture_read_once(&c, fd, 0) > 0 && c.nr_ifaces == 1,
	      "the preamble comes at once");
	for (i = 0; i < 3; i++)
		CHECK_ERRNO(capture_read_once(&c, fd, 0), EAGAIN, "empty");
	send_frames("d0", 0, 1, 60);
	/* It may be too young for one or two tries. */
	for (i = 0; i < 1000 && !c.packets; i++) {
		if (capture_read_once(&c, fd, 0) < 0)
			REQUIRE(errno == EAGAIN, "read: %m");
		sleep_us(1000);
	}
	CHECK_EQ(c.packets, 1, "packets");
	CHECK_EQ(read(fd, &i, 0), 0, "read of nothing");
	session_stop(fd);
	capture_finish(&c, fd);
}

static void *late_sender(void *arg)
{
	sleep_us(300000);
	send_frames("d0", 0, 1, 60);
	return arg;
}

void wait_blocking(void)
{
	struct capture c;
	struct tally t;
	pthread_t thread;
	uint64_t from;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	from = mono_ns();
	TEST_THREAD(thread, late_sender, NULL);
	capture_read(&c, fd, 1, 0);
	CHECK(mono_ns() - from >= 290000000, "read did not wait");
	pthread_join(thread, NULL);
	capture_finish(&c, fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

void wait_interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	sigaction(SIGALRM, &sa, NULL);
	for (i = 0; i < 5; i++) {
		ualarm(50000, 0);
		CHECK_ERRNO(capture_read_once(&c, fd, 0), EINTR, "read");
	}
	send_frames("d0", 0, 100, 700);
	capture_read(&c, fd, 100, 0);
	ualarm(50000, 0);
	CHECK_ERRNO(capture_read_once(&c, fd, 0), EINTR, "read");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 100);
}

void wait_restarted(void)
{
	struct sigaction sa = {
		.sa_handler = on_alarm, .sa_flags = SA_RESTART,
	};
	struct capture c;
	struct tally t;
	pthread_t thread;
	sigset_t set;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read_once(&c, fd, 0);
	sigaction(SIGALRM, &sa, NULL);
	/* The sender's thread does not take the alarm. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	TEST_THREAD(thread, late_sender, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ualarm(50000, 50000);
	capture_read(&c, fd, 1, 0);
	ualarm(0, 0);
	pthread_join(thread, NULL);
	capture_finish(&c, fd);
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
	net_ip("link del %s", (const char *)arg);
	return NULL;
}

void wait_end_at_stop(void)
{
	struct capture c;
	struct tally t;
	pthread_t thread;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 10, 60);
	TEST_THREAD(thread, stop_later, &fd);
	capture_read(&c, fd, 0, 0);
	pthread_join(thread, NULL);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 10);
}

void wait_end_when_gone(void)
{
	struct capture c;
	struct tally t;
	pthread_t thread;
	uint32_t list[2];
	int fd;

	net_dummy("d0");
	net_dummy("d1");
	list[0] = net_index("d0");
	list[1] = net_index("d1");
	fd = session_open(O_RDWR);
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &SETUP(.nr_ifaces = 2,
						  .ifaces = (uintptr_t)list)) &&
		!ioctl(fd, PTAP_IOC_START), "SETUP, START: %m");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 10, 60);
	net_ip("link del d0");
	send_frames("d1", 10, 10, 60);
	TEST_THREAD(thread, delete_later, "d1");
	capture_read(&c, fd, 0, 0);
	pthread_join(thread, NULL);
	CHECK_EQ(session_state(fd), PTAP_STATE_RUNNING, "state");
	CHECK_EQ(c.packets, 20, "packets");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 20);
}

struct beside {
	int fd;
	bool done;
};

static void *read_for_ever(void *arg)
{
	char buf[4096];

	while (read(((struct beside *)arg)->fd, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void *read_nonblocking(void *arg)
{
	struct beside *b = arg;
	char buf[4096];

	CHECK_ERRNO(read(b->fd, buf, sizeof(buf)), EAGAIN, "read");
	__atomic_store_n(&b->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* O_NONBLOCK means it, also while another thread sleeps in read(). */
void wait_beside_a_sleeper(void)
{
	pthread_t sleeper, thread;
	struct beside b = { 0 };
	int i;

	net_dummy("d0");
	b.fd = session_start("d0", SETUP());
	TEST_THREAD(sleeper, read_for_ever, &b);
	sleep_us(300000);
	REQUIRE(!fcntl(b.fd, F_SETFL, O_NONBLOCK), "F_SETFL: %m");
	TEST_THREAD(thread, read_nonblocking, &b);
	for (i = 0; i < 500 && !__atomic_load_n(&b.done, __ATOMIC_ACQUIRE); i++)
		sleep_us(10000);
	CHECK(b.done, "O_NONBLOCK waits for another thread's read");
	session_stop(b.fd);
	pthread_join(thread, NULL);
	pthread_join(sleeper, NULL);
	capture_discard(b.fd);
}

static void step_clock(int seconds)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += seconds;
	REQUIRE(!clock_settime(CLOCK_REALTIME, &ts), "clock_settime: %m");
}

/*
 * Somebody sets the clock back: what was captured before still comes, and does
 * not wait until it is that late again.  Only in the test VM.
 */
void wait_clock_set_back(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	static char buf[65536];
	char host[64] = "";
	ssize_t n = 1;
	int fd;

	gethostname(host, sizeof(host) - 1);
	if (strcmp(host, "ptap"))
		SKIP("not in the test VM: the clock is left alone");
	net_dummy("d0");
	pin_cpu(0);
	sigaction(SIGALRM, &sa, NULL);
	fd = session_start("d0", SETUP());
	send_frames("d0", 0, 10, 100);
	step_clock(-100);
	send_frames("d0", 10, 10, 100);
	alarm(8);
	while (n > 0 && session_stats(fd, PTAP_RING_ALL).consumed < 20)
		n = read(fd, buf, sizeof(buf));
	alarm(0);
	step_clock(100);
	CHECK(n > 0, "%llu of 20 packets in 8 s",
	      session_stats(fd, PTAP_RING_ALL).consumed);
	session_stop(fd);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	session_account(fd, NULL, NULL);
	close(fd);
}
