// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What SETUP and START refuse, and with which error; and that a session whose
 * SETUP failed is as good as new.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/syscall.h>
#include "common.h"
#include "ioctl_test.h"

static void refused(struct ptap_setup setup, int want, const char *what)
{
	int fd = session_open(O_RDWR);

	CHECK_ERRNO(ioctl(fd, PTAP_IOC_SETUP, &setup), want, what);
	CHECK_EQ(session_state(fd), PTAP_STATE_NEW, what);
	CHECK(!ioctl(fd, PTAP_IOC_SETUP, &SETUP()), "SETUP after %s: %m", what);
	close(fd);
}

static void accepted(struct ptap_setup setup, const char *what)
{
	int fd = session_open(O_RDWR);

	CHECK(!ioctl(fd, PTAP_IOC_SETUP, &setup), "%s: %m", what);
	close(fd);
}

void setup_values(void)
{
	uint64_t max = session_info(session_open(O_RDWR)).ring_size_max;

	refused(SETUP(.format = 3), EINVAL, "format 3");
	refused(SETUP(.format = ~0U), EINVAL, "format ~0");
	refused(SETUP(.format = PTAP_FORMAT_PCAP_NSEC, .linktype = 1), EINVAL,
		"linktype 1");
	refused(SETUP(.format = PTAP_FORMAT_PCAP_NSEC, .linktype = ~0U), EINVAL,
		"linktype ~0");
	refused(SETUP(.snaplen = PTAP_SNAPLEN_MAX + 1), EINVAL, "snaplen");
	refused(SETUP(.snaplen = ~0U), EINVAL, "snaplen ~0");
	refused(SETUP(.direction = 4), EINVAL, "direction 4");
	refused(SETUP(.direction = 7), EINVAL, "direction 7");
	refused(SETUP(.flush_us = 1000001), EINVAL, "flush_us");
	refused(SETUP(.flush_us = ~0U), EINVAL, "flush_us ~0");
	refused(SETUP(.ring_size = max + 1), EINVAL, "ring_size");
	refused(SETUP(.ring_size = ~0ULL), EINVAL, "ring_size ~0");
	refused(SETUP(.meta = 1U << 6), EOPNOTSUPP, "meta 1 << 6");
	refused(SETUP(.meta = 1U << 31), EOPNOTSUPP, "meta 1 << 31");
	accepted(SETUP(.snaplen = PTAP_SNAPLEN_MAX), "snaplen at its maximum");
	accepted(SETUP(.snaplen = 1), "snaplen 1");
	accepted(SETUP(.flush_us = 1000000), "flush_us at its maximum");
	accepted(SETUP(.watermark = ~0U), "watermark ~0");
	accepted(SETUP(.flags = PTAP_SETUP_COPYBREAK, .copybreak = ~0U),
		 "copybreak ~0");
}

void setup_combinations(void)
{
	uint32_t lo = net_index("lo");

	refused(SETUP(.linktype = PTAP_LINKTYPE_LINUX_SLL2), EINVAL,
		"cooked pcapng");
	refused(SETUP(.format = PTAP_FORMAT_PCAP_NSEC), EINVAL,
		"all interfaces in native pcap");
	refused(SETUP(.format = PTAP_FORMAT_PCAP_USEC,
		      .linktype = PTAP_LINKTYPE_LINUX_SLL,
		      .meta = PTAP_META_FLAGS), EINVAL, "meta in pcap");
	refused(SETUP(.flags = PTAP_SETUP_PROMISC), EINVAL,
		"all interfaces promiscuous");
	accepted(SETUP(.format = PTAP_FORMAT_PCAP_USEC,
		       .linktype = PTAP_LINKTYPE_LINUX_SLL), "cooked pcap");
	accepted(SETUP(.format = PTAP_FORMAT_PCAP_NSEC, .nr_ifaces = 1,
		       .ifaces = (uintptr_t)&lo), "native pcap of lo");
	accepted(SETUP(.meta = PTAP_META_FLAGS), "meta in pcapng");
}

