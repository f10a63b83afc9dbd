// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Records of all formats, with copies and with clones: bytes, lengths, padding,
 * options.  capture.c checks them; here they are made to vary.
 */
#define _GNU_SOURCE
#include "common.h"
#include "read_test.h"

#define NSEC	1000000000ULL

#define META_ALL	(PTAP_META_FLAGS | PTAP_META_DROPCOUNT |	\
			 PTAP_META_PACKETID | PTAP_META_QUEUE |	\
			 PTAP_META_HASH | PTAP_META_COUNTS)

/* Send frames of all lengths and of all paddings, and read them. */
static void format_run(struct ptap_setup setup, uint32_t linktype)
{
	struct sender snd = { .dev = "d0", .nr = 600, .size = 60,
			      .size_max = 1514 };
	uint64_t from = now_ns();
	struct capture c;
	struct tally t;
	int fd;

	fd = session_start("d0", setup);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	c.from_ns = from;
	sender_run(&snd);
	capture_read(&c, fd, 100, 0);
	snd.first = snd.nr;
	sender_run(&snd);
	CHECK_EQ(c.linktypes[0], linktype, "link type");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 2 * snd.nr);
}

void format_all(void)
{
	uint32_t format;

	net_dummy("d0");
	for (format = 0; format <= PTAP_FORMAT_PCAP_USEC; format++) {
		format_run(SETUP(.format = format), LINKTYPE_ETHERNET);
		format_run(SETUP_COPYBREAK(0, .format = format),
			   LINKTYPE_ETHERNET);
		format_run(SETUP_COPYBREAK(700, .format = format),
			   LINKTYPE_ETHERNET);
	}
	format_run(SETUP(.meta = PTAP_META_FLAGS), LINKTYPE_ETHERNET);
	format_run(SETUP_COPYBREAK(0, .meta = PTAP_META_FLAGS),
		   LINKTYPE_ETHERNET);
	format_run(SETUP(.meta = META_ALL), LINKTYPE_ETHERNET);
	format_run(SETUP_COPYBREAK(700, .meta = META_ALL), LINKTYPE_ETHERNET);
}

/* Below a frame's own header nothing can be told but the bytes themselves. */
static void cut_packet(void *arg, const struct packet *p)
{
	struct frame f = { .size = p->len };
	const uint32_t *snaplen = arg;
	uint8_t want[FRAME_MAX];

	frame_make(want, &f);
	CHECK(p->caplen == (p->len < *snaplen ? p->len : *snaplen),
	      "caplen %u of %u, snaplen %u", p->caplen, p->len, *snaplen);
	CHECK(!memcmp(p->data, want, p->caplen < 20 ? p->caplen : 20),
	      "first bytes");
	CHECK(p->len == 60 || p->len == 200 || p->len == 1500 ||
	      p->len == 2000, "length %u", p->len);
}

void format_snaplen(void)
{
	static const uint32_t snaplens[] = { 1, 14, 60, 1500 };
	struct capture c;
	uint32_t i;
	int fd;

	net_dummy("d0");
	for (i = 0; i < 3 * ARRAY_SIZE(snaplens); i++) {
		uint32_t snaplen = snaplens[i % ARRAY_SIZE(snaplens)];

		fd = session_start("d0", SETUP(
			.snaplen = snaplen,
			.flags = i < 8 ? PTAP_SETUP_COPYBREAK : 0,
			.copybreak = 0,
			.format = i < 4 ? PTAP_FORMAT_PCAPNG :
				  i < 8 ? PTAP_FORMAT_PCAP_USEC :
					  PTAP_FORMAT_PCAP_NSEC));
		capture_init(&c, fd, cut_packet, &snaplen);
		send_frames("d0", 0, 5, 60);
		send_frames("d0", 5, 5, 200);
		send_frames("d0", 10, 5, 1500);
		send_frames("d0", 15, 5, 2000);
		capture_finish(&c, fd);
		CHECK_EQ(c.packets, 20, "packets");
	}
}

struct meta {
	uint32_t flags;
	uint32_t seen;
};

static void meta_packet(void *arg, const struct packet *p)
{
	struct meta *m = arg;

	CHECK(p->flags == m->flags, "epb_flags %#x, not %#x", p->flags, m->flags);
	m->seen++;
}

