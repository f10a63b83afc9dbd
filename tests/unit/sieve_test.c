// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's sieve: programs do what libpcap's bpf_filter() does with them, on
 * what the filter saw of a packet, and what is left of the records is what the
 * kernel would have written if it had run the filter.
 */
#define _GNU_SOURCE
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include "lib_source.h"
#include "lib_packets.h"
#include "merge_records.h"
#include "ptap.h"
#include "sieve.h"
#if LIB_SOURCE
#include "sieve.c"
#include "sieve_record.c"
#include "sieve_run.c"
#endif

#define PACKETS		2000U
#define ETHER_LEN	14U
#define TAG_BYTES	4U
#define SNAPLEN		262144
#define FRAME_MAX	(BPF_PACKET_MAX + 64)

struct frame {
	u8 data[FRAME_MAX];
	u32 len;
};

static struct frame bare[PACKETS], tagged[PACKETS], cooked[PACKETS];

/* A chain of headers, which random bytes are not. */
static void chain(struct bpf_packet *p)
{
	static const u8 following[] = { 0, 43, 60, 6, 17, 58, 59 };
	u32 at = 40, i;

	if (p->protocol != 0x86dd || p->len < 200 || rnd(2))
		return;
	p->data[6] = following[rnd(3)];
	for (i = rnd(5); i; i--) {
		p->data[at] = following[rnd(3)];
		p->data[at + 1] = rnd(3);
		at += 8 * (p->data[at + 1] + 1);
	}
	p->data[at] = following[rnd(7)];
	p->data[at + 1] = 0;
}

static void frames_create(void)
{
	struct bpf_packet p;
	u8 *d;
	u32 i;

	for (i = 0; i < PACKETS; i++) {
		packet_make(&p);
		chain(&p);
		d = bare[i].data;
		memcpy(d, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
		put_be16(d + 12, p.protocol);
		memcpy(d + ETHER_LEN, p.data, p.len);
		bare[i].len = ETHER_LEN + p.len;
		memcpy(tagged[i].data, d, 12);
		memcpy(tagged[i].data + 12, "\x81\0\x20\7", TAG_BYTES);
		memcpy(tagged[i].data + 16, d + 12, p.len + 2);
		tagged[i].len = bare[i].len + TAG_BYTES;
		cooked[i].len = bpf_packet_sll2(&p, cooked[i].data);
	}
}

static const char *const expressions[] = {
	"ip6 protochain 6", "ip6 protochain 17", "ip6 protochain 58",
	"ip protochain 17", "ip protochain 6", "not ip6 protochain 6",
	"ip6 protochain 6 or udp", "ip6 and not ip6 protochain 17",
	"tcp port 80", "udp and greater 100", "ip[2:2] = len - 14",
	"icmp[0] = 8", "ip[ip[0] & 0xf] = 0", "len / 10 = 9",
	"64 / ip[1] > 20", "ip[8] % 3 = 1", "ip[9] << 2 = 24", "not arp",
	"tcp[13] & 7 != 0", "portrange 1000-2000", "ip[6:2] ^ 7 > 9",
};

static void check_run(const struct bpf_program *prog, const struct frame *f,
		      const struct frame *same, u32 header)
{
	struct ptap_sieve_packet pkt = {
		.data = f->data, .caplen = f->len, .hole = 12,
		.len = same->len - header, .tag = f != same,
	};
	u32 got = ptap_sieve_run((struct sock_filter *)prog->bf_insns, &pkt);

	TAP_CHECK(got == bpf_filter(prog->bf_insns, same->data,
				    same->len - header, same->len));
}

static void check_expression(const char *text, int dlt)
{
	pcap_t *h = pcap_open_dead(dlt, SNAPLEN);
	struct bpf_program prog;
	u32 i, accepted = 0;

	if (TAP_CHECK(!pcap_compile(h, &prog, text, 1, 0))) {
		TAP_CHECK(!ptap_sieve_refuses((void *)prog.bf_insns,
					      prog.bf_len, false));
		for (i = 0; i < PACKETS; i++) {
			if (dlt == DLT_EN10MB) {
				check_run(&prog, &bare[i], &bare[i], 0);
				check_run(&prog, &tagged[i], &bare[i], 0);
				accepted += bpf_filter(prog.bf_insns,
						       bare[i].data,
						       bare[i].len,
						       bare[i].len) != 0;
			} else {
				check_run(&prog, &cooked[i], &cooked[i], 20);
			}
		}
		TAP_CHECK(dlt != DLT_EN10MB ||
			  (accepted && accepted < PACKETS));
		pcap_freecode(&prog);
	}
	if (tap_has_failed())
		tap_note("\"%s\", %s: %u accepted", text,
			 pcap_datalink_val_to_name(dlt), accepted);
	pcap_close(h);
}

static void test_run(void)
{
	u32 i;

	for (i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		check_expression(expressions[i], DLT_EN10MB);
		check_expression(expressions[i], DLT_LINUX_SLL2);
		if (tap_has_failed())
			return;
	}
	check_expression("link[11] = 6", DLT_LINUX_SLL2);
	check_expression("link[12:4] = 0x02000000 and tcp", DLT_LINUX_SLL2);
}

static u32 ask(u32 ancillary, bool tag)
{
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, SKF_AD_OFF + ancillary },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	const struct ptap_sieve_packet pkt = {
		.data = tagged[0].data, .caplen = 100, .hole = 12, .tag = tag,
		.pkttype = PACKET_OUTGOING, .ifindex = 77,
	};

	TAP_CHECK(!ptap_sieve_refuses(insns, 2, true));
	return ptap_sieve_run(insns, &pkt);
}