void setup_interfaces(void)
{
	uint32_t list[4];
	struct ptap_setup pcap = SETUP(.format = PTAP_FORMAT_PCAP_NSEC,
				       .nr_ifaces = 2,
				       .ifaces = (uintptr_t)list);

	net_dummy("d0");
	list[0] = net_index("d0");
	list[1] = 0x7ffffff0;
	refused(SETUP(.nr_ifaces = 2, .ifaces = (uintptr_t)list), ENODEV,
		"unknown interface");
	list[1] = 0;
	refused(SETUP(.nr_ifaces = 2, .ifaces = (uintptr_t)list), ENODEV,
		"interface 0");
	list[1] = 0xffffffff;
	refused(SETUP(.nr_ifaces = 2, .ifaces = (uintptr_t)list), ENODEV,
		"interface -1");
	list[1] = list[0];
	refused(SETUP(.nr_ifaces = 2, .ifaces = (uintptr_t)list), EEXIST,
		"interface twice");
	refused(pcap, EEXIST, "interface twice in pcap");
	refused(SETUP(.nr_ifaces = 1), EFAULT, "no list");
	refused(SETUP(.nr_ifaces = 1, .ifaces = ~0ULL), EFAULT, "bad list");
	if (!net_ip_try("link add n0 type nlmon")) {
		tap_note("no nlmon device: link types are not mixed");
		return;
	}
	net_ip("link set n0 up");
	list[1] = net_index("n0");
	refused(pcap, EMEDIUMTYPE, "mixed link types");
	accepted(SETUP(.nr_ifaces = 2, .ifaces = (uintptr_t)list),
		 "mixed link types in pcapng");
	pcap.linktype = PTAP_LINKTYPE_LINUX_SLL2;
	accepted(pcap, "mixed link types, cooked");
	list[1] = net_index("lo");
	pcap.linktype = PTAP_LINKTYPE_NATIVE;
	accepted(pcap, "two Ethernet interfaces in pcap");
}

void setup_many_interfaces(void)
{
	static uint32_t list[1025];
	struct ptap_iface_info iface = { .size = sizeof(iface), .id = 1023 };
	int fd, i, nr = 0;
	FILE *batch;

	for (i = 0; i < 1025; i++)
		list[i] = i + 1;
	refused(SETUP(.nr_ifaces = 1025, .ifaces = (uintptr_t)list), EINVAL,
		"1025 interfaces");
	refused(SETUP(.nr_ifaces = ~0U, .ifaces = (uintptr_t)list), EINVAL,
		"~0 interfaces");
	refused(SETUP(.nr_ifaces = 0x40000001, .ifaces = (uintptr_t)list),
		EINVAL, "a number of interfaces that overflows");
	/* A few hundred real ones would take too long to make; 100 do. */
	batch = popen("ip -batch -", "w");
	REQUIRE(batch, "popen: %m");
	for (i = 0; i < 100; i++)
		fprintf(batch, "link add d%d type dummy\n", i);
	REQUIRE(!pclose(batch), "ip -batch failed");
	for (i = 99; i >= 0; i--) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", i);
		list[nr++] = net_index(name);
	}
	fd = session_open(O_RDWR);
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &SETUP(.nr_ifaces = nr,
						  .ifaces = (uintptr_t)list)),
		"SETUP of %d interfaces: %m", nr);
	for (i = 0; i < nr; i++) {
		iface.id = i;
		CHECK(!ioctl(fd, PTAP_IOC_IFACE, &iface) &&
		      iface.ifindex == list[i], "interface %d of the list", i);
	}
	CHECK(!ioctl(fd, PTAP_IOC_START), "START: %m");
	CHECK_EQ(session_info(fd).nr_hooks, nr, "hooks");
	session_stop(fd);
	close(fd);
}

void setup_memory(void)
{
	uint64_t max = session_info(session_open(O_RDWR)).ring_size_max;
	uint64_t have = (uint64_t)sysconf(_SC_PHYS_PAGES) * getpagesize();

	if (max * nr_cpus() < have)
		SKIP("the largest rings fit into this machine");
	refused(SETUP(.ring_size = max), ENOMEM, "rings larger than memory");
}

