// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What comes and goes while packets are captured: devices, namespaces,
 * processors, and the module itself.  Nothing is lost, and nothing is held
 * back.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "common.h"
#include "link.h"
#include "race_test.h"

#define DEVICES		150U
#define NAMESPACES	350U
#define FRAMES		5U	/* of each device */
#define ENDS		12U
#define OFFLINES	6U
#define RELOADS		10U
#define RELOADS_MANY	50U	/* where all is done more often */
#define MODULE		"/ptap/module/ptap.ko"
#define SLL2_LEN	20U

static int module_users(void)
{
	FILE *f = fopen("/sys/module/ptap/refcnt", "re");
	int nr = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &nr) != 1)
		nr = -1;
	fclose(f);
	return nr;
}

static void users_go(int wanted)
{
	int i;

	for (i = 0; i < 1200 && module_users() != wanted; i++)
		sleep_us(100000);
	CHECK_EQ(module_users(), wanted, "users of the module after two minutes");
}

/* A wildcard session sees them all, and each has one of its own. */
static void device_once(uint64_t seq, struct ptap_setup setup)
{
	struct pollfd p = { .events = POLLIN };
	struct capture c;
	struct tally t;

	REQUIRE(!link_dummy("d0"), "no d0");
	p.fd = session_start("d0", setup);
	send_frames("d0", seq, FRAMES, 200);
	REQUIRE(!link_delete("d0"), "d0 stays");
	CHECK(poll(&p, 1, 30000) == 1 && p.revents & POLLHUP, "revents %#x",
	      p.revents);
	tally_init(&t);
	capture_init(&c, p.fd, tally_packet, &t);
	capture_finish(&c, p.fd);
	tally_expect(&t, 0, seq, FRAMES);
}

void churn_devices(void)
{
	struct ptap_setup setup = SETUP_COPYBREAK(0, .snaplen = 2000,
						  .ring_size = 1 << 16);
	struct ptap_setup cooked = SETUP(.format = PTAP_FORMAT_PCAP_NSEC,
					 .linktype = PTAP_LINKTYPE_LINUX_SLL2);
	unsigned int rounds = race_rounds(1), i, k;
	struct capture c;
	struct tally t;
	int all;

	tally_init(&t);
	t.skipped = SLL2_LEN;
	t.cut = FRAME_HEAD;
	for (k = 0; k < rounds; k++) {
		all = session_start(NULL, cooked);
		tally_reset(&t);
		capture_init(&c, all, tally_packet, &t);
		for (i = 0; i < DEVICES; i++) {
			setup.copybreak = i % 2 ? 0 : 2048;
			device_once(i * FRAMES, setup);
		}
		capture_finish(&c, all);
		tally_expect(&t, 0, 0, DEVICES * FRAMES);
	}
}

/* In a namespace that ends with its only process, in the middle of it all. */
static void namespace_once(unsigned int i)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct rings rs;
	char data[600] = { 0 }, buf[4096];
	int fd, sock, k;

	net_private();
	REQUIRE(!link_up("lo"), "lo");
	fd = session_start(i % 4 == 3 ? NULL : "lo",
			   SETUP_COPYBREAK(i % 2 ? 0 : 2048, .snaplen = 2000,
					   .ring_size = 1 << 16));
	if (i % 3 == 1)
		rings_map(&rs, fd);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (k = 0; k < 10; k++)
		CHECK(sendto(sock, data, sizeof(data), 0, (void *)&to,
			     sizeof(to)) == sizeof(data), "sendto: %m");
	session_wait_seen(fd, 10);
	if (i % 3 == 2)
		CHECK(read(fd, buf, sizeof(buf)) > 0, "read: %m");
}