static void test_ancillary(void)
{
	struct sock_filter mark[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_MARK },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};

	TAP_CHECK(ask(SKF_AD_VLAN_TAG, true) == 0x2007);
	TAP_CHECK(ask(SKF_AD_VLAN_TAG, false) == 0);
	TAP_CHECK(ask(SKF_AD_VLAN_TAG_PRESENT, true) == 1);
	TAP_CHECK(ask(SKF_AD_VLAN_TAG_PRESENT, false) == 0);
	TAP_CHECK(ask(SKF_AD_PKTTYPE, false) == PACKET_OUTGOING);
	TAP_CHECK(ask(SKF_AD_IFINDEX, false) == 77);
	TAP_CHECK(ptap_sieve_refuses(mark, 2, true));
	mark[0].k = SKF_AD_OFF + SKF_AD_IFINDEX;
	TAP_CHECK(ptap_sieve_refuses(mark, 2, false));
	mark[0].code = BPF_LD | BPF_W | BPF_IND;
	TAP_CHECK(ptap_sieve_refuses(mark, 2, true));
}

/* Records ------------------------------------------------------------------ */

static bool give_iface(void *ctx, u32 id, struct ptap_iface_key *key)
{
	(void)ctx;
	*key = (struct ptap_iface_key){ .ifindex = id + 1, .linktype = 1 };
	return true;
}

/* A filter that accepts what begins with byte @first, for the next number. */
static void use_filter(struct ptap_sieve *s, u8 first)
{
	struct ptap_sieve_set set = { .nr = 1 };
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ, 0, 1, first },
		{ BPF_RET | BPF_K, 0, 0, SNAPLEN },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};

	set.progs[0] = (struct ptap_sieve_prog){
		.linktype = 1, .nr = 4, .insns = malloc(sizeof(insns)),
	};
	memcpy(set.progs[0].insns, insns, sizeof(insns));
	ptap_sieve_replace(s, &set);
}

static struct ptap_sieve sieve_make(u32 format, u32 snaplen)
{
	return (struct ptap_sieve){
		.format = format, .snaplen = snaplen, .iface = give_iface,
	};
}

static u32 marks(u32 nr, u32 len)
{
	return PTAP_MARK_SIEVE | PTAP_FILTER_SIEVE_NR(nr) | len;
}

/* A record of @caplen bytes @first; its length as it stands there. */
static u32 put_record(u8 *to, u32 format, u8 first, u32 caplen, u32 len)
{
	bool pcapng = format == PTAP_FORMAT_PCAPNG;
	u32 size = record_make(to, format, 1700000000123456789ULL, caplen);

	memset(to + (pcapng ? PTAP_EPB_HEAD_LEN : PTAP_PCAP_RECORD_LEN), first,
	       caplen);
	put_u32(to + (pcapng ? 24 : 12), len);
	return size;
}