void setup_defaults(void)
{
	struct ptap_info i;
	int fd;

	net_dummy("d0");
	fd = session_setup("d0", SETUP());
	i = session_info(fd);
	CHECK_EQ(i.snaplen, PTAP_SNAPLEN_MAX, "snaplen");
	CHECK_EQ(i.direction, PTAP_DIR_IN | PTAP_DIR_OUT, "direction");
	CHECK_EQ(i.flush_us, 5000, "flush_us");
	CHECK_EQ(i.watermark,
		 i.ring_size < 4 * 262144 ? i.ring_size / 4 : 262144,
		 "watermark");
	CHECK(i.nr_rings >= (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
	      "%u rings", i.nr_rings);
	CHECK(i.ring_stride >= 2 * i.ring_size + 2 * i.page_size &&
	      i.ring_stride % i.page_size == 0, "ring_stride %llu",
	      i.ring_stride);
	close(fd);
	i = session_info(session_setup("d0", SETUP(.ring_size = 1,
						   .snaplen = 96)));
	CHECK_EQ(i.ring_size, 65536, "smallest ring");
	CHECK_EQ(i.watermark, 16384, "watermark of the smallest ring");
	i = session_info(session_setup("d0", SETUP(.ring_size = 65537,
						   .snaplen = 96)));
	CHECK_EQ(i.ring_size, 131072, "ring rounded up");
	i = session_info(session_setup("d0", SETUP(.ring_size = 1)));
	CHECK(i.ring_size >= 2 * (PTAP_SNAPLEN_MAX + 32), "ring for snaplen");
	i = session_info(session_setup("d0",
			 SETUP(.format = PTAP_FORMAT_PCAP_USEC)));
	CHECK_EQ(i.linktype, LINKTYPE_ETHERNET, "link type of the file");
	i = session_info(session_setup(NULL,
			 SETUP(.format = PTAP_FORMAT_PCAP_USEC,
			       .linktype = PTAP_LINKTYPE_LINUX_SLL2)));
	CHECK_EQ(i.linktype, PTAP_LINKTYPE_LINUX_SLL2, "cooked link type");
}

/* capset() by hand: libcap is not needed for one call. */
static void drop_cap(int cap)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	REQUIRE(!syscall(SYS_capget, &h, d), "capget: %m");
	d[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	d[CAP_TO_INDEX(cap)].permitted &= ~CAP_TO_MASK(cap);
	REQUIRE(!syscall(SYS_capset, &h, d), "capset: %m");
}

void setup_promisc_right(void)
{
	uint32_t index;

	net_dummy("d0");
	index = net_index("d0");
	accepted(SETUP(.flags = PTAP_SETUP_PROMISC, .nr_ifaces = 1,
		       .ifaces = (uintptr_t)&index), "PROMISC");
	drop_cap(CAP_NET_ADMIN);
	refused(SETUP(.flags = PTAP_SETUP_PROMISC, .nr_ifaces = 1,
		      .ifaces = (uintptr_t)&index), EPERM,
		"PROMISC without CAP_NET_ADMIN");
}

void setup_failed_then_used(void)
{
	uint32_t list[2];
	struct capture c;
	struct tally t;
	int fd, i;

	net_dummy("d0");
	list[0] = net_index("d0");
	list[1] = list[0];
	fd = session_open(O_RDWR);
	for (i = 0; i < 20; i++) {
		CHECK_ERRNO(ioctl(fd, PTAP_IOC_SETUP,
				  &SETUP(.nr_ifaces = 2,
					 .ifaces = (uintptr_t)list)), EEXIST,
			    "interface twice");
		CHECK_EQ(session_info(fd).nr_ifaces, 0, "interfaces");
	}
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &SETUP(.nr_ifaces = 1,
						  .ifaces = (uintptr_t)list)),
		"SETUP: %m");
	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	send_frames("d0", 0, 10, 100);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 10);
}

void start_interface_gone(void)
{
	uint32_t list[2];
	int fd, i;

	net_dummy("d0");
	net_dummy("d1");
	list[0] = net_index("d0");
	list[1] = net_index("d1");
	fd = session_open(O_RDWR);
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP,
		       &SETUP(.flags = PTAP_SETUP_PROMISC, .nr_ifaces = 2,
			      .ifaces = (uintptr_t)list)), "SETUP: %m");
	net_ip("link del d1");
	for (i = 0; i < 3; i++) {
		CHECK_ERRNO(ioctl(fd, PTAP_IOC_START), ENODEV, "START");
		CHECK_EQ(session_state(fd), PTAP_STATE_SETUP, "state");
		CHECK_EQ(session_info(fd).nr_hooks, 0, "hooks");
	}
	CHECK_EQ(net_promiscuity("d0"), 0, "promiscuity of d0");
	close(fd);
}
