// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every failing call: for n = 1, 2, ... the n-th allocation or user copy of a
 * system call on /dev/tap is made to fail (/proc/thread-self/fail-nth), until
 * the call comes to its end without.
 *
 * A call that fails has to say so with the right error, has to leave the
 * session as it was, so that it works when it is made again, and a session on
 * which a call succeeded in spite of a fault has to be whole: it is used up to
 * its end each time, and its accounting checked.  Memory that is left behind is
 * for kmemleak to find, after the program (guest.sh).
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "../vm/device/common.h"

#define ROUNDS_MAX	4000
#define MODULE		"/ptap/module/ptap.ko"

/**
 * struct bed - what a call is made on
 * @fd: the session, or -1
 * @sock: sends to d0
 * @ifaces: d0 and d1
 * @nr: rounds so far
 * @map: what mmap() gave
 * @map_len: its length
 * @buf: for reads
 */
struct bed {
	int fd;
	int sock;
	uint32_t ifaces[2];
	unsigned int nr;
	void *map;
	size_t map_len;
	char buf[1 << 18];
};

/**
 * struct sweep - a call, and how to come to it
 * @name: of the test
 * @prepare: without faults
 * @call: with them; 0 or a negative errno
 * @errnos: what it may fail with
 * @min: so many faults at least must be reached
 * @after: what has to hold when a fault was met; then the call is made again
 * @last: only the last of many faults, 0 for all
 */
struct sweep {
	const char *name;
	void (*prepare)(struct bed *b);
	long (*call)(struct bed *b);
	int errnos[4];
	unsigned int min;
	void (*after)(struct bed *b);
	unsigned int last;
};

static int nth_fd = -1;

static void faults_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	REQUIRE(pwrite(nth_fd, text, len, 0) == len, "fail-nth: %m");
}

/* How many are left; none was met if looking, which copies, meets it. */
static unsigned int faults_left(void)
{
	char text[16] = "";
	ssize_t n = pread(nth_fd, text, sizeof(text) - 1, 0);

	while (pwrite(nth_fd, "0", 1, 0) < 0)
		REQUIRE(errno == EFAULT, "fail-nth: %m");
	return n > 0 ? atoi(text) : 1;
}

static long result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* A frame on d0; @size decides whether it is kept as a clone. */
static long put_frame(struct bed *b, uint32_t size)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame f = { .size = size, .seq = b->nr };

	frame_make(bytes, &f);
	return result(send(b->sock, bytes, size, 0));
}

/* From whatever state to its end, with a packet; and the accounting. */
static void use_up(struct bed *b)
{
	struct ptap_stats st;
	uint32_t state;
	ssize_t n;

	if (b->fd < 0)
		return;
	state = session_state(b->fd);
	if (state == PTAP_STATE_NEW)
		CHECK(!ioctl(b->fd, PTAP_IOC_SETUP, &SETUP(.snaplen = 2000)),
		      "SETUP afterwards: %m");
	if (state <= PTAP_STATE_SETUP)
		CHECK(!ioctl(b->fd, PTAP_IOC_START), "START afterwards: %m");
	if (state <= PTAP_STATE_RUNNING) {
		CHECK(!put_frame(b, 100), "send: %m");
		session_stop(b->fd);
	}
	if (!b->map) {
		do {
			n = read(b->fd, b->buf, sizeof(b->buf));
		} while (n > 0);
		CHECK(n == 0, "read afterwards: %m");
		session_account(b->fd, NULL, NULL);
	}
	st = session_stats(b->fd, PTAP_RING_ALL);
	CHECK_EQ(st.seen, st.captured + st.filtered + stats_dropped(&st),
		 "identity");
	if (state < PTAP_STATE_RUNNING)
		CHECK(st.captured + st.filtered > 0, "nothing was captured");
}

static void bed_end(struct bed *b)
{
	if (b->map)
		munmap(b->map, b->map_len);
	b->map = NULL;
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

static void check_errno(const struct sweep *s, unsigned int n, long err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s->errnos) && s->errnos[i]; i++)
		if (err == -s->errnos[i])
			return;
	CHECK(false, "fault %u: %s", n, strerror(-err));
}

/* The first fault of the last ones, by a call that meets none. */
static unsigned int first_of_last(const struct sweep *s, struct bed *b)
{
	unsigned int all;

	if (!s->last)
		return 1;
	s->prepare(b);
	faults_arm(1000000);
	CHECK(!s->call(b), "without a fault");
	all = 1000000 - faults_left();
	bed_end(b);
	return all > s->last ? all - s->last : 1;
}