static void check_cut(u32 format)
{
	static u8 in[4096], out[4096], want[4096];
	struct ptap_sieve s = sieve_make(format, 61);
	u32 size, len, wanted;

	use_filter(&s, 7);
	size = put_record(in, format, 7, 300, marks(1, 1000));
	wanted = put_record(want, format, 7, 61, 1000);
	/* What is padding in one record is the packet in the other. */
	if (format == PTAP_FORMAT_PCAPNG)
		memset(want + PTAP_EPB_HEAD_LEN + 61, 0, 3);
	memset(out, 0xee, sizeof(out));
	TAP_CHECK(!ptap_sieve_record(&s, in, size, out, &len));
	TAP_CHECK(len == wanted && !memcmp(out, want, len) && out[len] == 0xee);
	size = put_record(in, format, 8, 300, marks(1, 300));
	TAP_CHECK(!ptap_sieve_record(&s, in, size, out, &len) && !len);
	TAP_CHECK(s.sieved == 1);
	/* Of a filter without a sieve. */
	size = put_record(in, format, 8, 30, 300);
	memset(in + size, 0, 4);
	TAP_CHECK(!ptap_sieve_record(&s, in, size, out, &len));
	TAP_CHECK(len == size && s.sieved == 1);
	ptap_sieve_free(&s);
}

static void test_cut(void)
{
	check_cut(PTAP_FORMAT_PCAPNG);
	check_cut(PTAP_FORMAT_PCAP_NSEC);
	check_cut(PTAP_FORMAT_PCAP_USEC);
}

static u32 put_option(u8 *to, u16 code, u64 value, u16 len)
{
	u16 head[2] = { code, len };

	memcpy(to, head, sizeof(head));
	memcpy(to + 4, &value, len);
	return 4 + len;
}

/* A block with options; 0 leaves out what is lost. */
static u32 put_epb(u8 *to, u8 first, u32 iface, u64 lost, u64 id, u32 len)
{
	u32 at = put_record(to, PTAP_FORMAT_PCAPNG, first, 40, len) - 4;

	at += put_option(to + at, 2, 2, 4);
	if (lost)
		at += put_option(to + at, 4, lost, 8);
	at += put_option(to + at, 5, id, 8);
	at += put_option(to + at, 0, 0, 0);
	put_u32(to + 8, iface);
	put_u32(to + 4, at + 4);
	put_u32(to + at, at + 4);
	return at + 4;
}

static void sift_epb(struct ptap_sieve *s, u8 first, u32 iface, u64 lost,
		     u64 id, u64 want_lost, u64 want_id)
{
	static u8 in[256], out[256 + PTAP_SIEVE_MORE], want[256];
	u32 size = put_epb(in, first, iface, lost, id, marks(s->nr, 40));
	u32 wanted = put_epb(want, first, iface, want_lost, want_id, 40), len;

	TAP_CHECK(!ptap_sieve_record(s, in, size, out, &len));
	if (!want_id)
		TAP_CHECK(!len);
	else if (!TAP_CHECK(len == wanted && !memcmp(out, want, len)))
		tap_note("%u bytes, not %u", len, wanted);
}

/* Numbers leave nothing out, and losses are told by whoever is next. */
static void test_options(void)
{
	struct ptap_sieve s = sieve_make(PTAP_FORMAT_PCAPNG, SNAPLEN);
	u64 cpu = (u64)3 << 48;

	use_filter(&s, 7);
	sift_epb(&s, 7, 0, 0, 1, 0, 1);
	sift_epb(&s, 8, 0, 5, 2, 0, 0);
	sift_epb(&s, 8, 0, 0, 3, 0, 0);
	sift_epb(&s, 8, 0, 2, cpu | 1, 0, 0);
	/* Another interface, and another CPU. */
	sift_epb(&s, 7, 1, 0, 4, 0, 2);
	sift_epb(&s, 7, 0, 0, cpu | 2, 2, cpu | 1);
	sift_epb(&s, 7, 0, 4, 5, 9, 3);
	sift_epb(&s, 7, 0, 0, 6, 0, 4);
	sift_epb(&s, 8, 1, 3, 7, 0, 0);
	sift_epb(&s, 7, 1, 0, 8, 3, 5);
	TAP_CHECK(ptap_sieve_of_ring(&s, 0) == 3 &&
		  ptap_sieve_of_ring(&s, 3) == 1 &&
		  ptap_sieve_of_ring(&s, 4) == 0 &&
		  ptap_sieve_of_ring(&s, PTAP_RING_ALL) == 4);
	TAP_CHECK(s.sieved == 4 && ptap_sieve_of_iface(&s, 0) == 3 &&
		  ptap_sieve_of_iface(&s, 1) == 1 &&
		  ptap_sieve_of_iface(&s, 2) == 0);
	ptap_sieve_free(&s);
}

