// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who may do what: the whole table of places (the initial user namespace, one
 * of one's own with or without a network of its own, the module's parameter
 * userns) x capabilities x own or passed descriptor x everything that can be
 * done with it.
 *
 * The rules, which may_open() and may_promisc() say: opening takes CAP_NET_RAW,
 * where the parameter says; an open file is the right to use it; and
 * promiscuous mode takes CAP_NET_ADMIN over the network that is captured.
 * Every other capability is there, and helps nobody.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/syscall.h>
#include "common.h"

/* Deeds have one form, whatever they need of it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define USERNS_PARAM	"/sys/module/ptap/parameters/userns"

enum place { INITIAL, USERNS_OWN_NET, USERNS_NO_NET };

struct subject {
	enum place place;
	bool param;		/* the module's userns */
	bool raw;
	bool admin;
};

/**
 * struct deed - something that is done with a session
 * @name: for messages
 * @state: in which it can be done
 * @promisc: it makes an interface promiscuous
 * @open: it opens the device anew
 * @run: 0 or -1 with errno
 */
struct deed {
	const char *name;
	uint32_t state;
	bool promisc;
	bool open;
	long (*run)(int fd, uint32_t index);
};

static bool may_open(const struct subject *s)
{
	if (s->place == INITIAL)
		return s->raw;
	return s->param && s->place == USERNS_OWN_NET && s->raw;
}

/* @own: the subject opened it, in its own network; else root gave it one. */
static bool may_promisc(const struct subject *s, bool own)
{
	return s->admin && (s->place == INITIAL || own);
}

static long setup(int fd, uint32_t index, uint32_t flags)
{
	struct ptap_setup arg = SETUP(.flags = flags, .snaplen = 2000,
				      .ring_size = 65536, .nr_ifaces = 1,
				      .ifaces = (uintptr_t)&index);

	return ioctl(fd, PTAP_IOC_SETUP, &arg);
}

static long do_setup(int fd, uint32_t index)
{
	return setup(fd, index, 0);
}

static long do_promisc(int fd, uint32_t index)
{
	return setup(fd, index, PTAP_SETUP_PROMISC) ?:
	       ioctl(fd, PTAP_IOC_START);
}

static long do_info(int fd, uint32_t index)
{
	return ioctl(fd, PTAP_IOC_INFO, &(struct ptap_info){ .size = 96 });
}

static long do_filter(int fd, uint32_t index)
{
	static const struct sock_filter all[] = {
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};

	return session_filter(fd, all, 1);
}

static long do_start(int fd, uint32_t index)
{
	return ioctl(fd, PTAP_IOC_START);
}

static long do_stop(int fd, uint32_t index)
{
	return ioctl(fd, PTAP_IOC_STOP);
}

static long do_drain(int fd, uint32_t index)
{
	struct ptap_drain arg = { .size = sizeof(arg), .ring = PTAP_RING_ALL };

	return ioctl(fd, PTAP_IOC_DRAIN, &arg);
}

static long do_sync(int fd, uint32_t index)
{
	return ioctl(fd, PTAP_IOC_SYNC, &(struct ptap_sync){ .size = 16 });
}

static long do_iface(int fd, uint32_t index)
{
	struct ptap_iface_info arg = { .size = sizeof(arg) };

	return ioctl(fd, PTAP_IOC_IFACE, &arg);
}

static long do_preamble(int fd, uint32_t index)
{
	uint8_t buf[4096];
	struct ptap_preamble arg = {
		.size = sizeof(arg), .flags = PTAP_PREAMBLE_HEADER,
		.len = sizeof(buf), .buf = (uintptr_t)buf,
	};

	return ioctl(fd, PTAP_IOC_PREAMBLE, &arg);
}

static long do_stats(int fd, uint32_t index)
{
	struct ptap_stats arg = { .size = sizeof(arg), .ring = PTAP_RING_ALL };

	return ioctl(fd, PTAP_IOC_STATS, &arg);
}

static long do_lock(int fd, uint32_t index)
{
	return ioctl(fd, PTAP_IOC_LOCK);
}

static long map(int fd, uint64_t page, uint64_t len, int prot)
{
	struct ptap_info info = session_info(fd);
	void *p = mmap(NULL, len ?: 2 * info.ring_size, prot, MAP_SHARED, fd,
		       ring_offset(&info, 0, page));

	if (p == MAP_FAILED)
		return -1;
	return munmap(p, len ?: 2 * info.ring_size);
}

static long do_map_consumer(int fd, uint32_t index)
{
	return map(fd, 0, getpagesize(), PROT_READ | PROT_WRITE);
}

static long do_map_data(int fd, uint32_t index)
{
	return map(fd, 2, 0, PROT_READ);
}

/* The preamble is there at once. */
static long do_read(int fd, uint32_t index)
{
	char buf[4096];

	return read(fd, buf, sizeof(buf)) > 0 ? 0 : -1;
}

static long do_poll(int fd, uint32_t index)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLNVAL) ? 0 : -1;
}

static long do_reopen(int fd, uint32_t index)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	return again < 0 ? -1 : close(again);
}