static void sweep(const struct sweep *s)
{
	static struct bed b;
	unsigned int n, first, failed = 0;
	bool met = true;
	long err;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		SKIP("the kernel injects no faults");
	net_dummy("d0");
	net_dummy("d1");
	b = (struct bed){ .fd = -1, .sock = frame_socket("d0") };
	b.ifaces[0] = net_index("d0");
	b.ifaces[1] = net_index("d1");
	first = first_of_last(s, &b);
	for (n = first; met && n - first < ROUNDS_MAX; n++) {
		if (tap_failures() > 20)
			break;
		b.nr = n;
		if (s->prepare)
			s->prepare(&b);
		faults_arm(n);
		err = s->call(&b);
		met = !faults_left();
		if (err) {
			failed++;
			CHECK(met, "failed without a fault: %s",
			      strerror(-err));
			check_errno(s, n, err);
			if (s->after)
				s->after(&b);
			err = s->call(&b);
			CHECK(!err, "again, after fault %u: %s", n,
			      strerror(-err));
		}
		use_up(&b);
		bed_end(&b);
	}
	n -= first + 1;
	tap_note("%s: faults from %u, %u of them, %u made it fail", s->name,
		 first, n, failed);
	CHECK(!met, "still faults after %u rounds", n);
	CHECK(n >= s->min, "only %u faults", n);
}

/* Calls ------------------------------------------------------------------- */

static long call_open(struct bed *b)
{
	b->fd = open(PTAP_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return result(b->fd);
}

static void prepare_open(struct bed *b)
{
	b->fd = session_open(O_RDWR | O_NONBLOCK);
}

/* With small rings: each page of them is a round. */
static void prepare_stream(struct bed *b)
{
	int fd = open("/sys/module/ptap/parameters/session_mb",
		      O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, "1", 1) == 1, "session_mb: %m");
	close(fd);
	prepare_open(b);
}

static void setup_with(struct bed *b, struct ptap_setup setup)
{
	prepare_open(b);
	REQUIRE(!ioctl(b->fd, PTAP_IOC_SETUP, &setup), "SETUP: %m");
}

#define SMALL	.snaplen = 2000, .ring_size = 65536

static long call_setup_all(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_SETUP, &SETUP(SMALL)));
}

static long call_setup_clones(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_SETUP,
			    &SETUP_COPYBREAK(0, SMALL)));
}

static long call_setup_meta(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_SETUP, &SETUP(
		SMALL, .nr_ifaces = 2, .ifaces = (uintptr_t)b->ifaces,
		.meta = PTAP_META_COUNTS | PTAP_META_DROPCOUNT |
			PTAP_META_FLAGS)));
}

static long call_setup_cooked(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_SETUP, &SETUP(
		SMALL, .format = PTAP_FORMAT_PCAP_USEC,
		.linktype = PTAP_LINKTYPE_LINUX_SLL2)));
}

static long call_setup_pcap(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_SETUP, &SETUP(
		SMALL, .format = PTAP_FORMAT_PCAP_NSEC, .nr_ifaces = 2,
		.ifaces = (uintptr_t)b->ifaces,
		.flags = PTAP_SETUP_PROMISC)));
}

static void prepare_all(struct bed *b)
{
	setup_with(b, SETUP(SMALL));
}

static void prepare_listed(struct bed *b)
{
	setup_with(b, SETUP(SMALL, .flags = PTAP_SETUP_PROMISC, .nr_ifaces = 2,
			    .ifaces = (uintptr_t)b->ifaces));
}

static void prepare_running(struct bed *b)
{
	prepare_all(b);
	REQUIRE(!ioctl(b->fd, PTAP_IOC_START), "START: %m");
}

static void prepare_meta_running(struct bed *b)
{
	setup_with(b, SETUP(SMALL, .meta = PTAP_META_COUNTS |
					   PTAP_META_PACKETID));
	REQUIRE(!ioctl(b->fd, PTAP_IOC_START), "START: %m");
}

static void prepare_clones_running(struct bed *b)
{
	setup_with(b, SETUP_COPYBREAK(0, SMALL));
	REQUIRE(!ioctl(b->fd, PTAP_IOC_START), "START: %m");
}

