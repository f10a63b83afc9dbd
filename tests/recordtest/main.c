// SPDX-License-Identifier: GPL-2.0
/*
 * recordtest: goes through all combinations while it is being loaded, and says
 * in the kernel's log, a line for each layout, how many records were right.
 * Loading fails with EILSEQ if one was wrong.
 */
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "copy.h"
#include "recordtest.h"

#define GUARD		64	/* bytes before and behind that must stay */
#define ROOM		(TEST_LEN_MAX + 256)
#define WRONG_SHOWN	10

static const char *const layouts[] = {
	[TEST_LINEAR] = "linear",
	[TEST_FRAGS] = "frags",
	[TEST_FRAG_LIST] = "frag_list",
	[TEST_FRAGS_AND_LIST] = "frags and frag_list",
	[TEST_UNREADABLE] = "unreadable",
};

static const struct ptap_iface ifaces[] = {
	{ .id = 1, .ifindex = 0x10002, .linktype = 1, .arphrd = ARPHRD_ETHER },
	{ .id = 2, .ifindex = 3, .linktype = 101, .arphrd = ARPHRD_NONE },
	{ .id = 3, .ifindex = 4, .linktype = 113, .arphrd = ARPHRD_PPP,
	  .cooked_len = PTAP_SLL_LEN },
	{ .id = 4, .ifindex = 0x12345678, .linktype = 276,
	  .arphrd = ARPHRD_ETHER, .cooked_len = PTAP_SLL2_LEN },
	{ .id = 5, .ifindex = 6, .linktype = 227, .arphrd = ARPHRD_CAN,
	  .tag = PTAP_TAG_CAN },
};

static const u32 formats[] = {
	PTAP_FORMAT_PCAP_USEC, PTAP_FORMAT_PCAP_NSEC, PTAP_FORMAT_PCAPNG,
};

static const u32 snaplens[] = { 1, 5, 13, 14, 17, 21, 64, 262144 };
static const u32 heads[] = { 0, 1, 3, 4, 11, 12, 13, 14, 40 };
static const u32 large[] = { 100, 511, 512, 513, 1514, 4097, 9001, 65535 };
static const u16 tags[] = { 0, ETH_P_8021Q, ETH_P_8021AD };

static u8 *want, *room;
static u64 records, wrong;

/* Nanoseconds of a record. */
static u64 time_of(u32 format, const u8 *rec)
{
	const u32 *at = (const u32 *)(format == PTAP_FORMAT_PCAPNG ? rec + 12 :
								     rec);
	u32 a = get_unaligned(at), b = get_unaligned(at + 1);

	if (format == PTAP_FORMAT_PCAPNG)
		return (u64)a << 32 | b;
	if (format == PTAP_FORMAT_PCAP_USEC)
		b *= NSEC_PER_USEC;
	return a * (u64)NSEC_PER_SEC + b;
}

static void clear_time(u32 format, u8 *rec)
{
	memset(format == PTAP_FORMAT_PCAPNG ? rec + 12 : rec, 0, 8);
}

/* What the hook does, without a ring; returns 0 or what went wrong. */
static const char *make_record(const struct ptap_config *cfg,
			       struct ptap_record *rec, u32 limit, u8 *dst)
{
	struct ptap_record plain = *rec;
	struct ptap_clock clock = { 0 };
	u32 len;

	ptap_record_plan(cfg, rec, limit);
	if (rec->size > ptap_record_size_max(cfg))
		return "larger than any record may be";
	len = ptap_record_copy_len(rec);
	if (ptap_record_plan_plain(cfg, &plain, limit)) {
		if (memcmp(&plain, rec, sizeof(plain)))
			return "planned otherwise as a plain one";
		ptap_record_head(cfg, &clock, rec, dst);
		ptap_copy(dst + rec->data_off, rec->skb->data, rec->caplen);
		return NULL;
	}
	ptap_record_write(cfg, &clock, rec, dst);
	if (ptap_record_copy(rec->skb, dst + rec->data_off + rec->caplen - len,
			     len, rec->tag))
		return "cannot be copied";
	return NULL;
}

/* Over memory of all @fill: is the record there, and nothing beside it? */
static const char *check_over(const struct ptap_config *cfg,
			      const struct ptap_iface *iface,
			      const struct test_packet *p, u32 limit, u32 size,
			      u8 fill)
{
	struct ptap_record rec = { .skb = p->skb, .iface = iface };
	u8 *dst = room + GUARD;
	u64 before, time;
	const char *why;

	memset(room, fill, GUARD + min(size + GUARD, (u32)ROOM));
	before = ktime_get_real_ns();
	why = make_record(cfg, &rec, limit, dst);
	if (why)
		return why;
	if (rec.size != size)
		return "of another size";
	time = time_of(cfg->format, dst);
	if (time + NSEC_PER_USEC < before || time > ktime_get_real_ns())
		return "of another time";
	clear_time(cfg->format, dst);
	if (memcmp(dst, want, size))
		return "of other bytes";
	if (memchr_inv(room, fill, GUARD) ||
	    memchr_inv(dst + size, fill, GUARD))
		return "written beside its place";
	return NULL;
}

