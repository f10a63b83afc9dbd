// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Devices that are deleted, renamed, taken down or moved while they are
 * captured, and network namespaces that end.
 *
 * Nothing that was captured is lost, the capture says when it is over, and the
 * session never holds a device or a namespace back, not even with clones of its
 * packets in its queues.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include "common.h"
#include "life_test.h"

#define DELETE_SECONDS_MAX	15

/* The kernel's log from now on. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	REQUIRE(fd >= 0, "/dev/kmsg: %m");
	lseek(fd, 0, SEEK_END);
	return fd;
}

static void log_check(int fd)
{
	char line[8192];
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		if (n <= 0)
			continue;
		line[n] = 0;
		CHECK(!strstr(line, "waiting for"), "kernel: %s", line);
		CHECK(!strstr(line, "WARNING"), "kernel: %s", line);
	}
	close(fd);
}

/* Deleting is not delayed by what we hold. */
static void delete_now(const char *dev)
{
	uint64_t from = mono_ns();
	int log = log_open();

	net_ip("link del %s", dev);
	CHECK(mono_ns() - from < DELETE_SECONDS_MAX * 1000000000ULL,
	      "deleting %s took %llu ms", dev,
	      (unsigned long long)(mono_ns() - from) / 1000000);
	log_check(log);
}

static void expect_hangup(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK(poll(&p, 1, 8000) == 1 && p.revents == (POLLIN | POLLHUP),
	      "revents %#x", p.revents);
	CHECK_EQ(session_info(fd).nr_hooks, 0, "hooks");
	CHECK_EQ(session_state(fd), PTAP_STATE_RUNNING, "state");
}

static void deleted_run(uint32_t copybreak)
{
	struct capture c;
	struct tally t;
	int fd;

	net_veth("v0", "v1");
	fd = session_start("v1", SETUP(.copybreak = copybreak,
				       .flags = PTAP_SETUP_COPYBREAK |
						PTAP_SETUP_PROMISC));
	send_frames("v0", 0, 500, 700);
	session_wait_seen(fd, 500);
	delete_now("v1");
	expect_hangup(fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 500);
}

static void deleted(void)
{
	deleted_run(2048);
	deleted_run(0);
	deleted_run(0);
}

static void deleted_mapped(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd;

	net_veth("v0", "v1");
	fd = session_start("v1", SETUP_COPYBREAK(0));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("v0", 0, 500, 700);
	session_wait_seen(fd, 500);
	delete_now("v1");
	expect_hangup(fd);
	rings_merge(&rs, &c, true);
	tally_expect(&t, 0, 0, 500);
	rings_finish(&rs, &c);
}

/* Packets with routes and sockets behind them. */
static void deleted_with_routes(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(0x0a090802),
	};
	int fd, sock, i, wild;
	char data[600] = { 0 };

	net_veth("v0", "v1");
	net_ip("addr add 10.9.8.1/24 dev v0");
	net_ip("neigh add 10.9.8.2 lladdr 02:00:00:00:00:02 dev v0");
	fd = session_start("v0", SETUP_COPYBREAK(0));
	wild = session_start(NULL, SETUP_COPYBREAK(0));
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (i = 0; i < 200; i++)
		CHECK(sendto(sock, data, sizeof(data), 0, (void *)&to,
			     sizeof(to)) == sizeof(data), "sendto: %m");
	session_wait_seen(fd, 200);
	CHECK(session_stats(fd, PTAP_RING_ALL).cloned >= 200, "not cloned");
	delete_now("v0");
	expect_hangup(fd);
	close(sock);
	capture_discard(fd);
	capture_discard(wild);
}

