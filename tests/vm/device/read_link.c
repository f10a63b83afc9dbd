// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Directions, kinds of devices, cooked headers and VLAN tags.
 *
 * A tag that stands in the bytes of a frame is taken out when a veth receives
 * it, and added by the driver when a VLAN device sends; a capture has it in its
 * place both times, as it was on the wire.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include "common.h"
#include "read_test.h"

/* Frames that a capture has to have, in this order. */
struct expect {
	const uint8_t *bytes[4];
	uint32_t len[4];
	uint32_t nr;
	uint32_t next;
	uint32_t linktype;
};

static void expect_packet(void *arg, const struct packet *p)
{
	struct expect *e = arg;
	uint32_t i = e->next++;

	REQUIRE(i < e->nr, "packet %u of %u", i, e->nr);
	CHECK_EQ(p->linktype, e->linktype, "link type");
	CHECK(p->len == e->len[i], "length %u, not %u", p->len, e->len[i]);
	CHECK(!memcmp(p->data, e->bytes[i], p->caplen), "packet %u differs", i);
}

static void expect_finish(struct expect *e, int fd)
{
	struct capture c;

	session_wait_seen(fd, e->nr);
	capture_init(&c, fd, expect_packet, e);
	capture_finish(&c, fd);
	CHECK_EQ(e->next, e->nr, "packets");
}

static void direction_run(const char *dev, uint32_t direction, uint64_t want0,
			  uint64_t want1)
{
	int fd = session_start(dev, SETUP(.direction = direction));
	struct capture c;
	struct tally t;
	struct sender to = { .dev = "v0", .id = 0, .nr = 100, .size = 100 };
	struct sender from = { .dev = "v1", .id = 1, .nr = 100, .size = 100 };

	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	sender_run(&to);
	sender_run(&from);
	session_wait_seen(fd, want0 + want1);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, want0);
	tally_expect(&t, 1, 0, want1);
}

void link_directions(void)
{
	net_veth("v0", "v1");
	direction_run("v1", PTAP_DIR_IN, 100, 0);
	direction_run("v1", PTAP_DIR_OUT, 0, 100);
	direction_run("v1", PTAP_DIR_IN | PTAP_DIR_OUT, 100, 100);
	direction_run("v1", 0, 100, 100);
	direction_run("v0", PTAP_DIR_IN, 0, 100);
	direction_run(NULL, PTAP_DIR_IN, 100, 100);
}

void link_loopback(void)
{
	struct capture c;
	struct tally t;
	int fd, i;

	net_ip("link set lo up");
	for (i = 0; i < 3; i++) {
		fd = session_start(i ? "lo" : NULL, SETUP(
			.direction = i == 2 ? PTAP_DIR_IN : 0));
		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		send_frames("lo", 0, 100, 1000);
		session_wait_seen(fd, 100);
		CHECK_EQ(c.nr_ifaces, 0, "interfaces before reading");
		capture_finish(&c, fd);
		tally_expect(&t, 0, 0, 100);
		CHECK_EQ(c.linktypes[0], LINKTYPE_ETHERNET, "link type");
	}
}

/* A cooked packet: header, then the frame without its Ethernet header. */
static void cooked_run(const char *dev, uint32_t linktype,
		       const uint8_t *header, uint32_t len, uint32_t format)
{
	int fd = session_start(dev, SETUP_COPYBREAK(
		format == PTAP_FORMAT_PCAP_NSEC ? 0 : 2048, .format = format,
		.linktype = linktype));
	struct expect e = { .nr = 1, .linktype = linktype };
	struct frame f = { .size = 300 };
	uint8_t frame[FRAME_MAX], want[FRAME_MAX];

	frame_make(frame, &f);
	memcpy(want, header, len);
	memcpy(want + len, frame + FRAME_HEAD, f.size - FRAME_HEAD);
	e.bytes[0] = want;
	e.len[0] = f.size - FRAME_HEAD + len;
	send_raw("v0", frame, f.size);
	expect_finish(&e, fd);
}

/* packet type, ARPHRD, address length, address (8), protocol */
void link_cooked_sll(void)
{
	uint8_t header[16] = { 0, 1, 0, ARPHRD_ETHER, 0, 6, 2, 0, 0, 0, 1, 44,
			       0, 0, 0x88, 0xb5 };

	net_veth("v0", "v1");
	cooked_run("v1", PTAP_LINKTYPE_LINUX_SLL, header, 16,
		   PTAP_FORMAT_PCAP_NSEC);
	header[1] = 4;		/* sent */
	cooked_run("v0", PTAP_LINKTYPE_LINUX_SLL, header, 16,
		   PTAP_FORMAT_PCAP_NSEC);
	cooked_run("v0", PTAP_LINKTYPE_LINUX_SLL, header, 16,
		   PTAP_FORMAT_PCAP_USEC);
}