static const struct deed deeds[] = {
	{ "INFO", PTAP_STATE_NEW, false, false, do_info },
	{ "SETUP", PTAP_STATE_NEW, false, false, do_setup },
	{ "SETUP promiscuous, START", PTAP_STATE_NEW, true, false, do_promisc },
	{ "FILTER", PTAP_STATE_SETUP, false, false, do_filter },
	{ "START", PTAP_STATE_SETUP, false, false, do_start },
	{ "FILTER, running", PTAP_STATE_RUNNING, false, false, do_filter },
	{ "STOP", PTAP_STATE_RUNNING, false, false, do_stop },
	{ "DRAIN", PTAP_STATE_RUNNING, false, false, do_drain },
	{ "SYNC", PTAP_STATE_SETUP, false, false, do_sync },
	{ "IFACE", PTAP_STATE_SETUP, false, false, do_iface },
	{ "PREAMBLE", PTAP_STATE_SETUP, false, false, do_preamble },
	{ "STATS", PTAP_STATE_SETUP, false, false, do_stats },
	{ "LOCK", PTAP_STATE_SETUP, false, false, do_lock },
	{ "mmap of the consumer's page", PTAP_STATE_SETUP, false, false,
	  do_map_consumer },
	{ "mmap of the data", PTAP_STATE_SETUP, false, false, do_map_data },
	{ "read", PTAP_STATE_RUNNING, false, false, do_read },
	{ "poll", PTAP_STATE_SETUP, false, false, do_poll },
	{ "open", PTAP_STATE_NEW, false, true, do_reopen },
};

static int prepared(const struct deed *d, uint32_t index)
{
	int fd = session_open(O_RDWR);

	if (d->state != PTAP_STATE_NEW)
		REQUIRE(!do_setup(fd, index), "SETUP: %m");
	if (d->state == PTAP_STATE_RUNNING)
		REQUIRE(!do_start(fd, index), "START: %m");
	return fd;
}

static void userns_set(bool yes)
{
	int fd = open(USERNS_PARAM, O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, yes ? "Y" : "N", 1) == 1, "%s: %m",
		USERNS_PARAM);
	close(fd);
}

static void keep_caps(bool raw, bool admin)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];
	uint32_t drop = (raw ? 0 : CAP_TO_MASK(CAP_NET_RAW)) |
			(admin ? 0 : CAP_TO_MASK(CAP_NET_ADMIN));

	REQUIRE(!syscall(SYS_capget, &h, d), "capget: %m");
	d[0].effective &= ~drop;
	d[0].permitted &= ~drop;
	d[0].inheritable &= ~drop;
	REQUIRE(!syscall(SYS_capset, &h, d), "capset: %m");
}

static void expect(const struct subject *s, const struct deed *d, bool own,
		   int fd, uint32_t index)
{
	bool may = d->open ? may_open(s) : !d->promisc || may_promisc(s, own);
	long ret;

	errno = 0;
	ret = d->run(fd, index);
	CHECK(may ? !ret : ret == -1 && errno == EPERM,
	      "%s, descriptor %s, raw %d, admin %d: %s", d->name,
	      own ? "of its own" : "passed", s->raw, s->admin,
	      ret ? strerror(errno) : "allowed");
	close(fd);
}

/* In a process of its own.  @passed: a session for each deed. */
static void subject_run(const struct subject *s, const int *passed,
			uint32_t index)
{
	int flags = CLONE_NEWUSER |
		    (s->place == USERNS_OWN_NET ? CLONE_NEWNET : 0);
	size_t i;
	int fd;

	if (s->place != INITIAL && unshare(flags))
		SKIP("no user namespaces: %s", strerror(errno));
	keep_caps(s->raw, s->admin);
	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		expect(s, &deeds[i], false, passed[i], index);
	fd = open(PTAP_DEVICE, O_RDWR | O_CLOEXEC);
	CHECK(may_open(s) ? fd >= 0 : fd < 0 && errno == EPERM,
	      "open, raw %d, admin %d: %m", s->raw, s->admin);
	if (fd < 0)
		return;
	close(fd);
	/* What there is in a network of its own is lo. */
	if (s->place == USERNS_OWN_NET)
		index = net_index("lo");
	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		expect(s, &deeds[i], true, prepared(&deeds[i], index), index);
}

static bool subject_try(const struct subject *s)
{
	uint32_t index = net_index("d0");
	int passed[ARRAY_SIZE(deeds)], status;
	size_t i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		passed[i] = prepared(&deeds[i], index);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		subject_run(s, passed, index);
		_exit(tap_failures() ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		close(passed[i]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return true;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77,
	      "raw %d, admin %d: failed (%#x)", s->raw, s->admin, status);
	return false;
}

static void table(enum place place, bool param)
{
	struct subject s = { .place = place, .param = param };
	bool ran = true;
	int i;

	net_dummy("d0");
	userns_set(param);
	for (i = 0; i < 4; i++) {
		s.raw = i & 1;
		s.admin = i & 2;
		ran &= subject_try(&s);
	}
	userns_set(false);
	if (!ran && !tap_failures())
		SKIP("no user namespaces");
}

static void initial(void)
{
	table(INITIAL, false);
}

static void initial_param(void)
{
	table(INITIAL, true);
}

static void own_net(void)
{
	table(USERNS_OWN_NET, false);
}

static void own_net_param(void)
{
	table(USERNS_OWN_NET, true);
}

static void no_net(void)
{
	table(USERNS_NO_NET, false);
}

static void no_net_param(void)
{
	table(USERNS_NO_NET, true);
}

static const struct test tests[] = {
	{ "initial user namespace", initial },
	{ "initial user namespace, userns=1", initial_param },
	{ "a user namespace with its network", own_net },
	{ "a user namespace with its network, userns=1", own_net_param },
	{ "a user namespace in a foreign network", no_net },
	{ "a user namespace in a foreign network, userns=1", no_net_param },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