/* What came before the end is there without a hole. */
static void *send_to_the_end(void *arg)
{
	uint64_t *sent = arg;
	uint8_t frame[200];
	struct frame f = { .size = sizeof(frame) };
	int sock = frame_socket("d0");

	for (;; f.seq++) {
		frame_make(frame, &f);
		if (send(sock, frame, f.size, 0) != (ssize_t)f.size &&
		    errno != ENOBUFS)
			break;
		__atomic_store_n(sent, f.seq + 1, __ATOMIC_RELAXED);
		if (f.seq + 1 == TALLY_SEQ_MAX)
			break;
	}
	close(sock);
	return NULL;
}

static void deleted_under_traffic(void)
{
	uint64_t sent = 0;
	pthread_t thread;
	struct capture c;
	struct tally t;
	int fd, i;

	for (i = 0; i < 3; i++) {
		net_dummy("d0");
		sent = 0;
		fd = session_start("d0", SETUP_COPYBREAK(i % 2 ? 0 : 2048,
							.ring_size = 64 << 20));
		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		TEST_THREAD(thread, send_to_the_end, &sent);
		session_wait_seen(fd, 500);
		delete_now("d0");
		expect_hangup(fd);
		pthread_join(thread, NULL);
		capture_finish(&c, fd);
		CHECK(c.packets && c.packets <= sent, "%llu of %llu packets",
		      (unsigned long long)c.packets, (unsigned long long)sent);
		tally_expect(&t, 0, 0, c.packets);
	}
}

static void renamed(void)
{
	struct pollfd p = { .events = POLLIN };
	struct capture c;
	struct tally t;
	int fd, wild;

	net_dummy("d0");
	fd = p.fd = session_start("d0", SETUP(.flags = PTAP_SETUP_PROMISC));
	wild = session_start(NULL, SETUP());
	send_frames("d0", 0, 100, 100);
	if (!net_ip_try("link set d0 name other")) {
		net_ip("link set d0 down");
		net_ip("link set d0 name other");
		net_ip("link set other up");
	}
	send_frames("other", 100, 100, 100);
	CHECK_EQ(session_info(fd).nr_hooks, 1, "hooks");
	CHECK(poll(&p, 1, 8000) == 1 && p.revents == POLLIN, "revents %#x",
	      p.revents);
	CHECK_EQ(net_promiscuity("other"), 1, "promiscuity");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 200);
	CHECK_EQ(net_promiscuity("other"), 0, "promiscuity after STOP");
	tally_reset(&t);
	capture_init(&c, wild, tally_packet, &t);
	capture_finish(&c, wild);
	tally_expect(&t, 0, 0, 200);
	CHECK_EQ(c.nr_ifaces, 1, "interfaces");
}

static void down_and_up(void)
{
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	for (i = 0; i < 5; i++) {
		send_frames("d0", i * 10, 10, 100);
		net_ip("link set d0 down");
		CHECK_EQ(session_info(fd).nr_hooks, 1, "hooks while down");
		net_ip("link set d0 up");
	}
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 50);
}

/* A child in a namespace of its own tells the promiscuity of d0 there. */
static pid_t promiscuity_child(int *tell)
{
	int p[2], ready[2];
	pid_t pid;
	char c = 0;

	REQUIRE(!pipe(p) && !pipe(ready), "pipe: %m");
	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		net_private();
		if (write(ready[1], &c, 1) != 1 || read(p[0], &c, 1) != 1)
			_exit(99);
		/* It still works, and a new capture may be made of it. */
		net_ip("link set d0 up");
		c = net_promiscuity("d0");
		close(session_start("d0", SETUP()));
		_exit(c);
	}
	REQUIRE(read(ready[0], &c, 1) == 1, "child");
	*tell = p[1];
	return pid;
}