static void prepare_packets(struct bed *b)
{
	int i;

	prepare_clones_running(b);
	for (i = 0; i < 4; i++)
		REQUIRE(!put_frame(b, 500 + i), "send: %m");
}

static long map(struct bed *b, uint64_t page, size_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_SHARED, b->fd, page * 4096);

	if (p == MAP_FAILED)
		return -errno;
	b->map = p;
	b->map_len = len;
	return 0;
}

static long call_map_consumer(struct bed *b)
{
	return map(b, 0, 4096, PROT_READ | PROT_WRITE);
}

static long call_map_control(struct bed *b)
{
	return map(b, 1, 4096, PROT_READ);
}

static long call_map_data(struct bed *b)
{
	return map(b, 2, 65536, PROT_READ);
}

static long call_map_all(struct bed *b)
{
	return map(b, 1, 4096 + 2 * 65536, PROT_READ);
}

/* A mapping that could not be made decides nothing: read() works. */
static void after_map(struct bed *b)
{
	ssize_t n;

	if (session_state(b->fd) == PTAP_STATE_SETUP)
		CHECK(!ioctl(b->fd, PTAP_IOC_START), "START: %m");
	n = read(b->fd, b->buf, sizeof(b->buf));
	CHECK(n > 0 || (n < 0 && errno == EAGAIN),
	      "read after a failed mmap: %m");
	use_up(b);
	bed_end(b);
	prepare_all(b);
}

static const struct sock_filter accept_all[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FRAME_TYPE, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0x40000),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static long call_filter(struct bed *b)
{
	struct ptap_filter_prog progs[3];
	struct ptap_filter filter = {
		.size = sizeof(filter), .nr_progs = 3,
		.progs = (uintptr_t)progs,
	};
	int i;

	for (i = 0; i < 3; i++)
		progs[i] = (struct ptap_filter_prog){
			.linktype = i ? PTAP_LINKTYPE_ANY : 1,
			.len = ARRAY_SIZE(accept_all),
			.insns = (uintptr_t)accept_all,
		};
	return result(ioctl(b->fd, PTAP_IOC_FILTER, &filter));
}

static long call_start(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_START));
}

static long call_stop(struct bed *b)
{
	return result(ioctl(b->fd, PTAP_IOC_STOP));
}

static long call_packet(struct bed *b)
{
	return put_frame(b, 1000);
}

static long call_drain(struct bed *b)
{
	struct ptap_drain drain = {
		.size = sizeof(drain), .ring = PTAP_RING_ALL,
	};

	return result(ioctl(b->fd, PTAP_IOC_DRAIN, &drain));
}

static long call_sync(struct bed *b)
{
	struct ptap_sync sync = { .size = sizeof(sync) };

	return result(ioctl(b->fd, PTAP_IOC_SYNC, &sync));
}

static long call_read(struct bed *b)
{
	return result(read(b->fd, b->buf, sizeof(b->buf)));
}

static long call_poll(struct bed *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };

	return result(poll(&p, 1, 1));
}

static long call_asks(struct bed *b)
{
	struct ptap_info info = { .size = sizeof(info) };
	struct ptap_stats st = { .size = sizeof(st), .ring = PTAP_RING_ALL };
	struct ptap_iface_info iface = { .size = sizeof(iface) };
	struct ptap_preamble pre = {
		.size = sizeof(pre), .flags = PTAP_PREAMBLE_HEADER,
		.len = sizeof(b->buf), .buf = (uintptr_t)b->buf,
	};

	if (ioctl(b->fd, PTAP_IOC_INFO, &info) ||
	    ioctl(b->fd, PTAP_IOC_STATS, &st) ||
	    ioctl(b->fd, PTAP_IOC_IFACE, &iface) ||
	    ioctl(b->fd, PTAP_IOC_PREAMBLE, &pre) ||
	    ioctl(b->fd, PTAP_IOC_LOCK))
		return -errno;
	return 0;
}

