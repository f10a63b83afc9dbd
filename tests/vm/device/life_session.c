// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Sessions beside each other, sessions that end in the middle of traffic, and
 * who may have one.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/syscall.h>
#include "common.h"
#include "life_test.h"

#define USERNS_PARAM	"/sys/module/ptap/parameters/userns"

static int module_refcount(void)
{
	FILE *f = fopen("/sys/module/ptap/refcnt", "re");
	int nr = -1;

	REQUIRE(f && fscanf(f, "%d", &nr) == 1, "refcnt of the module: %m");
	fclose(f);
	return nr;
}

static void kind_1_packet(void *arg, const struct packet *p)
{
	struct frame f;

	CHECK(frame_check(p->data, p->caplen, 0, &f) && f.kind == 1,
	      "not a frame of kind 1");
	++*(uint32_t *)arg;
}

/* Different format, snaplen, copybreak, direction, filter, way of reading. */
void two_sessions(void)
{
	static const struct sock_filter kind_1[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_KIND_OFF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sender s = { .dev = "v0", .nr = 3000, .size = 60,
			    .size_max = 1500, .kinds = 3, .batch = 10,
			    .pause_us = 500 };
	struct capture all, some;
	uint32_t nr = 0;
	struct rings rs;
	struct tally t;
	int a, b, in;

	net_veth("v0", "v1");
	a = session_start("v0", SETUP_COPYBREAK(0, .snaplen = 700));
	b = session_start("v0", SETUP(.format = PTAP_FORMAT_PCAP_USEC));
	in = session_start("v0", SETUP(.direction = PTAP_DIR_IN));
	REQUIRE(!session_filter(b, kind_1, 4), "FILTER: %m");
	rings_map(&rs, b);
	tally_init(&t);
	capture_init(&all, a, tally_packet, &t);
	capture_init(&some, b, kind_1_packet, &nr);
	sender_run(&s);
	capture_read(&all, a, 1000, 0);
	rings_merge(&rs, &some, false);
	s.first = s.nr;
	sender_run(&s);
	capture_finish(&all, a);
	rings_finish(&rs, &some);
	tally_expect(&t, 0, 0, 6000);
	CHECK_EQ(nr, 2000, "frames of kind 1");
	CHECK_EQ(session_stats(in, PTAP_RING_ALL).seen, 0, "received");
	capture_discard(in);
}

static struct ptap_setup varied(int i)
{
	return SETUP(.copybreak = i % 3 ? 2048 : 0,
		     .flags = PTAP_SETUP_COPYBREAK |
			      (i % 4 ? 0 : PTAP_SETUP_PROMISC),
		     .format = i % 2 ? PTAP_FORMAT_PCAP_NSEC :
				       PTAP_FORMAT_PCAPNG,
		     .ring_size = 1 << 16, .snaplen = 2000);
}

/* Each is used a little and ended in one of several ways. */
static void *open_and_close(void *arg)
{
	struct capture c;
	struct rings rs;
	int fd, i;

	for (i = 0; i < 25; i++) {
		fd = session_start("d0", varied(i + *(int *)arg));
		capture_init(&c, fd, NULL, NULL);
		switch (i % 5) {
		case 0:
			break;
		case 1:
			capture_read(&c, fd, 20, 0);
			break;
		case 2:
			rings_map(&rs, fd);
			rings_merge(&rs, &c, false);
			break;
		case 3:
			rings_map(&rs, fd);
			rings_finish(&rs, &c);
			continue;
		case 4:
			capture_finish(&c, fd);
			continue;
		}
		close(fd);
		if (i % 5 == 2)
			rings_unmap(&rs);
	}
	return NULL;
}

static void traffic_start(struct sender *s, pthread_t *threads, bool *stop)
{
	int i;

	for (i = 0; i < 2; i++) {
		s[i] = (struct sender){
			.dev = "d0", .id = i, .nr = UINT64_MAX / 2, .size = 60,
			.size_max = 1500, .cpu = i % nr_cpus() + 1,
			.stop = stop, .pause_us = 200,
		};
		TEST_THREAD(threads[i], sender_thread, &s[i]);
	}
}

void fifty_sessions(void)
{
	int before = module_refcount(), i, nr[2] = { 0, 1 };
	pthread_t threads[2], openers[2];
	struct sender s[2];
	bool stop = false;

	net_dummy("d0");
	traffic_start(s, threads, &stop);
	for (i = 0; i < 2; i++)
		TEST_THREAD(openers[i], open_and_close, &nr[i]);
	for (i = 0; i < 2; i++)
		pthread_join(openers[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(net_promiscuity("d0"), 0, "promiscuity");
	CHECK_EQ(module_refcount(), before, "users of the module");
}

/* Somebody sleeps in it, clones are queued, packets are on their way. */
void close_while_running(void)
{
	pthread_t threads[2];
	struct sender s[2];
	bool stop = false;
	int fd, dup_fd, i;

	net_dummy("d0");
	traffic_start(s, threads, &stop);
	for (i = 0; i < 20; i++) {
		fd = session_start("d0", SETUP_COPYBREAK(i % 2 ? 0 : 2048));
		dup_fd = dup(fd);
		sleep_us(10000);
		close(fd);
		CHECK_EQ(session_state(dup_fd), PTAP_STATE_RUNNING,
			 "after close of one of two descriptors");
		session_wait_seen(dup_fd, 1);
		close(dup_fd);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

void module_in_use(void)
{
	int fd = session_open(O_RDWR);

	REQUIRE(module_refcount() > 0, "the module has no user");
	CHECK(syscall(SYS_delete_module, "ptap", O_NONBLOCK) == -1 &&
	      (errno == EWOULDBLOCK || errno == EBUSY), "delete_module: %m");
	CHECK_EQ(session_state(fd), PTAP_STATE_NEW, "state");
	close(fd);
}

static void drop_net_raw(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	REQUIRE(!syscall(SYS_capget, &h, d), "capget: %m");
	d[CAP_TO_INDEX(CAP_NET_RAW)].effective &= ~CAP_TO_MASK(CAP_NET_RAW);
	REQUIRE(!syscall(SYS_capset, &h, d), "capset: %m");
}

void no_net_raw(void)
{
	struct ptap_setup setup = SETUP();
	int fd = session_open(O_RDWR);

	drop_net_raw();
	CHECK_ERRNO(open(PTAP_DEVICE, O_RDWR), EPERM, "open");
	CHECK_ERRNO(open(PTAP_DEVICE, O_RDONLY), EPERM, "open for reading");
	/* An open file is the right to use it. */
	CHECK(!ioctl(fd, PTAP_IOC_SETUP, &setup) &&
	      !ioctl(fd, PTAP_IOC_START), "SETUP, START: %m");
	session_stop(fd);
	close(fd);
	REQUIRE(!setresuid(65534, 65534, 65534), "setresuid: %m");
	CHECK(open(PTAP_DEVICE, O_RDWR) == -1 &&
	      (errno == EACCES || errno == EPERM), "open as nobody: %m");
}

static bool userns_allowed(void)
{
	char c = 0;
	int fd = open(USERNS_PARAM, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && read(fd, &c, 1) == 1, "%s: %m", USERNS_PARAM);
	close(fd);
	return c == 'Y';
}

static void userns_allow(bool yes)
{
	int fd = open(USERNS_PARAM, O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, yes ? "Y" : "N", 1) == 1, "%s: %m",
		USERNS_PARAM);
	close(fd);
}

void user_namespace(void)
{
	if (userns_allowed())
		SKIP("the module's parameter userns is set");
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP("no user namespaces");
	CHECK_ERRNO(open(PTAP_DEVICE, O_RDWR), EPERM, "open");
}

/* Root there, nobody here: its own network only. */
void user_namespace_allowed(void)
{
	bool before = userns_allowed();
	int status, flags, i;
	pid_t pid;

	userns_allow(true);
	for (i = 0; i < 2; i++) {
		flags = CLONE_NEWUSER | (i ? CLONE_NEWNET : 0);
		pid = fork();
		if (!pid) {
			if (unshare(flags))
				_exit(2);
			_exit(open(PTAP_DEVICE, O_RDWR) >= 0 ? 0 :
			      errno == EPERM ? 1 : 3);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			status = 9 << 8;
		status = WEXITSTATUS(status);
		CHECK(status == 2 || status == !i, "%s: %d",
		      i ? "own network" : "foreign network", status);
	}
	userns_allow(before);
	if (status == 2)
		SKIP("no user namespaces");
}

/* A child that may nothing captures with what its parent opened. */
void passed_to_child(void)
{
	int fd, status;
	pid_t pid;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(0));
	send_frames("d0", 0, 200, 500);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		struct capture c;
		struct tally t;

		REQUIRE(!setresuid(65534, 65534, 65534), "setresuid: %m");
		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		capture_read(&c, fd, 200, 0);
		tally_expect(&t, 0, 0, 200);
		capture_finish(&c, fd);
		_exit(tap_failures() ? 1 : 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	CHECK(!status, "the child failed");
	CHECK_EQ(session_state(fd), PTAP_STATE_STOPPED, "state");
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).consumed, 200, "consumed");
	close(fd);
}