/* protocol, 0, index (4), ARPHRD, packet type, address length, address (8) */
void link_cooked_sll2(void)
{
	uint8_t header[20] = { 0x88, 0xb5, 0, 0, 0, 0, 0, 0, 0, ARPHRD_ETHER, 1,
			       6, 2, 0, 0, 0, 1, 44, 0, 0 };
	uint32_t index;

	net_veth("v0", "v1");
	index = htonl(net_index("v1"));
	memcpy(header + 4, &index, 4);
	cooked_run("v1", PTAP_LINKTYPE_LINUX_SLL2, header, 20,
		   PTAP_FORMAT_PCAP_NSEC);
	header[10] = 4;		/* sent */
	index = htonl(net_index("v0"));
	memcpy(header + 4, &index, 4);
	cooked_run("v0", PTAP_LINKTYPE_LINUX_SLL2, header, 20,
		   PTAP_FORMAT_PCAP_NSEC);
	cooked_run("v0", PTAP_LINKTYPE_LINUX_SLL2, header, 20,
		   PTAP_FORMAT_PCAP_USEC);
}

/* The end of the captured bytes in the cooked header, and behind it. */
void link_cooked_snaplen(void)
{
	static const uint32_t snaplens[] = { 1, 15, 16, 17, 19, 20, 21, 60 };
	uint32_t i, linktype;
	struct capture c;
	int fd;

	net_dummy("d0");
	for (i = 0; i < 4 * ARRAY_SIZE(snaplens); i++) {
		linktype = i & 2 ? PTAP_LINKTYPE_LINUX_SLL :
				   PTAP_LINKTYPE_LINUX_SLL2;
		fd = session_start("d0", SETUP_COPYBREAK(i & 1 ? 0 : 2048,
			.format = PTAP_FORMAT_PCAP_NSEC, .linktype = linktype,
			.snaplen = snaplens[i / 4]));
		send_frames("d0", 0, 3, 314);
		session_stop(fd);
		capture_init(&c, fd, NULL, NULL);
		capture_finish(&c, fd);
		CHECK_EQ(c.packets, 3, "packets");
		CHECK_EQ(c.bytes, 3 * (16 + snaplens[i / 4]), "bytes");
	}
}

/* A frame with a tag, and perhaps a second one; returns its size. */
static uint32_t tagged_frame(uint8_t *dst, uint16_t tpid, bool two)
{
	struct frame f = { .size = 400 };
	uint8_t plain[FRAME_MAX];
	uint32_t at = 12;

	frame_make(plain, &f);
	memcpy(dst, plain, 12);
	memcpy(dst + at, (uint8_t[]){ tpid >> 8, tpid & 255, 0x61, 0x23 }, 4);
	at += 4;
	if (two) {
		memcpy(dst + at, (uint8_t[]){ 0x81, 0, 0, 77 }, 4);
		at += 4;
	}
	memcpy(dst + at, plain + 12, f.size - 12);
	return f.size - 12 + at;
}

static void vlan_run(const char *dev, struct ptap_setup setup)
{
	struct expect e = { .nr = 3, .linktype = LINKTYPE_ETHERNET };
	uint8_t frames[3][512];
	int fd, i;

	e.len[0] = tagged_frame(frames[0], 0x8100, false);
	e.len[1] = tagged_frame(frames[1], 0x88a8, false);
	e.len[2] = tagged_frame(frames[2], 0x88a8, true);
	fd = session_start(dev, setup);
	for (i = 0; i < 3; i++) {
		e.bytes[i] = frames[i];
		send_raw("v0", frames[i], e.len[i]);
	}
	expect_finish(&e, fd);
}

void link_vlan_received(void)
{
	net_veth("v0", "v1");
	vlan_run("v1", SETUP(.direction = PTAP_DIR_IN));
	vlan_run("v1", SETUP_COPYBREAK(0, .direction = PTAP_DIR_IN));
	vlan_run("v1", SETUP_COPYBREAK(0, .format = PTAP_FORMAT_PCAP_USEC));
}

void link_vlan_in_band(void)
{
	net_veth("v0", "v1");
	vlan_run("v0", SETUP());
	vlan_run("v0", SETUP_COPYBREAK(0, .format = PTAP_FORMAT_PCAP_NSEC));
}