/* Frames from v0 to v1 with this destination: direction and reception type. */
static void meta_frame_as(const char *dev, const uint8_t *to, uint32_t flags,
			  uint32_t meta)
{
	int fd = session_start(dev, SETUP(.meta = meta));
	struct frame f = { .size = 101 };
	struct meta m = { .flags = flags };
	uint8_t bytes[FRAME_MAX];
	struct capture c;

	frame_make(bytes, &f);
	memcpy(bytes, to, 6);
	capture_init(&c, fd, meta_packet, &m);
	send_raw("v0", bytes, f.size);
	session_wait_seen(fd, 1);
	capture_finish(&c, fd);
	CHECK_EQ(m.seen, 1, "packets");
}

static void meta_frame(const char *dev, const uint8_t *to, uint32_t flags)
{
	meta_frame_as(dev, to, flags, PTAP_META_FLAGS);
	meta_frame_as(dev, to, flags, PTAP_META_FLAGS | PTAP_META_DROPCOUNT |
		      PTAP_META_PACKETID | PTAP_META_QUEUE | PTAP_META_HASH |
		      PTAP_META_COUNTS);
}

struct losses {
	uint64_t packets;
	uint64_t lost;
	uint64_t places;
};

static void losses_packet(void *arg, const struct packet *p)
{
	struct losses *l = arg;

	l->packets++;
	l->lost += p->lost;
	l->places += p->lost != 0;
}

/*
 * A ring that is full twice: what is lost stands in the first packet behind it,
 * on its interface, and the numbers of the records go on.  Frames of both
 * interfaces are sent by this thread, so on one CPU.
 */
static void losses_read(uint32_t copybreak)
{
	int fd = session_start(NULL, SETUP_COPYBREAK(copybreak,
						     .meta = META_ALL,
						     .snaplen = 1024,
						     .ring_size = 65536));
	struct ptap_iface_info iface = { .size = sizeof(iface) };
	struct ptap_stats st;
	struct losses l = { 0 };
	struct capture c;
	uint32_t i;

	capture_init(&c, fd, losses_packet, &l);
	for (i = 0; i < 3; i++) {
		send_frames("d0", 0, 200, 1000);
		session_wait_seen(fd, 201 * i + 200);
		capture_read(&c, fd, c.packets + 1, 0);
		/* The first one behind what is lost. */
		send_frames("d1", 0, 1, 60);
		session_wait_seen(fd, 201 * (i + 1));
	}
	send_frames("d0", 0, 1, 60);
	session_wait_seen(fd, 604);
	session_stop(fd);
	st = session_stats(fd, PTAP_RING_ALL);
	REQUIRE(!ioctl(fd, PTAP_IOC_IFACE, &iface), "IFACE: %m");
	capture_finish(&c, fd);
	CHECK(l.lost && l.lost == stats_dropped(&st), "%llu lost, not %llu",
	      (unsigned long long)l.lost,
	      (unsigned long long)stats_dropped(&st));
	CHECK_EQ(l.places, 3, "places with losses");
	CHECK_EQ(l.packets + l.lost, 604, "packets");
	CHECK_EQ(iface.captured + 3, st.captured, "captured of d0");
	CHECK_EQ(iface.dropped, l.lost, "dropped of d0");
	CHECK_EQ(iface.filtered, 0, "filtered of d0");
}

void format_losses(void)
{
	net_dummy("d0");
	net_dummy("d1");
	pin_cpu(0);
	losses_read(4096);
	losses_read(0);
}

void format_meta(void)
{
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	static const uint8_t multicast[6] = { 1, 0, 0x5e, 0, 0, 9 };
	static const uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	uint8_t own[6];

	net_veth("v0", "v1");
	net_mac("v1", own);
	meta_frame("v1", own, 1 | 1 << 2);
	meta_frame("v1", multicast, 1 | 2 << 2);
	meta_frame("v1", broadcast, 1 | 3 << 2);
	meta_frame("v1", other, 1 | 4 << 2);
	meta_frame("v0", broadcast, 2);
}

void format_all_cloned(void)
{
	struct ptap_stats st;
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(0));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	for (i = 0; i < 10; i++) {
		send_frames("d0", i * 300, 300, 34 + i * 100);
		capture_read(&c, fd, (i + 1) * 300, 0);
	}
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.cloned, st.captured, "cloned");
	CHECK_EQ(st.clone_fallback, 0, "clone_fallback");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 3000);
}

void format_none_cloned(void)
{
	struct ptap_stats st;
	struct capture c;
	struct tally t;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(~0U));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 300, 60);
	send_frames("d0", 300, 300, 9000);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK(!st.cloned && !st.clone_fallback, "cloned");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 600);
}

