// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What read() gives out: the headers first, whole records, none lost and none
 * twice, into whatever buffer and for however many threads.
 */
#define _GNU_SOURCE
#include <sys/uio.h>
#include "common.h"
#include "read_test.h"

static void default_session(void)
{
	int fd = session_open(O_RDWR);
	struct capture c;
	struct tally t;
	char head[28];
	uint32_t size;

	net_dummy("d0");
	net_veth("v0", "v1");
	/* The section header may come in pieces: its first 28 bytes. */
	REQUIRE(read(fd, head, sizeof(head)) == sizeof(head), "read: %m");
	memcpy(&size, head + 4, sizeof(size));
	REQUIRE(size == sizeof(head), "section header of %u bytes", size);
	CHECK_EQ(session_state(fd), PTAP_STATE_RUNNING, "state");
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	c.from_ns = now_ns();
	capture_file(&c, head, sizeof(head));
	CHECK(!c.nr_ifaces, "an interface that has not been met");
	send_frames("d0", 0, 10, 60);
	capture_read(&c, fd, 10, 0);
	CHECK(c.nr_ifaces == 1 && !strcmp(c.names[0], "d0"), "d0 described");
	send_frames("d0", 10, 10, 1000);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 20);
}

static void small_buffer(void)
{
	static char file[1 << 20];
	struct capture c;
	struct tally t;
	size_t len = 0;
	ssize_t n;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	send_frames("d0", 0, 20, 500);
	send_frames("d0", 20, 20, 60);
	session_stop(fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	/* Headers may be split, down to a byte. */
	while ((n = read(fd, file + len, 7)) > 0)
		len += n;
	CHECK(n == -1 && errno == EMSGSIZE, "read into 7 bytes: %zd, %m", n);
	capture_file(&c, file, len);
	CHECK(c.nr_ifaces == 1 && !c.packets, "split preamble");
	/* A record of 500 + 32 bytes does not fit into one byte less. */
	for (i = 0; i < 10; i++)
		CHECK_ERRNO(read(fd, file, 531), EMSGSIZE, "531 bytes");
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).consumed, 0, "consumed");
	/* Exactly one, then as many as fit. */
	CHECK_EQ(capture_read_once(&c, fd, 532), 532, "532 bytes");
	CHECK_EQ(capture_read_once(&c, fd, 532 * 2 + 531), 532 * 2, "two");
	CHECK_EQ(c.packets, 3, "packets");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 40);
}

/* The buffer's end is not there: whole records or an error, and no loss. */
static void bad_buffer(void)
{
	struct capture c;
	struct tally t;
	uint8_t *p;
	ssize_t n;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	send_frames("d0", 0, 100, 1000);
	session_stop(fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED && !mprotect(p + 8192, (1 << 20) - 8192,
					     PROT_NONE), "mmap: %m");
	CHECK_ERRNO(read(fd, p + 8192, 65536), EFAULT, "read into nowhere");
	capture_read_once(&c, fd, 128);		/* the preamble */
	for (i = 0; i < 20; i++) {
		n = read(fd, p, 65536);
		if (n > 0)
			capture_file(&c, p, n);
		else
			CHECK(n == -1 && errno == EFAULT, "read: %zd, %m", n);
	}
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 100);
}

static void scattered(void)
{
	uint8_t part[16][333], file[16 * 333];
	struct iovec iov[16];
	struct capture c;
	struct tally t;
	ssize_t n;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP(.format = PTAP_FORMAT_PCAP_NSEC));
	send_frames("d0", 0, 100, 777);
	session_stop(fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	for (i = 0; i < 16; i++)
		iov[i] = (struct iovec){ part[i], sizeof(part[i]) };
	while ((n = readv(fd, iov, 16)) > 0) {
		for (i = 0; i < 16; i++)
			memcpy(file + i * 333, part[i], 333);
		capture_file(&c, file, n);
	}
	CHECK(!n, "readv: %m");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 100);
}

struct shared {
	int fd;
	pthread_mutex_t lock;
	struct capture c;
	struct tally t;
	bool ifaces;
};

/*
 * Two readers take turns in an order that nobody knows: only within one read()
 * is there an order of time.
 */
static void *shared_reader(void *arg)
{
	static __thread uint8_t buf[65536];
	struct shared *s = arg;
	ssize_t n;

	while ((n = read(s->fd, buf, sizeof(buf))) > 0) {
		pthread_mutex_lock(&s->lock);
		s->c.last_ts = 0;
		capture_file(&s->c, buf, n);
		pthread_mutex_unlock(&s->lock);
	}
	CHECK(!n, "read: %m");
	return NULL;
}

static void two_threads(void)
{
	struct sender snd = { .dev = "d0", .nr = 20000, .size = 60,
			      .size_max = 1500 };
	struct shared s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[2];
	int i;

	net_dummy("d0");
	s.fd = session_start("d0", SETUP(.ring_size = 64 << 20));
	tally_init(&s.t);
	capture_init(&s.c, s.fd, tally_packet, &s.t);
	capture_read_once(&s.c, s.fd, 128);	/* the preamble */
	for (i = 0; i < 2; i++)
		TEST_THREAD(threads[i], shared_reader, &s);
	sender_run(&snd);
	session_stop(s.fd);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	capture_finish(&s.c, s.fd);
	tally_expect(&s.t, 0, 0, snd.nr);
}

static const struct test tests[] = {
	{ "plain read of an unconfigured session", default_session },
	{ "O_NONBLOCK", wait_nonblocking },
	{ "read waits for a packet", wait_blocking },
	{ "EMSGSIZE loses nothing, records are whole", small_buffer },
	{ "a buffer that ends in nowhere", bad_buffer },
	{ "a signal interrupts read", wait_interrupted },
	{ "SA_RESTART goes on reading", wait_restarted },
	{ "readv", scattered },
	{ "two threads read one session", two_threads },
	{ "end of file at STOP", wait_end_at_stop },
	{ "end of file when all interfaces are gone", wait_end_when_gone },
	{ "O_NONBLOCK while another thread sleeps in read",
	  wait_beside_a_sleeper },
	{ "the clock is set back", wait_clock_set_back },
	{ "three formats, byte by byte", format_all },
	{ "snaplen 14, 60, 1500", format_snaplen },
	{ "epb_flags", format_meta },
	{ "epb_dropcount and epb_packetid", format_losses },
	{ "copybreak 0: everything is cloned", format_all_cloned },
	{ "huge copybreak: nothing is cloned", format_none_cloned },
	{ "more clones than the queue holds", format_clone_overflow },
	{ "an interface that appears later", format_new_interface },
	{ "frames of 60000 bytes", format_large_frames },
	{ "times from the TSC", format_clock_tsc },
	{ "times from the adapter", format_clock_adapter },
	{ "directions", link_directions },
	{ "lo: each frame once", link_loopback },
	{ "cooked: LINUX_SLL", link_cooked_sll },
	{ "cooked: LINUX_SLL2", link_cooked_sll2 },
	{ "cooked header and snaplen", link_cooked_snaplen },
	{ "VLAN tag taken out on receive", link_vlan_received },
	{ "VLAN tag in the bytes", link_vlan_in_band },
	{ "VLAN device: tag added on transmit", link_vlan_device },
	{ "VLAN tag in cooked captures", link_vlan_cooked },
	{ "VLAN tag and snaplen", link_vlan_snaplen },
	{ "tun: no link layer header", link_tun },
	{ "kinds of devices and their link types", link_types },
	{ "interfaces of different link types", link_mixed },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