/* Sent by a VLAN device on v0: the tag is there on v0 and on v1. */
static void vlan_device_run(const char *dev, uint32_t copybreak)
{
	struct expect e = { .nr = 1, .linktype = LINKTYPE_ETHERNET };
	uint8_t frame[FRAME_MAX], want[512];
	struct frame f = { .size = 400 };
	int fd = session_start(dev, SETUP_COPYBREAK(copybreak));

	frame_make(frame, &f);
	memcpy(want, frame, 12);
	memcpy(want + 12, (uint8_t[]){ 0x81, 0, 0, 5 }, 4);
	memcpy(want + 16, frame + 12, f.size - 12);
	e.bytes[0] = want;
	e.len[0] = f.size + 4;
	send_raw("v0.5", frame, f.size);
	expect_finish(&e, fd);
}

void link_vlan_device(void)
{
	net_veth("v0", "v1");
	if (!net_ip_try("link add link v0 name v0.5 up type vlan id 5"))
		SKIP("no VLAN devices");
	vlan_device_run("v0", 2048);
	vlan_device_run("v0", 0);
	vlan_device_run("v1", 2048);
	vlan_device_run("v1", 0);
}

/* LINUX_SLL has the tag as an Ethernet frame does; LINUX_SLL2 has no place. */
void link_vlan_cooked(void)
{
	static const uint8_t sll[20] = {
		0, 1, 0, ARPHRD_ETHER, 0, 6, 2, 0, 0, 0, 1, 144, 0, 0, 0x81, 0,
		0x61, 0x23, 0x88, 0xb5,
	};
	uint8_t frame[512], want[512];
	uint32_t size = tagged_frame(frame, 0x8100, false), i, linktype;
	struct expect e;
	int fd;

	net_veth("v0", "v1");
	for (i = 0; i < 4; i++) {
		linktype = i & 2 ? PTAP_LINKTYPE_LINUX_SLL2 :
				   PTAP_LINKTYPE_LINUX_SLL;
		fd = session_start("v1", SETUP_COPYBREAK(i & 1 ? 0 : 4096,
			.format = PTAP_FORMAT_PCAP_NSEC, .linktype = linktype));
		memcpy(want, sll, 20);
		if (i & 2) {
			uint32_t index = htonl(net_index("v1"));

			memcpy(want, (uint8_t[]){ 0x88, 0xb5, 0, 0 }, 4);
			memcpy(want + 4, &index, 4);
			memcpy(want + 8,
			       (uint8_t[]){ 0, ARPHRD_ETHER, 1, 6 }, 4);
			memcpy(want + 12, frame + 6, 6);
			memset(want + 18, 0, 2);
		}
		memcpy(want + 20, frame + 18, size - 18);
		e = (struct expect){ .nr = 1, .bytes = { want },
				     .len = { 20 + size - 18 },
				     .linktype = linktype };
		send_raw("v0", frame, size);
		expect_finish(&e, fd);
	}
}

static void snaplen_packet(void *arg, const struct packet *p)
{
	struct expect *e = arg;

	CHECK(p->len == e->len[0] && p->caplen == e->len[1], "%u of %u",
	      p->caplen, p->len);
	CHECK(!memcmp(p->data, e->bytes[0], p->caplen), "bytes");
	e->next++;
}

/* The end of the captured bytes before, in and behind the tag. */
void link_vlan_snaplen(void)
{
	uint8_t frame[512];
	uint32_t size = tagged_frame(frame, 0x8100, false), i;
	struct expect e = { .bytes = { frame }, .len = { size } };
	struct capture c;
	int fd;

	net_veth("v0", "v1");
	for (i = 0; i < 20; i++) {
		e.len[1] = 10 + i / 2;
		fd = session_start("v1", SETUP_COPYBREAK(i & 1 ? 4096 : 0,
							 .snaplen = e.len[1]));
		capture_init(&c, fd, snaplen_packet, &e);
		send_raw("v0", frame, size);
		session_wait_seen(fd, 1);
		capture_finish(&c, fd);
	}
	CHECK_EQ(e.next, 20, "packets");
}