void churn_namespaces(void)
{
	struct sender snd = {
		.dev = "d1", .nr = UINT64_MAX / 2, .size = 60,
		.size_max = 1500, .batch = 4, .pause_us = 1000,
	};
	unsigned int rounds = race_rounds(NAMESPACES), i;
	int before = module_users(), status;
	bool stop = false;
	pthread_t sending;
	pid_t pid;

	net_dummy("d1");
	snd.stop = &stop;
	TEST_THREAD(sending, sender_thread, &snd);
	for (i = 0; i < rounds && !tap_failures(); i++) {
		pid = fork();
		REQUIRE(pid >= 0, "fork: %m");
		if (!pid) {
			namespace_once(i);
			_exit(tap_failures() ? EXIT_FAILURE : EXIT_SUCCESS);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
		CHECK(!status, "namespace %u: %#x", i, status);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(sending, NULL);
	users_go(before);
}

/* Until the device is gone: its other end went with its namespace. */
static void *send_to_the_end(void *arg)
{
	int sock = frame_socket("v0");
	uint8_t bytes[200];
	struct frame f = { .size = sizeof(bytes) };

	(void)arg;
	do {
		frame_make(bytes, &f);
		f.seq++;
	} while (send(sock, bytes, sizeof(bytes), 0) > 0 || errno == ENOBUFS ||
		 errno == EINTR);
	CHECK(errno == ENXIO || errno == ENODEV || errno == ENETDOWN,
	      "send: %m");
	close(sock);
	return NULL;
}

/* Ends while it receives: session and namespace are its process's alone. */
static void namespace_receive(int ready, int go, unsigned int i)
{
	struct rings rs;
	char byte = 0;
	int fd;

	net_private();
	REQUIRE(write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1,
		"pipes: %m");
	REQUIRE(!link_up("v1"), "v1");
	fd = session_start(i % 3 == 2 ? NULL : "v1",
			   SETUP_COPYBREAK(i % 2 ? 0 : 2048, .snaplen = 2000,
					   .ring_size = 1 << 16));
	if (i % 4 >= 2)
		rings_map(&rs, fd);
	session_wait_seen(fd, 20);
}

/* Packets come in all the time while it goes. */
void namespace_end(void)
{
	unsigned int rounds = race_rounds(ENDS), i, k;
	int ready[2], go[2], status, before = module_users();
	pthread_t sending;
	char byte = 0;
	pid_t pid;

	REQUIRE(!pipe(ready) && !pipe(go), "pipe: %m");
	for (i = 0; i < rounds && !tap_failures(); i++) {
		net_ip("link add v0 up type veth peer name v1");
		pid = fork();
		REQUIRE(pid >= 0, "fork: %m");
		if (!pid) {
			namespace_receive(ready[1], go[0], i);
			_exit(tap_failures() ? EXIT_FAILURE : EXIT_SUCCESS);
		}
		REQUIRE(read(ready[0], &byte, 1) == 1, "pipe: %m");
		net_ip("link set v1 netns %d", pid);
		TEST_THREAD(sending, send_to_the_end, NULL);
		REQUIRE(write(go[1], &byte, 1) == 1, "pipe: %m");
		REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
		CHECK(!status, "namespace %u: %#x", i, status);
		for (k = 0; k < 1200 && if_nametoindex("v0"); k++)
			sleep_us(100000);
		REQUIRE(!if_nametoindex("v0"), "v0 is there after two minutes");
		pthread_join(sending, NULL);
	}
	users_go(before);
}

static bool cpu_online(int cpu, bool yes)
{
	char path[64];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, yes ? "1" : "0", 1) == 1;
	close(fd);
	return ok;
}

/* Two sessions that see the same, whose rings hold seconds of it. */
struct two_ways {
	struct capture by_read, by_map;
	struct tally read_t, map_t;
	struct rings rs;
	int fd;
};

static void two_ways_init(struct two_ways *two, struct ptap_setup setup)
{
	two->fd = session_start("d0", setup);
	/* There may be nothing to read. */
	REQUIRE(!fcntl(two->fd, F_SETFL, O_NONBLOCK), "fcntl: %m");
	rings_map(&two->rs, session_start("d0", setup));
	tally_init(&two->read_t);
	tally_init(&two->map_t);
	capture_init(&two->by_read, two->fd, tally_packet, &two->read_t);
	capture_init(&two->by_map, two->rs.fd, tally_packet, &two->map_t);
}

static void two_ways_read(struct two_ways *two)
{
	rings_merge(&two->rs, &two->by_map, false);
	while (capture_read_once(&two->by_read, two->fd, 0) > 0)
		;
}

/* Its ring stays, and is read like the others; it is used again later. */
void cpu_offline(void)
{
	unsigned int rounds = race_rounds(OFFLINES), i;
	struct sender snd[2];
	struct two_ways two;
	pthread_t sending[2];

	need_cpus(2);
	if (!cpu_online(1, false))
		SKIP("CPU 1 cannot be taken offline here: %s",
		     strerror(errno));
	cpu_online(1, true);
	net_dummy("d0");
	two_ways_init(&two, SETUP_COPYBREAK(0, .snaplen = 2000,
					    .ring_size = 16 << 20));
	for (i = 0; i < 2; i++) {
		snd[i] = (struct sender){
			.dev = "d0", .id = i, .nr = 2000 * rounds,
			.size = 60, .size_max = 300, .batch = 10,
			.pause_us = 500,
		};
		TEST_THREAD(sending[i], sender_thread, &snd[i]);
	}
	for (i = 0; i < rounds; i++) {
		CHECK(cpu_online(1, false), "CPU 1 stays online: %m");
		two_ways_read(&two);
		CHECK(cpu_online(1, true), "CPU 1 stays offline: %m");
		two_ways_read(&two);
	}
	for (i = 0; i < 2; i++) {
		while (pthread_tryjoin_np(sending[i], NULL) == EBUSY) {
			two_ways_read(&two);
			sleep_us(1000);
		}
	}
	capture_finish(&two.by_read, two.fd);
	rings_finish(&two.rs, &two.by_map);
	for (i = 0; i < 2; i++) {
		tally_expect(&two.read_t, i, 0, snd[i].nr);
		tally_expect(&two.map_t, i, 0, snd[i].nr);
	}
}

static void *open_close(void *arg)
{
	struct ptap_info info = { .size = sizeof(info) };
	bool *stop = arg;
	int fd;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		fd = open(PTAP_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			CHECK(errno == ENOENT || errno == ENXIO ||
			      errno == ENODEV, "open: %m");
			sleep_us(2000);
			continue;
		}
		CHECK(!ioctl(fd, PTAP_IOC_INFO, &info), "INFO: %m");
		close(fd);
	}
	return NULL;
}

