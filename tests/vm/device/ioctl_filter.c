// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * FILTER's errors, and the outputs of IFACE, PREAMBLE, DRAIN and STATS.  What
 * filters do to packets is filter_test's business.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <net/if_arp.h>
#include "common.h"
#include "ioctl_test.h"

static const struct sock_filter accept_all[] = {
	BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
};

static void filter_refused(int fd, struct ptap_filter_prog prog, int want,
			   const char *what)
{
	struct ptap_filter filter = {
		.size = sizeof(filter), .nr_progs = 1,
		.progs = (uintptr_t)&prog,
	};

	CHECK_ERRNO(ioctl(fd, PTAP_IOC_FILTER, &filter), want, what);
}

void filter_values(void)
{
	struct ptap_filter_prog prog = {
		.linktype = PTAP_LINKTYPE_ANY, .len = 1,
		.insns = (uintptr_t)accept_all,
	}, progs[PTAP_FILTER_PROGS_MAX + 1], bad;
	struct ptap_filter filter = { .size = sizeof(filter) };
	uint32_t i;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_RUNNING);
	for (i = 0; i < ARRAY_SIZE(progs); i++)
		progs[i] = prog;
	filter.progs = (uintptr_t)progs;
	filter.nr_progs = PTAP_FILTER_PROGS_MAX;
	CHECK(!ioctl(fd, PTAP_IOC_FILTER, &filter), "16 programs: %m");
	filter.nr_progs = PTAP_FILTER_PROGS_MAX + 1;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_FILTER, &filter), EINVAL, "17 programs");
	filter.nr_progs = ~0U;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_FILTER, &filter), EINVAL, "~0 programs");
	filter.nr_progs = 1;
	filter.progs = 0;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_FILTER, &filter), EFAULT, "no programs");
	/* The first is good, the second is not: nothing of it is kept. */
	progs[1].insns = 1;
	filter.progs = (uintptr_t)progs;
	filter.nr_progs = 2;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_FILTER, &filter), EFAULT,
		    "second program");
	bad = prog;
	bad.flags = 1U << 30;
	filter_refused(fd, bad, EINVAL, "program's flags");
	bad = prog;
	bad.len = 0;
	filter_refused(fd, bad, EINVAL, "empty program");
	bad.len = BPF_MAXINSNS + 1;
	filter_refused(fd, bad, EINVAL, "program of 4097");
	bad.len = 0x10001;	/* 1 in 16 bits */
	filter_refused(fd, bad, EINVAL, "program of 65537");
	bad = prog;
	bad.insns = 1;
	filter_refused(fd, bad, EFAULT, "program at 1");
	close(fd);
}

static void program_refused(int fd, const struct sock_filter *insns,
			    uint32_t nr, const char *what)
{
	CHECK_ERRNO(session_filter(fd, insns, nr), EINVAL, what);
}

void filter_bad_programs(void)
{
	static const struct sock_filter no_ret[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 1),
	}, far_jump[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 5),
		BPF_STMT(BPF_RET | BPF_K, 1),
	}, back_jump[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 1),
	}, unknown[] = {
		{ 0xffff, 0, 0, 0 },
		BPF_STMT(BPF_RET | BPF_K, 1),
	}, divide[] = {
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	}, scratch[] = {
		BPF_STMT(BPF_ST, 16),
		BPF_STMT(BPF_RET | BPF_K, 1),
	}, uninit[] = {
		BPF_STMT(BPF_LD | BPF_MEM, 3),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_SETUP);
	program_refused(fd, no_ret, 1, "no return");
	program_refused(fd, far_jump, 2, "jump behind the end");
	program_refused(fd, back_jump, 2, "jump back");
	program_refused(fd, unknown, 2, "unknown instruction");
	program_refused(fd, divide, 2, "division by 0");
	program_refused(fd, scratch, 2, "scratch word 16");
	program_refused(fd, uninit, 2, "scratch word never written");
	close(fd);
}

void filter_failed_keeps_old(void)
{
	static const struct sock_filter reject[] = {
		BPF_STMT(BPF_RET | BPF_K, 0),
	}, no_ret[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 1),
	};
	struct ptap_stats st;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_RUNNING);
	REQUIRE(!session_filter(fd, reject, 1), "FILTER: %m");
	CHECK_ERRNO(session_filter(fd, no_ret, 1), EINVAL, "bad program");
	send_frames("d0", 0, 10, 100);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK(st.filtered == 10 && !st.captured, "the old filter is gone");
	capture_discard(fd);
}

