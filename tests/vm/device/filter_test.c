// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a filter decides: which packets, how much of them, for which link type,
 * from where on it looks at them.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include "common.h"
#include "filter_test.h"

#define RET(n)		BPF_STMT(BPF_RET | BPF_K, (n))
#define ALL		0xffffffffU

/* Send 30 frames of kinds 0, 1, 2 and stop. */
static int run(int fd, struct ptap_stats *st)
{
	struct sender s = { .dev = "d0", .nr = 30, .size = 300, .kinds = 3 };

	sender_run(&s);
	session_stop(fd);
	*st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st->seen, 30, "seen");
	return fd;
}

static void accept_and_reject(void)
{
	static const struct sock_filter accept[] = { RET(ALL) };
	static const struct sock_filter reject[] = { RET(0) };
	struct ptap_stats st;
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	for (i = 0; i < 3; i++) {
		fd = session_setup("d0", SETUP());
		REQUIRE(!session_filter(fd, i == 1 ? reject : accept, 1),
			"FILTER: %m");
		REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
		/* Rejected first, then removed: all come. */
		if (i == 2)
			REQUIRE(!session_filter(fd, reject, 1) &&
				!session_filter_remove(fd), "FILTER: %m");
		run(fd, &st);
		CHECK_EQ(st.filtered, i == 1 ? 30 : 0, "filtered");
		CHECK_EQ(st.captured, i == 1 ? 0 : 30, "captured");
		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		capture_finish(&c, fd);
		tally_expect(&t, 0, 0, i == 1 ? 0 : 30);
	}
}

struct snap {
	uint32_t want;
	uint32_t nr;
};

static void snap_packet(void *arg, const struct packet *p)
{
	struct snap *s = arg;
	struct frame f = { .size = 300, .kind = 0 };
	uint8_t want[300];

	frame_make(want, &f);
	CHECK(p->caplen == s->want && p->len == 300, "caplen %u of %u, not %u",
	      p->caplen, p->len, s->want);
	CHECK(!memcmp(p->data, want, p->caplen < 18 ? p->caplen : 18), "bytes");
	s->nr++;
}

static void snap_run(uint32_t ret, uint32_t snaplen, uint32_t want,
		     uint32_t copybreak)
{
	struct sock_filter prog[] = { RET(ret) };
	struct snap s = { .want = want };
	struct ptap_stats st;
	struct capture c;
	int fd;

	fd = session_start("d0", SETUP_COPYBREAK(copybreak,
						 .snaplen = snaplen));
	REQUIRE(!session_filter(fd, prog, 1), "FILTER: %m");
	run(fd, &st);
	capture_init(&c, fd, snap_packet, &s);
	capture_finish(&c, fd);
	CHECK_EQ(s.nr, 30, "packets");
}

static void return_limits(void)
{
	uint32_t copybreak;

	net_dummy("d0");
	for (copybreak = 0; copybreak < 5000; copybreak += 4096) {
		snap_run(1, 0, 1, copybreak);
		snap_run(64, 0, 64, copybreak);
		snap_run(64, 40, 40, copybreak);
		snap_run(299, 0, 299, copybreak);
		snap_run(300, 0, 300, copybreak);
		snap_run(301, 0, 300, copybreak);
		snap_run(0x80000000, 100, 100, copybreak);
	}
}

/* Programs by link type: the first that fits decides. */
static int filter_progs(int fd, const struct ptap_filter_prog *progs,
			uint32_t nr)
{
	struct ptap_filter f = {
		.size = sizeof(f), .nr_progs = nr, .progs = (uintptr_t)progs,
	};

	return ioctl(fd, PTAP_IOC_FILTER, &f);
}

static struct ptap_filter_prog prog(uint32_t linktype, uint32_t flags,
				    const struct sock_filter *insns,
				    uint32_t nr)
{
	return (struct ptap_filter_prog){
		.linktype = linktype, .flags = flags, .len = nr,
		.insns = (uintptr_t)insns,
	};
}

static void linktype_packet(void *arg, const struct packet *p)
{
	uint32_t *nr = arg;

	nr[p->linktype == LINKTYPE_RAW]++;
}

static void by_link_type(void)
{
	static const struct sock_filter accept[] = { RET(ALL) };
	static const struct sock_filter reject[] = { RET(0) };
	/* expected of Ethernet and of tun */
	static const uint8_t want[4][2] = {
		{ 1, 0 }, { 0, 1 }, { 0, 0 }, { 1, 1 },
	};
	struct ptap_filter_prog progs[4][2];
	uint8_t ip[60] = { 0x45, 0, 0, 60, 0, 1, 0, 0, 64, 17 };
	int tun = net_tun("t0"), fd, i;
	uint32_t nr[2];
	struct capture c;

	if (tun < 0)
		SKIP("no tun devices");
	progs[0][0] = prog(LINKTYPE_RAW, 0, reject, 1);
	progs[0][1] = prog(PTAP_LINKTYPE_ANY, 0, accept, 1);
	progs[1][0] = prog(LINKTYPE_RAW, 0, accept, 1);
	progs[1][1] = prog(LINKTYPE_ETHERNET, 0, reject, 1);
	/* Programs of which none fits */
	progs[2][0] = prog(LINKTYPE_NETLINK, 0, accept, 1);
	progs[2][1] = prog(105, 0, accept, 1);
	progs[3][0] = prog(PTAP_LINKTYPE_ANY, 0, accept, 1);
	progs[3][1] = prog(PTAP_LINKTYPE_ANY, 0, reject, 1);
	net_dummy("d0");
	for (i = 0; i < 4; i++) {
		memset(nr, 0, sizeof(nr));
		fd = session_start(NULL, SETUP());
		REQUIRE(!filter_progs(fd, progs[i], 2), "FILTER: %m");
		send_frames("d0", 0, 1, 60);
		CHECK(write(tun, ip, sizeof(ip)) == sizeof(ip), "tun: %m");
		session_wait_seen(fd, 2);
		capture_init(&c, fd, linktype_packet, nr);
		capture_finish(&c, fd);
		CHECK(nr[0] == want[i][0] && nr[1] == want[i][1],
		      "programs %d: %u Ethernet, %u raw", i, nr[0], nr[1]);
	}
	close(tun);
}