/* Either there is an open file and the module stays, or there is no module. */
void module_reload(void)
{
	struct sender snd = {
		.dev = "d1", .nr = UINT64_MAX / 2, .size = 60,
		.batch = 4, .pause_us = 500,
	};
	unsigned int usual = race_rounds(1) > 1 ? RELOADS_MANY : RELOADS;
	unsigned int rounds = race_rounds(usual), i;
	int module = open(MODULE, O_RDONLY | O_CLOEXEC);
	pthread_t opening, sending;
	bool stop = false;

	if (module < 0)
		SKIP("no %s here", MODULE);
	net_dummy("d1");
	snd.stop = &stop;
	TEST_THREAD(sending, sender_thread, &snd);
	TEST_THREAD(opening, open_close, &stop);
	for (i = 0; i < rounds; i++) {
		while (syscall(SYS_delete_module, "ptap", O_NONBLOCK)) {
			REQUIRE(errno == EWOULDBLOCK || errno == EBUSY,
				"delete_module: %m");
			sleep_us(500);
		}
		/* Opening the device loads it, where it is installed. */
		REQUIRE(!syscall(SYS_finit_module, module, "", 0) ||
			errno == EEXIST, "finit_module: %m");
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(opening, NULL);
	pthread_join(sending, NULL);
	close(module);
	close(session_open(O_RDWR));
}