void format_clone_overflow(void)
{
	struct ptap_stats st;
	struct capture c;
	struct tally t;
	int fd;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP_COPYBREAK(0, .ring_size = 16 << 20));
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 20000, 200);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.cloned + st.clone_fallback, st.captured, "cloned");
	CHECK_EQ(st.captured, 20000, "captured");
	CHECK(st.clone_fallback, "the queue of clones has no end");
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 20000);
}

void format_new_interface(void)
{
	int fd = session_start(NULL, SETUP());
	struct ptap_info info;
	struct capture c;
	struct tally t;
	char name[8];
	int i;

	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		net_dummy(name);
		send_frames(name, i * 10, 10, 100);
		if (i % 3 == 0)
			capture_read(&c, fd, (i + 1) * 10, 0);
	}
	/* The same name again, but another interface. */
	net_ip("link del d0");
	net_dummy("d0");
	send_frames("d0", 120, 10, 100);
	capture_read(&c, fd, 130, 0);
	info = session_info(fd);
	CHECK_EQ(info.nr_ifaces, 13, "interfaces");
	CHECK_EQ(info.nr_hooks, 1, "hooks");
	CHECK(!strcmp(c.names[11], "d11") && !strcmp(c.names[12], "d0"),
	      "names %s and %s", c.names[11], c.names[12]);
	capture_finish(&c, fd);
	CHECK_EQ(c.nr_ifaces, 13, "interfaces described");
	tally_expect(&t, 0, 0, 130);
}

void format_large_frames(void)
{
	uint32_t i;

	net_dummy("d0");
	net_ip("link set d0 mtu 65000");
	for (i = 0; i < 3; i++) {
		int fd = session_start("d0", SETUP_COPYBREAK(i == 2 ? ~0U : 0,
					.ring_size = i ? 32 << 20 : 0));
		struct capture c;
		struct tally t;

		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		send_frames("d0", 0, 60, 60001);
		capture_finish(&c, fd);
		tally_expect(&t, 0, 0, 60);
	}
}

struct span {
	struct tally tally;
	uint64_t first;
	uint64_t last;
};

static void span_packet(void *arg, const struct packet *p)
{
	struct span *s = arg;

	tally_packet(&s->tally, p);
	if (!s->first)
		s->first = p->ts;
	s->last = p->ts;
}

/* By another clock than the kernel's: in order, and of today. */
static void clock_run(const char *dev, const char *to, uint32_t flag,
		      uint32_t format)
{
	uint64_t before = now_ns();
	struct span s = { 0 };
	struct capture c;
	int fd, i;

	fd = session_start(dev, SETUP(.flags = flag, .format = format));
	tally_init(&s.tally);
	capture_init(&c, fd, span_packet, &s);
	for (i = 0; i < 20; i++) {
		send_frames(to, i * 50, 50, 60 + i);
		sleep_us(1500);
	}
	session_wait_seen(fd, 20 * 50);
	capture_finish(&c, fd);
	tally_expect(&s.tally, 0, 0, 20 * 50);
	CHECK(s.first >= before - NSEC && s.last <= now_ns() + NSEC,
	      "times from %llu to %llu, begun at %llu",
	      (unsigned long long)s.first, (unsigned long long)s.last,
	      (unsigned long long)before);
}

void format_clock_tsc(void)
{
	struct ptap_setup setup = SETUP(.flags = PTAP_SETUP_CLOCK_TSC);
	int fd = session_open(O_RDWR);

	if (ioctl(fd, PTAP_IOC_SETUP, &setup)) {
		CHECK(errno == EOPNOTSUPP, "SETUP: %m");
		SKIP("no TSC that ticks steadily");
	}
	close(fd);
	net_dummy("d0");
	clock_run("d0", "d0", PTAP_SETUP_CLOCK_TSC, PTAP_FORMAT_PCAPNG);
	clock_run("d0", "d0", PTAP_SETUP_CLOCK_TSC, PTAP_FORMAT_PCAP_NSEC);
}

/* Without stamps, sent or received: the kernel's clock stands in. */
void format_clock_adapter(void)
{
	uint32_t flag = PTAP_SETUP_CLOCK_ADAPTER;

	net_dummy("d0");
	net_veth("v0", "v1");
	clock_run("d0", "d0", flag, PTAP_FORMAT_PCAPNG);
	clock_run("v1", "v0", flag, PTAP_FORMAT_PCAPNG);
	clock_run("v1", "v0", flag, PTAP_FORMAT_PCAP_USEC);
}