static void test_spans(void)
{
	struct ptap_sieve s = sieve_make(PTAP_FORMAT_PCAP_NSEC, SNAPLEN);
	static u8 one[4096], two[4096];
	struct iovec iov[3];
	struct ptap_spans spans = { .iov = iov, .nr = 3, .nr_headers = 1 };
	u32 len = 0, i;

	use_filter(&s, 7);
	use_filter(&s, 8);
	/* Each by the filter that its mark names. */
	for (i = 0; i < 10; i++)
		len += put_record(one + len, s.format, 7, 20 + i,
				  marks(1 + i % 2, 99));
	iov[0] = (struct iovec){ "header", 6 };
	iov[1] = (struct iovec){ one, len };
	iov[2] = (struct iovec){ two, put_record(two, s.format, 8, 5,
						 marks(2, 5)) };
	spans.header_bytes = 6;
	spans.bytes = 6 + len + iov[2].iov_len;
	spans.records = 11;
	TAP_CHECK(!ptap_sieve_spans(&s, &spans));
	TAP_CHECK(spans.nr == 2 && spans.nr_headers == 1 &&
		  spans.records == 6 && s.sieved == 5 &&
		  !memcmp(spans.iov[0].iov_base, "header", 6));
	TAP_CHECK(spans.iov[1].iov_len == 5 * 16 + 20 + 22 + 24 + 26 + 28 +
		  16 + 5 && spans.bytes == 6 + spans.iov[1].iov_len);
	/* Nothing is left. */
	put_record(two, s.format, 7, 5, marks(2, 5));
	spans = (struct ptap_spans){
		.iov = iov + 2, .nr = 1, .bytes = iov[2].iov_len, .records = 1,
	};
	TAP_CHECK(!ptap_sieve_spans(&s, &spans));
	TAP_CHECK(!spans.nr && !spans.bytes && !spans.records);
	/* As many filters as there are numbers, and some more. */
	for (i = 0; i < 2 * PTAP_SIEVES; i++)
		use_filter(&s, i);
	TAP_CHECK(ptap_sieve_next(&s) == 3);
	put_record(two, s.format, 7, 5, marks(2, 5));
	two[8] = 0xff;	/* longer than what is there */
	spans = (struct ptap_spans){
		.iov = iov + 2, .nr = 1, .bytes = iov[2].iov_len, .records = 1,
	};
	TAP_CHECK(ptap_sieve_spans(&s, &spans) < 0);
	ptap_sieve_free(&s);
}

static const void *of_ring_2;

static u32 ring_of(void *ctx, const void *memory)
{
	(void)ctx;
	return memory == of_ring_2 ? 2 : 5;
}

/* Of which ring what is refused was, is known by the memory it is in. */
static void check_rings(u32 format)
{
	struct ptap_sieve s = sieve_make(format, SNAPLEN);
	static u8 one[256], two[512];
	struct iovec iov[2] = { { one, 0 }, { two, 0 } };
	struct ptap_spans spans;
	unsigned int pass;
	u32 i;

	use_filter(&s, 7);
	iov[0].iov_len = put_record(one, format, 8, 20, marks(1, 20));
	for (i = 0; i < 3; i++)
		iov[1].iov_len += put_record(two + iov[1].iov_len, format,
					     7 + i, 20, marks(1, 20));
	for (pass = 0; pass < 2; pass++) {
		spans = (struct ptap_spans){
			.iov = iov, .nr = 2, .records = 4,
			.bytes = iov[0].iov_len + iov[1].iov_len,
		};
		TAP_CHECK(!ptap_sieve_spans(&s, &spans) && spans.records == 1);
		/* The first time it is a stream, whose rings are not known. */
		s.ring_of = ring_of;
		of_ring_2 = two;
	}
	TAP_CHECK(ptap_sieve_of_ring(&s, PTAP_RING_ALL) == 6);
	TAP_CHECK(ptap_sieve_of_ring(&s, 2) == 2);
	TAP_CHECK(ptap_sieve_of_ring(&s, 5) == 1);
	TAP_CHECK(ptap_sieve_of_ring(&s, 0) == 0);
	ptap_sieve_free(&s);
}

static void test_rings(void)
{
	check_rings(PTAP_FORMAT_PCAP_USEC);
	check_rings(PTAP_FORMAT_PCAPNG);
}

static const struct tap_test tests[] = {
	{ "programs, as libpcap runs them", test_run },
	{ "what the kernel knows of a packet", test_ancillary },
	{ "records are cut, or go", test_cut },
	{ "numbers and losses", test_options },
	{ "spans", test_spans },
	{ "rings", test_rings },
};

int main(void)
{
	frames_create();
	return TAP_RUN(tests);
}