/* Accept kind @kind, found at this offset. */
#define KIND_AT(off, kind)						\
	{								\
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, off),		\
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kind, 0, 1),	\
		RET(ALL), RET(0),					\
	}

static void cooked_run(const char *dev, struct ptap_setup setup, uint32_t flags,
		       const struct sock_filter *insns)
{
	struct ptap_filter_prog p = prog(PTAP_LINKTYPE_ANY, flags, insns, 4);
	struct sender s = { .dev = "v0", .nr = 30, .size = 300, .kinds = 3 };
	struct ptap_stats st;
	int fd = session_start(dev, setup);

	REQUIRE(!filter_progs(fd, &p, 1), "FILTER: %m");
	sender_run(&s);
	session_wait_seen(fd, 30);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK(st.captured == 10 && st.filtered == 20,
	      "%s, flags %u, format %u: captured %llu", dev, flags, setup.format,
	      st.captured);
	capture_discard(fd);
}

static void cooked(void)
{
	static const struct sock_filter link[] =
		KIND_AT(FRAME_KIND_OFF, 1);
	static const struct sock_filter network[] =
		KIND_AT(FRAME_KIND_OFF - FRAME_HEAD, 1);
	const char *devs[] = { "v0", "v1" };
	int i;

	net_veth("v0", "v1");
	for (i = 0; i < 2; i++) {
		cooked_run(devs[i], SETUP(), 0, link);
		cooked_run(devs[i], SETUP(), PTAP_FILTER_COOKED, network);
		cooked_run(devs[i], SETUP(.format = PTAP_FORMAT_PCAP_NSEC,
			.linktype = PTAP_LINKTYPE_LINUX_SLL2),
			   PTAP_FILTER_COOKED, network);
		cooked_run(devs[i], SETUP_COPYBREAK(0,
			.format = PTAP_FORMAT_PCAP_USEC,
			.linktype = PTAP_LINKTYPE_LINUX_SLL), 0, link);
	}
}

/* A load beyond the packet ends the program with 0, as in a socket. */
static void beyond_the_end(void)
{
	static const struct sock_filter far[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 298),
		RET(ALL),
	};
	struct ptap_stats st;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	REQUIRE(!session_filter(fd, far, 2), "FILTER: %m");
	run(fd, &st);
	CHECK_EQ(st.filtered, 30, "filtered");
	capture_discard(fd);
}

/* What the device took out is seen through the ancillary data. */
static void vlan_ancillary(void)
{
	static const struct sock_filter tag_5[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
			 (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
			 (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 1),
		RET(ALL), RET(0),
	};
	uint8_t frame[400], tagged[404];
	struct frame f = { .size = 400 };
	struct ptap_stats st;
	int fd, vid;

	net_veth("v0", "v1");
	frame_make(frame, &f);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 16, frame + 12, sizeof(frame) - 12);
	fd = session_start("v1", SETUP());
	REQUIRE(!session_filter(fd, tag_5, ARRAY_SIZE(tag_5)), "FILTER: %m");
	send_raw("v0", frame, sizeof(frame));
	for (vid = 4; vid < 8; vid++) {
		memcpy(tagged + 12, (uint8_t[]){ 0x81, 0, 0, vid }, 4);
		send_raw("v0", tagged, sizeof(tagged));
	}
	session_wait_seen(fd, 5);
	session_stop(fd);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK(st.captured == 1 && st.filtered == 4, "captured %llu, filtered %llu",
	      st.captured, st.filtered);
	capture_discard(fd);
}

/* The packet type and the interface are ancillary data too. */
static void other_ancillary(void)
{
	struct sock_filter type[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
			 (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4 /* OUTGOING */, 0, 1),
		RET(ALL), RET(0),
	}, index[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)SKF_AD_OFF + SKF_AD_IFINDEX),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		RET(ALL), RET(0),
	};
	struct ptap_stats st;
	int fd, i;

	net_veth("v0", "v1");
	index[1].k = net_index("v1");
	for (i = 0; i < 2; i++) {
		fd = session_start(NULL, SETUP());
		REQUIRE(!session_filter(fd, i ? index : type, 4), "FILTER: %m");
		send_frames("v0", 0, 10, 100);
		session_wait_seen(fd, 20);
		st = session_stats(fd, PTAP_RING_ALL);
		CHECK(st.captured == 10 && st.filtered == 10, "captured %llu",
		      st.captured);
		capture_discard(fd);
	}
}

static const struct test tests[] = {
	{ "accept all, reject all, remove", accept_and_reject },
	{ "the return value limits the captured bytes", return_limits },
	{ "programs by link type", by_link_type },
	{ "programs at the network header", cooked },
	{ "a load beyond the end rejects", beyond_the_end },
	{ "VLAN ancillary data", vlan_ancillary },
	{ "packet type and interface ancillary data", other_ancillary },
	{ "swapped under load: nothing lost or double", swap_under_load },
	{ "the same with clones", swap_under_load_cloned },
	{ "a swap is in effect when it returns", swap_takes_effect },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