static void moved(void)
{
	struct ptap_iface_info iface = { .size = sizeof(iface) };
	int fd, tell, status;
	struct capture c;
	struct tally t;
	pid_t pid;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.copybreak = 0,
				       .flags = PTAP_SETUP_COPYBREAK |
						PTAP_SETUP_PROMISC));
	send_frames("d0", 0, 300, 100);
	CHECK_EQ(net_promiscuity("d0"), 1, "promiscuity");
	pid = promiscuity_child(&tell);
	net_ip("link set d0 netns %d", pid);
	expect_hangup(fd);
	CHECK(!ioctl(fd, PTAP_IOC_IFACE, &iface) &&
	      iface.flags == PTAP_IFACE_GONE, "IFACE of a moved interface");
	CHECK(write(tell, "", 1) == 1, "write: %m");
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	CHECK(!status, "promiscuity of the moved device: %#x", status);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 300);
}

static void promiscuity(void)
{
	struct ptap_setup setup = SETUP(.flags = PTAP_SETUP_PROMISC);
	int a, b;

	net_dummy("d0");
	a = session_setup("d0", setup);
	CHECK_EQ(net_promiscuity("d0"), 0, "after SETUP");
	REQUIRE(!ioctl(a, PTAP_IOC_START), "START: %m");
	CHECK_EQ(net_promiscuity("d0"), 1, "after START");
	b = session_start("d0", setup);
	CHECK_EQ(net_promiscuity("d0"), 2, "of two sessions");
	close(a);
	CHECK_EQ(net_promiscuity("d0"), 1, "after close");
	session_stop(b);
	CHECK_EQ(net_promiscuity("d0"), 0, "after STOP");
	close(b);
	CHECK_EQ(net_promiscuity("d0"), 0, "after close of a stopped one");
	close(session_start("d0", SETUP()));
	CHECK_EQ(net_promiscuity("d0"), 0, "without PROMISC");
}

/*
 * The session holds its namespace, which nobody else does; its end is the
 * namespace's end, and that of the veth peer in another namespace.
 */
static void namespace_ends(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY), there, fd, i, log;
	struct capture c;
	struct tally t;

	net_private();
	there = open("/proc/self/ns/net", O_RDONLY);
	REQUIRE(here >= 0 && there >= 0 && !setns(here, CLONE_NEWNET),
		"namespaces: %m");
	net_veth("v0", "v1");
	fd = session_start("v1", SETUP_COPYBREAK(0));
	net_ip("link set v0 netns /proc/%d/fd/%d", getpid(), there);
	REQUIRE(!setns(there, CLONE_NEWNET), "setns: %m");
	close(here);
	net_ip("link set v0 up");
	net_wait_running("v0");
	send_frames("v0", 0, 300, 500);
	session_wait_seen(fd, 300);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_read(&c, fd, 300, 0);
	tally_expect(&t, 0, 0, 300);
	send_frames("v0", 300, 300, 500);
	log = log_open();
	session_wait_seen(fd, 600);
	close(fd);
	for (i = 0; i < 150 && if_nametoindex("v0"); i++)
		sleep_us(100000);
	CHECK(!if_nametoindex("v0"), "the namespace is still there after 15 s");
	log_check(log);
}

static const struct test tests[] = {
	{ "an interface is deleted", deleted },
	{ "an interface is deleted, mapped rings", deleted_mapped },
	{ "an interface is deleted, packets with routes",
	  deleted_with_routes },
	{ "an interface is deleted under traffic", deleted_under_traffic },
	{ "an interface is renamed", renamed },
	{ "an interface goes down and up", down_and_up },
	{ "an interface moves to another namespace", moved },
	{ "promiscuity goes up and down", promiscuity },
	{ "a namespace ends", namespace_ends },
	{ "two sessions at once", two_sessions },
	{ "fifty sessions under traffic", fifty_sessions },
	{ "close while running", close_while_running },
	{ "the module is in use while a session is open", module_in_use },
	{ "without CAP_NET_RAW", no_net_raw },
	{ "root of a user namespace is refused", user_namespace },
	{ "root of a user namespace, where that is allowed",
	  user_namespace_allowed },
	{ "a file that is passed to a child", passed_to_child },
	{ "random calls of four threads under traffic", stress_calls },
	{ "devices come and go under traffic", stress_devices },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