/* IPv4 in UDP's name, no checksums: nobody has to understand it. */
void link_tun(void)
{
	uint8_t ip[200] = { 0x45, 0, 0, 200, 0, 1, 0, 0, 64, 17, 0, 0,
			    10, 9, 8, 7, 10, 9, 8, 6 };
	struct expect e = { .nr = 1, .bytes = { ip }, .len = { 200 },
			    .linktype = LINKTYPE_RAW };
	int tun = net_tun("t0"), fd, i;

	if (tun < 0)
		SKIP("no tun devices");
	for (i = 20; i < 200; i++)
		ip[i] = i * 11;
	for (i = 0; i < 4; i++) {
		e.next = 0;
		fd = session_start("t0", SETUP_COPYBREAK(i & 1 ? 0 : 2048,
			.format = i & 2 ? PTAP_FORMAT_PCAP_USEC :
					  PTAP_FORMAT_PCAPNG));
		CHECK(write(tun, ip, sizeof(ip)) == sizeof(ip), "tun: %m");
		expect_finish(&e, fd);
	}
	close(tun);
}

/*
 * What kind of device makes what link type, as libpcap has it: tun says to be
 * whatever it is told.
 */
static const struct {
	uint16_t type;
	uint16_t linktype;
} kinds[] = {
	{ ARPHRD_ETHER, LINKTYPE_RAW },		/* this one has no header */
	{ ARPHRD_NONE, LINKTYPE_RAW },
	{ ARPHRD_SIT, LINKTYPE_RAW },
	{ ARPHRD_CSLIP6, LINKTYPE_RAW },
	{ ARPHRD_RAWHDLC, LINKTYPE_RAW },
	{ ARPHRD_IEEE80211, 105 },
	{ ARPHRD_IEEE80211_PRISM, 119 },
	{ ARPHRD_IEEE80211_RADIOTAP, 127 },
	{ ARPHRD_IEEE802154, 230 },
	{ ARPHRD_IEEE802_TR, 6 },
	{ ARPHRD_AX25, 202 },
	{ ARPHRD_ARCNET, 129 },
	{ ARPHRD_FDDI, 10 },
	{ ARPHRD_HDLC, 104 },
	{ ARPHRD_FRAD, 107 },
	{ ARPHRD_LOCALTLK, 114 },
	{ 280 /* ARPHRD_CAN */, 227 },
	{ 824 /* ARPHRD_NETLINK */, LINKTYPE_NETLINK },
	{ 826 /* ARPHRD_VSOCKMON */, 271 },
	{ ARPHRD_PPP, PTAP_LINKTYPE_LINUX_SLL },
	{ ARPHRD_IPGRE, PTAP_LINKTYPE_LINUX_SLL },
	{ 0xfff0, PTAP_LINKTYPE_LINUX_SLL },
};

void link_types(void)
{
	struct ptap_iface_info info;
	int tun = net_tun("t0"), fd;
	size_t i;

	if (tun < 0)
		SKIP("no tun devices");
	net_ip("link set t0 down");
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		REQUIRE(!ioctl(tun, TUNSETLINK, (unsigned long)kinds[i].type),
			"TUNSETLINK: %m");
		fd = session_setup("t0", SETUP());
		info = (struct ptap_iface_info){ .size = sizeof(info) };
		CHECK(!ioctl(fd, PTAP_IOC_IFACE, &info), "IFACE: %m");
		CHECK(info.arphrd == kinds[i].type &&
		      info.linktype == kinds[i].linktype,
		      "type %u: told as %u, link type %u", kinds[i].type,
		      info.arphrd, info.linktype);
		close(fd);
	}
	close(tun);
}

static void mixed_packet(void *arg, const struct packet *p)
{
	uint32_t *nr = arg;

	nr[p->linktype == LINKTYPE_ETHERNET ? 0 :
	   p->linktype == LINKTYPE_RAW ? 1 : 2]++;
}

void link_mixed(void)
{
	uint8_t ip[100] = { 0x45, 0, 0, 100, 0, 1, 0, 0, 64, 17, 0, 0,
			    10, 9, 8, 7, 10, 9, 8, 6 };
	uint32_t nr[3] = { 0 };
	int tun = net_tun("t0"), fd, i;
	struct capture c;

	if (tun < 0)
		SKIP("no tun devices");
	net_dummy("d0");
	fd = session_start(NULL, SETUP());
	capture_init(&c, fd, mixed_packet, nr);
	for (i = 0; i < 20; i++) {
		send_frames("d0", i, 1, 100);
		CHECK(write(tun, ip, sizeof(ip)) == sizeof(ip), "tun: %m");
	}
	session_wait_seen(fd, 40);
	capture_finish(&c, fd);
	CHECK(nr[0] == 20 && nr[1] == 20 && !nr[2], "%u, %u, %u", nr[0], nr[1],
	      nr[2]);
	CHECK_EQ(c.nr_ifaces, 2, "interfaces");
	close(tun);
}