static void check(const struct ptap_config *cfg, const struct ptap_iface *iface,
		  const struct test_packet *p, u32 limit)
{
	u32 size = naive_record(cfg, iface, p, limit, want);
	const char *why;

	/* A byte that is not written is wrong over one of the two. */
	why = check_over(cfg, iface, p, limit, size, 0xa5);
	if (!why && size < 256)
		why = check_over(cfg, iface, p, limit, size, 0x5a);
	records++;
	if (!why || wrong++ >= WRONG_SHOWN)
		return;
	pr_info("recordtest: %s: format %u, interface %u, %u bytes (%u linear), snaplen %u, limit %u, tag %x\n",
		why, cfg->format, iface->id, p->len, skb_headlen(p->skb),
		cfg->snaplen, limit,
		skb_vlan_tag_present(p->skb) ? ntohs(p->skb->vlan_proto) : 0);
}

/* A packet through all configurations. */
static void check_packet(const struct test_packet *p)
{
	struct ptap_config cfg = { .ring_size = 1 << 22, .copybreak = U32_MAX };
	u32 f, i, n, t;

	for (t = 0; t < ARRAY_SIZE(tags); t++) {
		__vlan_hwaccel_clear_tag(p->skb);
		if (tags[t])
			__vlan_hwaccel_put_tag(p->skb, htons(tags[t]), 0x6123);
		for (i = 0; i < ARRAY_SIZE(ifaces); i++)
			for (f = 0; f < ARRAY_SIZE(formats); f++)
				for (n = 0; n < ARRAY_SIZE(snaplens); n++) {
					cfg.format = formats[f];
					cfg.snaplen = snaplens[n];
					check(&cfg, &ifaces[i], p, U32_MAX);
				}
		check(&cfg, &ifaces[0], p, 13);
	}
}

static int check_len(enum test_layout layout, u32 len)
{
	struct test_packet p;
	u32 mac, h;
	int err;

	for (mac = 0; mac < NR_TEST_MACS; mac++)
		for (h = 0; h < ARRAY_SIZE(heads); h++) {
			err = test_packet_make(&p, layout, mac, len, heads[h]);
			if (!err) {
				check_packet(&p);
				kfree_skb(p.skb);
			} else if (err != -EINVAL) {
				return err;
			}
			if (layout == TEST_LINEAR || mac != TEST_MAC_ETHER)
				break;
		}
	cond_resched();
	return 0;
}

/* Fragments that have less than the packet says: no byte, and no harm. */
static void check_lies(void)
{
	struct ptap_config cfg = {
		.format = PTAP_FORMAT_PCAPNG, .snaplen = 262144,
		.ring_size = 1 << 22,
	};
	struct ptap_record rec = { .iface = &ifaces[0] };
	struct test_packet p;

	if (test_packet_make(&p, TEST_FRAGS, TEST_MAC_ETHER, 100, 20))
		return;
	p.skb->len += 10;
	p.skb->data_len += 10;
	rec.skb = p.skb;
	ptap_record_plan(&cfg, &rec, U32_MAX);
	records++;
	if (rec.caplen != 110 ||
	    ptap_record_copy(p.skb, room, 110, rec.tag) != -EFAULT) {
		pr_info("recordtest: a packet of too few bytes is copied\n");
		wrong++;
	}
	p.skb->len -= 10;
	p.skb->data_len -= 10;
	kfree_skb(p.skb);
}

static int check_layout(enum test_layout layout)
{
	u64 before = records, wrong_before = wrong;
	u32 i;
	int err = 0;

	for (i = 0; i <= 48 && !err; i++)
		err = check_len(layout, i);
	for (i = 0; i < ARRAY_SIZE(large) && !err; i++)
		err = check_len(layout, large[i]);
	pr_info("recordtest: %s: %llu records, %llu wrong\n", layouts[layout],
		records - before, wrong - wrong_before);
	return err;
}

static int __init recordtest_init(void)
{
	u32 layout;
	int err;

	want = vmalloc(ROOM);
	room = vmalloc(GUARD + ROOM + GUARD);
	err = want && room ? test_packets_init() : -ENOMEM;
	for (layout = 0; layout < NR_TEST_LAYOUTS && !err; layout++)
		err = check_layout(layout);
	if (!err)
		check_lies();
	test_packets_exit();
	vfree(want);
	vfree(room);
	if (!err && wrong)
		err = -EILSEQ;
	return err;
}

static void __exit recordtest_exit(void)
{
}

module_init(recordtest_init);
module_exit(recordtest_exit);
MODULE_DESCRIPTION("Records of constructed packets, for tests");
MODULE_LICENSE("GPL");