static long call_proc(struct bed *b)
{
	int fd = open("/proc/net/ptap", O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (read(fd, b->buf, sizeof(b->buf)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* There is no second time. */
static long call_close(struct bed *b)
{
	int fd = b->fd;

	b->fd = -1;
	return fd < 0 ? 0 : result(close(fd));
}

static void prepare_mapped(struct bed *b)
{
	prepare_packets(b);
	REQUIRE(!call_map_all(b), "mmap: %m");
	munmap(b->map, b->map_len);
	b->map = NULL;
}

static int module_fd = -1;

static void prepare_load(struct bed *b)
{
	unsigned int i = 0;

	(void)b;
	if (module_fd < 0)
		module_fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	REQUIRE(module_fd >= 0, "%s: %m", MODULE);
	while (syscall(SYS_delete_module, "ptap", O_NONBLOCK)) {
		REQUIRE(errno == EAGAIN || errno == EWOULDBLOCK ||
			errno == EBUSY, "delete_module: %m");
		REQUIRE(i++ < 1000, "the module stays in use");
		sleep_us(10000);
	}
}

static long call_load(struct bed *b)
{
	(void)b;
	return result(syscall(SYS_finit_module, module_fd, "", 0));
}

/* What is swept ----------------------------------------------------------- */

#define NOMEM	{ ENOMEM, EFAULT }
#define OPENING	{ ENOMEM, EFAULT, ENFILE }
#define SENDING	{ ENOBUFS, ENOMEM, EFAULT, EAGAIN }
#define NOTHING	{ 0 }

static const struct sweep sweeps[] = {
	{ "open", NULL, call_open, OPENING, 2, NULL, 0 },
	{ "SETUP, all interfaces", prepare_open, call_setup_all, NOMEM, 40,
	  NULL, 0 },
	{ "SETUP, clones", prepare_open, call_setup_clones, NOMEM, 40, NULL, 0 },
	{ "SETUP, metadata", prepare_open, call_setup_meta, NOMEM, 40, NULL, 0 },
	{ "SETUP, cooked", prepare_open, call_setup_cooked, NOMEM, 40, NULL, 0 },
	{ "SETUP, pcap", prepare_open, call_setup_pcap, NOMEM, 40, NULL, 0 },
	{ "mmap of the consumer page", prepare_all, call_map_consumer, NOMEM,
	  1, after_map, 0 },
	{ "mmap of the control page", prepare_all, call_map_control, NOMEM, 1,
	  after_map, 0 },
	{ "mmap of the data", prepare_all, call_map_data, NOMEM, 1,
	  after_map, 0 },
	{ "mmap of control and data", prepare_all, call_map_all, NOMEM, 1,
	  after_map, 0 },
	{ "FILTER before START", prepare_all, call_filter, NOMEM, 6, NULL, 0 },
	{ "FILTER while running", prepare_running, call_filter, NOMEM, 6,
	  NULL, 0 },
	{ "START, all interfaces", prepare_all, call_start, NOMEM, 1, NULL, 0 },
	{ "START, two promiscuous", prepare_listed, call_start, NOMEM, 2,
	  NULL, 0 },
	{ "the first packet", prepare_running, call_packet,
	  SENDING, 2, NULL, 0 },
	{ "the first packet, counted", prepare_meta_running, call_packet,
	  SENDING, 3, NULL, 0 },
	{ "the first packet, cloned", prepare_clones_running, call_packet,
	  SENDING, 3, NULL, 0 },
	{ "DRAIN", prepare_packets, call_drain, NOMEM, 1, NULL, 0 },
	{ "SYNC", prepare_packets, call_sync, NOMEM, 1, NULL, 0 },
	{ "STOP", prepare_packets, call_stop, NOMEM, 0, NULL, 0 },
	{ "read, the first", prepare_packets, call_read, NOMEM, 3, NULL, 0 },
	{ "read of a new session", prepare_stream, call_read, NOMEM, 100,
	  NULL, 0 },
	{ "poll", prepare_packets, call_poll, NOMEM, 0, NULL, 0 },
	{ "INFO, STATS, IFACE, PREAMBLE, LOCK", prepare_packets, call_asks,
	  NOMEM, 6, NULL, 0 },
	{ "/proc/net/ptap", prepare_packets, call_proc, NOMEM, 3, NULL, 0 },
	{ "close", prepare_packets, call_close, NOTHING, 0, NULL, 0 },
	{ "close of what was mapped", prepare_mapped, call_close, NOTHING, 0,
	  NULL, 0 },
	{ "loading the module", prepare_load, call_load,
	  NOMEM, 20, NULL, 100 },
};

static void run_sweep(void)
{
	sweep(&sweeps[tap_index()]);
}

int main(int argc, char **argv)
{
	struct test tests[ARRAY_SIZE(sweeps)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sweeps); i++)
		tests[i] = (struct test){ sweeps[i].name, run_sweep };
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