void iface_command(void)
{
	struct ptap_iface_info i = { .size = sizeof(i) };
	uint8_t mac[6];
	int fd;

	net_dummy("d0");
	net_mac("d0", mac);
	fd = session_in_state(PTAP_STATE_RUNNING);
	CHECK(!ioctl(fd, PTAP_IOC_IFACE, &i), "IFACE: %m");
	CHECK(i.id == 0 && i.ifindex == net_index("d0") &&
	      i.linktype == LINKTYPE_ETHERNET && i.arphrd == ARPHRD_ETHER &&
	      i.addr_len == 6 && !memcmp(i.addr, mac, 6) &&
	      !strcmp(i.name, "d0") && !i.flags, "IFACE of d0");
	i.id = 1;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_IFACE, &i), ENOENT, "IFACE 1");
	i.id = ~0U;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_IFACE, &i), ENOENT, "IFACE ~0");
	net_ip("link del d0");
	i.id = 0;
	CHECK(!ioctl(fd, PTAP_IOC_IFACE, &i) && i.flags == PTAP_IFACE_GONE &&
	      !strcmp(i.name, "d0"), "IFACE of a deleted interface");
	CHECK_EQ(session_info(fd).nr_hooks, 0, "hooks");
	close(fd);
}

static void preamble_of(int fd, uint32_t flags, uint32_t first, uint32_t want,
			struct ptap_preamble *p, uint8_t *buf)
{
	*p = (struct ptap_preamble){
		.size = sizeof(*p), .flags = flags, .first_iface = first,
		.len = 4096, .buf = (uintptr_t)buf,
	};
	CHECK(!ioctl(fd, PTAP_IOC_PREAMBLE, p), "PREAMBLE: %m");
	if (want != ~0U)
		CHECK_EQ(p->len, want, "length of the preamble");
}

void preamble_command(void)
{
	uint8_t buf[4096], again[4096];
	struct ptap_preamble p;
	struct capture c;
	uint32_t full, head;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_SETUP);
	capture_init(&c, fd, NULL, NULL);
	preamble_of(fd, PTAP_PREAMBLE_HEADER, 0, ~0U, &p, buf);
	CHECK_EQ(p.nr_ifaces, 1, "interfaces");
	capture_file(&c, buf, p.len);
	CHECK(c.nr_ifaces == 1 && c.linktypes[0] == LINKTYPE_ETHERNET &&
	      !strcmp(c.names[0], "d0"), "description of d0");
	full = p.len;
	preamble_of(fd, 0, 1, 0, &p, buf);
	preamble_of(fd, 0, ~0U, 0, &p, buf);
	preamble_of(fd, PTAP_PREAMBLE_HEADER, 1, ~0U, &p, again);
	head = p.len;
	CHECK(!memcmp(buf, again, head), "the header alone is another one");
	preamble_of(fd, 0, 0, full - head, &p, again);
	CHECK(!memcmp(buf + head, again, p.len), "d0 alone is another one");
	memset(again, 0xa5, sizeof(again));
	p = (struct ptap_preamble){
		.size = sizeof(p), .flags = PTAP_PREAMBLE_HEADER,
		.len = full - 1, .buf = (uintptr_t)again,
	};
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_PREAMBLE, &p), ENOSPC, "small buffer");
	CHECK(p.len == full && p.nr_ifaces == 1, "needed: %u of %u", p.len, full);
	p.len = full;
	CHECK(!ioctl(fd, PTAP_IOC_PREAMBLE, &p), "buffer of the needed size: %m");
	CHECK(again[full] == 0xa5, "writes behind the buffer");
	p.buf = 0;
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_PREAMBLE, &p), EFAULT, "buffer at NULL");
	close(fd);

	fd = session_setup("d0", SETUP(.format = PTAP_FORMAT_PCAP_USEC,
				       .snaplen = 77));
	preamble_of(fd, PTAP_PREAMBLE_HEADER, 0, 24, &p, buf);
	capture_init(&c, fd, NULL, NULL);
	capture_file(&c, buf, 24);
	CHECK_EQ(c.linktypes[0], LINKTYPE_ETHERNET, "link type of the file");
	preamble_of(fd, 0, 0, 0, &p, buf);
	close(fd);
}

void drain_and_stats_rings(void)
{
	struct ptap_drain drain = { .size = sizeof(drain) };
	struct ptap_stats st = { .size = sizeof(st) };
	uint32_t nr, i;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_RUNNING);
	nr = session_info(fd).nr_rings;
	for (i = 0; i < nr; i++) {
		drain.ring = i;
		st.ring = i;
		CHECK(!ioctl(fd, PTAP_IOC_DRAIN, &drain), "DRAIN %u: %m", i);
		CHECK(!ioctl(fd, PTAP_IOC_STATS, &st), "STATS %u: %m", i);
		CHECK_EQ(st.ring, i, "ring of STATS");
	}
	for (i = 0; i < 2; i++) {
		drain.ring = i ? PTAP_RING_ALL - 1 : nr;
		st.ring = drain.ring;
		CHECK_ERRNO(ioctl(fd, PTAP_IOC_DRAIN, &drain), EINVAL, "DRAIN");
		CHECK_ERRNO(ioctl(fd, PTAP_IOC_STATS, &st), EINVAL, "STATS");
	}
	capture_discard(fd);
}
