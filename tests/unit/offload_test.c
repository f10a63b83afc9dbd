// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel's part of filter programs, made by libptap's offload.c: for the
 * bare packet it says what libpcap's program says for the same packet in a file
 * with a cooked header, or with none, or it accepts more, and says why.
 *
 * Expressions are compiled by libpcap, with and without its optimizer, and run
 * by its bpf_filter(); random programs are made here.  The kernel's parts are
 * run by lib_bpf.h, and shown to the kernel's checker through SO_ATTACH_FILTER.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pcap/pcap.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_packets.h"
#include "offload.h"
#if LIB_SOURCE
#include "offload.c"
#endif

#define PACKETS		3000U
#define INSNS_MAX	4096U
#define SNAPLEN		262144

static struct bpf_packet packets[PACKETS];
static u8 files[PACKETS][BPF_SLL2_LEN + BPF_PACKET_MAX];
static struct sock_filter out[INSNS_MAX];

static void packets_create(void)
{
	u32 i;

	for (i = 0; i < PACKETS; i++) {
		packet_make(&packets[i]);
		bpf_packet_sll2(&packets[i], files[i]);
	}
}

static struct ptap_offload offload_of(const struct bpf_insn *in, u32 nr)
{
	/* Both structures have the members of classic BPF and no other. */
	_Static_assert(sizeof(*in) == sizeof(struct sock_filter), "layout");
	struct ptap_offload o = {
		.in = (const struct sock_filter *)in, .nr_in = nr,
		.header = BPF_SLL2_LEN, .out = out, .max_out = INSNS_MAX,
	};

	memset(out, 0xff, sizeof(out));
	memset(o.why, 'x', sizeof(o.why));
	return o;
}

static bool compile(const char *text, int optimize, struct bpf_program *prog)
{
	pcap_t *h = pcap_open_dead(DLT_LINUX_SLL2, SNAPLEN);
	bool good;

	good = !pcap_compile(h, prog, text, optimize, PCAP_NETMASK_UNKNOWN);
	if (!good)
		tap_note("\"%s\": %s", text, pcap_geterr(h));
	pcap_close(h);
	return good;
}

/* Does the kernel take it? */
static bool kernel_takes(const struct ptap_offload *o)
{
	struct sock_fprog prog = { .len = o->nr_out, .filter = o->out };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	ret = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	/* A long one is more than a socket may have, after the checks. */
	if (ret && errno == ENOMEM)
		ret = 0;
	if (ret)
		tap_note("the kernel says %s", strerror(errno));
	close(fd);
	return !ret;
}

/*
 * The program for the file, on packet @i, and the kernel's part, which accepts
 * what the former does.  The length is the packet's in both.
 */
static bool agree(const struct bpf_insn *in, const struct ptap_offload *o,
		  u32 i, u32 *verdict)
{
	u32 len = packets[i].len, got = bpf_run(o->out, o->nr_out, &packets[i]);

	*verdict = bpf_filter(in, files[i], len, len + BPF_SLL2_LEN);
	return got == *verdict || (!o->whole && got);
}

/* Returns how many packets it accepts. */
static u32 check_all(const struct bpf_insn *in, const struct ptap_offload *o)
{
	u32 i, verdict, accepted = 0;

	for (i = 0; i < PACKETS && !tap_has_failed(); i++) {
		if (!TAP_CHECK(agree(in, o, i, &verdict)))
			tap_note("packet %u, verdict %u", i, verdict);
		accepted += verdict != 0;
	}
	return accepted;
}

/* Expressions -------------------------------------------------------------- */

static const char *const expressions[] = {
	"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp",
	"tcp port 80", "udp port 53", "tcp dst port 443", "src port 22",
	"portrange 1000-2000", "udp portrange 1400-1999",
	"host 10.0.0.1", "src host 10.0.0.2", "arp host 10.0.0.3",
	"net 10.0.0.0/24", "dst net 224.0.0.0/4", "net 2001:db8::/32",
	"ip6 host fe02::1 or ip6 net fe80::/16", "ip multicast",
	"ip6 multicast", "ip proto 17", "ip6 proto 58", "ip6 proto 0",
	"greater 100", "less 100", "udp and greater 100", "len > 93",
	"len = 92", "len >= 90 and len < 110 and ip", "len & 1 = 0",
	"len = ip[2:2]", "ip[2:2] = len", "len - 40 > ip6[4:2]",
	"ip[len - 70] > 20", "tcp[len - 70] < 128", "len = len",
	"len * 2 > 180 and len + ip[8] < 160", "len / 10 = 9",
	"icmp[0] = 8", "icmp[icmptype] = icmp-echoreply", "icmp6[0] = 128",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] = 16",
	"udp[4:2] > 40", "ip[6:2] & 0x1fff != 0", "ip[0] & 0xf > 5",
	"ip[12:4] = ip[16:4]", "ip[ip[0] & 0xf] = 0", "ip[9] << 2 = 24",
	"ip[8] % 3 = 1", "64 / ip[1] > 20", "ip6[6] = 17", "ip6[39] = 1",
	"not tcp", "not ip and not ip6", "tcp or udp", "ip and not tcp",
	"tcp and not port 80", "not (ip or arp)",
	"(tcp or udp) and host 10.0.0.1 and not outbound",
	"inbound", "outbound", "ifindex 2", "ifindex 2 and tcp",
	"not ifindex 3", "ifindex 305419897 or ifindex 305419898",
	"ether proto 0x88cc", "ether proto \\arp", "pppoes", "pppoed",
	"link[0:2] = 0x86dd", "link[8:2] = 772", "link[10] = 4",
	"link[4:4] < 3", "ether[0:2] = 0x806", "link[20] = 0x45",
	"link[22:2] < 80", "inbound and ip and len < 100 and portrange 53-80",
};

static void check_expression(const char *text, int optimize)
{
	struct bpf_program prog;
	struct ptap_offload o;
	u32 accepted;

	if (!TAP_CHECK(compile(text, optimize, &prog)))
		return;
	o = offload_of(prog.bf_insns, prog.bf_len);
	if (TAP_CHECK(!ptap_offload_program(&o) && o.whole)) {
		TAP_CHECK(!o.why[0] && kernel_takes(&o));
		accepted = check_all(prog.bf_insns, &o);
		/* Or the packets say nothing about the expression. */
		TAP_CHECK(accepted && (accepted < PACKETS ||
				       !strcmp(text, "len = len")));
	}
	pcap_freecode(&prog);
	if (tap_has_failed())
		tap_note("\"%s\", optimize %d: %s", text, optimize, o.why);
}

static void test_sll2(void)
{
	u32 i;

	for (i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		check_expression(expressions[i], 1);
		/* Without the optimizer these are loads behind X = 0. */
		if (strncmp(expressions[i], "link[", 5) &&
		    strncmp(expressions[i], "ether[", 6))
			check_expression(expressions[i], 0);
		if (tap_has_failed())
			return;
	}
}

/* Accepted by the kernel's part, and how many of these by the whole. */
static void check_part(const char *text, const char *why, u32 max_out)
{
	u32 i, verdict, more = 0, accepted = 0;
	struct bpf_program prog;
	struct ptap_offload o;

	if (!TAP_CHECK(compile(text, 1, &prog)))
		return;
	o = offload_of(prog.bf_insns, prog.bf_len);
	o.max_out = max_out;
	TAP_CHECK(!ptap_offload_program(&o) && !o.whole && o.nr_out <= max_out);
	TAP_CHECK(kernel_takes(&o));
	for (i = 0; i < PACKETS && !tap_has_failed(); i++) {
		TAP_CHECK(agree(prog.bf_insns, &o, i, &verdict));
		accepted += verdict != 0;
		more += bpf_run(o.out, o.nr_out, &packets[i]) != 0;
	}
	TAP_CHECK(more >= accepted && more < PACKETS);
	if (!TAP_CHECK(strstr(o.why, why)) || tap_has_failed())
		tap_note("\"%.80s\": %s", text, o.why);
	pcap_freecode(&prog);
}

/* The kernel's part of what is too long: all that comes first. */
static void test_long(void)
{
	static char text[65536] = "udp and (port 53";
	u32 i, len = strlen(text);

	for (i = 0; i < 2300; i++)
		len += snprintf(text + len, sizeof(text) - len,
				" or ip[%u:2] = %u", i % 20, 60000 + i);
	snprintf(text + len, sizeof(text) - len, ")");
	check_part(text, "more than the kernel takes", INSNS_MAX);
	check_part("tcp port 80 or udp port 53", "more than", 12);
}

static void test_part(void)
{
	static const char *const texts[] = {
		"link[2:2] = 0", "link[11] = 6", "link[12] = 0", "link[0] = 8",
		"link[1] = 6", "link[0:4] = 0", "link[4] = 0", "link[4:2] = 0",
		"link[6:2] = 2", "link[8] = 0", "link[8:4] = 0", "link[9] = 1",
		"link[10:2] = 6", "link[12:4] = 0", "link[19] = 0",
		"link[18:4] = 0", "link[19:2] = 0x45", "link[ip[0]] = 1",
		"(ip6 and link[11] = 6)",
	};
	char text[80];
	u32 i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		snprintf(text, sizeof(text), "not arp and %s", texts[i]);
		check_part(text, "cooked header", INSNS_MAX);
	}
	check_part("ip protochain 6", "\"protochain\" needs a loop", INSNS_MAX);
	check_part("ip6 protochain 6", "\"protochain\" needs a loop", INSNS_MAX);
	check_part("ip protochain 17 and inbound", "a loop", INSNS_MAX);
}

/* The file's header may have another type than the kernel: the file decides. */
static void test_tagged(void)
{
	static const char *const texts[] = {
		"ip protochain 6", "ip6 protochain 17 and inbound",
		"not arp and link[2:2] = 0",
	};
	struct bpf_packet packet = packets[0];
	struct bpf_program prog;
	struct ptap_offload o;
	u32 i, max_out;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!TAP_CHECK(compile(texts[i], 1, &prog)))
			return;
		for (max_out = 2; max_out < 12; max_out++) {
			o = offload_of(prog.bf_insns, prog.bf_len);
			o.max_out = max_out;
			TAP_CHECK(!ptap_offload_program(&o));
			TAP_CHECK(kernel_takes(&o));
			packet.protocol = 0x8100;
			TAP_CHECK(bpf_run(o.out, o.nr_out, &packet));
			packet.protocol = 0x88a8;
			TAP_CHECK(bpf_run(o.out, o.nr_out, &packet));
		}
		pcap_freecode(&prog);
	}
}

/* Where a program is compiled for Ethernet, libpcap refuses by itself. */
static void test_not_compiled(void)
{
	static const char *const texts[] = {
		"vlan", "mpls", "ether host 00:00:00:00:00:01", "broadcast",
	};
	struct bpf_program prog;
	u32 i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		TAP_CHECK(!compile(texts[i], 1, &prog));
}

/* The first version of the header, for which libpcap compiles differently. */
static u32 first_file(const struct bpf_packet *p, u8 *to)
{
	u8 h[16] = {
		0, p->pkttype, p->hatype >> 8, p->hatype, 0, 6, 2, 0, 0, 0, 0,
		1, 0, 0, p->protocol >> 8, p->protocol,
	};

	memcpy(to, h, sizeof(h));
	memcpy(to + sizeof(h), p->data, p->len);
	return sizeof(h) + p->len;
}

static void check_first(const char *text, bool whole)
{
	pcap_t *h = pcap_open_dead(DLT_LINUX_SLL, SNAPLEN);
	static u8 file[16 + BPF_PACKET_MAX];
	struct bpf_program prog;
	struct ptap_offload o;
	u32 i, len, verdict, got;

	if (!TAP_CHECK(!pcap_compile(h, &prog, text, 1, PCAP_NETMASK_UNKNOWN)))
		return pcap_close(h);
	o = offload_of(prog.bf_insns, prog.bf_len);
	o.header = sizeof(file) - BPF_PACKET_MAX;
	if (!TAP_CHECK(!ptap_offload_program(&o) && o.whole == whole))
		tap_note("\"%s\": %s", text, o.why);
	for (i = 0; i < PACKETS && !tap_has_failed(); i++) {
		len = first_file(&packets[i], file);
		verdict = bpf_filter(prog.bf_insns, file, packets[i].len, len);
		got = bpf_run(o.out, o.nr_out, &packets[i]);
		if (!TAP_CHECK(got == verdict || (got && !whole)))
			tap_note("\"%s\", packet %u", text, i);
	}
	pcap_freecode(&prog);
	pcap_close(h);
}

static void test_first(void)
{
	static const char *const texts[] = {
		"ip", "ip6", "arp", "tcp port 80", "host 10.0.0.1",
		"udp and greater 100", "len = 92", "ip proto 17",
		"ip6 proto 58", "icmp[0] = 8", "inbound", "outbound and tcp",
		"ether proto 0x88cc", "link[0:2] = 4", "link[2:2] = 772",
		"link[14:2] = 0x86dd", "link[16] = 0x45", "link[18:2] < 80",
		"tcp[13] = 16 and not port 80",
	};
	u32 i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		check_first(texts[i], true);
	check_first("link[4:2] = 6", false);
	check_first("link[6] = 2", false);
	check_first("link[0:4] = 4", false);
}

/* Programs made by hand ---------------------------------------------------- */

static void check_program(const struct bpf_insn *in, u32 nr, int want)
{
	struct ptap_offload o = offload_of(in, nr);
	int err = ptap_offload_program(&o);

	if (!TAP_CHECK(err == want))
		tap_note("%d instead of %d: %s", err, want, o.why);
	TAP_CHECK(memchr(o.why, '\0', sizeof(o.why)));
	if (!err && TAP_CHECK(o.whole && !o.why[0] && kernel_takes(&o)))
		check_all(in, &o);
}

/* A jump over @nr loads of the length, by @op. */
static void jump_over(u16 op, u32 nr)
{
	static struct bpf_insn in[600];
	u32 i, n = 0;

	in[n++] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0);
	if (op == BPF_JA)
		in[n++] = (struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, nr);
	else
		in[n++] = (struct bpf_insn)BPF_JUMP(BPF_JMP | BPF_JEQ, 0x0800,
						    nr, 0);
	for (i = 0; i < nr; i++)
		in[n++] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_LEN, 0);
	in[n++] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_A, 0);
	check_program(in, n, 0);
}

static void test_jumps(void)
{
	static const struct bpf_insn beyond[][2] = {
		{ BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 0xfffffffe),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_IMM, 1),
		  BPF_STMT(BPF_LD | BPF_IMM, 1) },
	};
	u32 i;

	jump_over(BPF_JEQ, 255);
	jump_over(BPF_JA, 500);
	for (i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
		check_program(beyond[i], 2, -EINVAL);
	check_program(beyond[0], 0, -EINVAL);
}

static void test_length(void)
{
	static const struct bpf_insn x_len[] = {
		BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	static const struct bpf_insn len[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	check_program(x_len, 3, 0);
	check_program(len, 2, 0);
}

/* Random programs ---------------------------------------------------------- */

static struct bpf_insn random_load(void)
{
	static const struct bpf_insn fields[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 10),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 1),
	};
	static const u16 sizes[] = { BPF_B, BPF_H, BPF_W };
	u32 n = sizeof(fields) / sizeof(*fields);
	u32 what = rnd(2 * n);

	if (what < n)
		return fields[what];
	return (struct bpf_insn)BPF_STMT(BPF_LD | BPF_ABS | sizes[rnd(3)],
					 BPF_SLL2_LEN + rnd(60));
}

static struct bpf_insn random_insn(u32 left)
{
	static const u16 ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR };
	static const u16 jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	u32 far = left < 250 ? left : 250;

	switch (rnd(9)) {
	case 0:
		return (struct bpf_insn)BPF_STMT(BPF_ALU | BPF_K | ops[rnd(5)],
						 rnd(100));
	case 1:
		return (struct bpf_insn)BPF_STMT(BPF_ALU | BPF_X | ops[rnd(5)],
						 0);
	case 2:
		return (struct bpf_insn)BPF_STMT(BPF_MISC |
						 (rnd(2) ? BPF_TAX : BPF_TXA),
						 0);
	case 3:
		return (struct bpf_insn)BPF_STMT(BPF_ST, 1);
	case 4:
		return (struct bpf_insn)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH,
						 BPF_SLL2_LEN + rnd(20));
	case 5:
		return (struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, rnd(far));
	case 6:
		return (struct bpf_insn)BPF_JUMP(BPF_JMP | jumps[rnd(4)],
						 rnd(120), rnd(far), rnd(far));
	default:
		return random_load();
	}
}

/* M[1] is set first; what stands behind an index is small. */
static u32 random_program(struct bpf_insn *in)
{
	u32 n = 0, nr = 6 + rnd(rnd(4) ? 40 : 300);

	in[n++] = random_load();
	if (in[0].code == (BPF_LD | BPF_MEM))
		in[0] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_IMM, 7);
	in[n++] = (struct bpf_insn)BPF_STMT(BPF_ST, 1);
	while (n < nr - 1) {
		in[n] = random_insn(nr - n - 1);
		n++;
	}
	/* A load behind X, from which no jump keeps away what makes X small. */
	if (rnd(2)) {
		in[n++] = (struct bpf_insn)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH,
						    BPF_SLL2_LEN);
		in[n++] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_B | BPF_IND,
						    BPF_SLL2_LEN + rnd(20));
	}
	in[n++] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_A, 0);
	return n;
}

static void test_random(void)
{
	u64 total = 20000 * tap_seconds(), i, parts = 0;
	static struct bpf_insn in[400];
	struct ptap_offload o;
	u32 n, j, verdict;

	for (i = 0; i < total && !tap_has_failed(); i++) {
		n = random_program(in);
		o = offload_of(in, n);
		if (rnd(2))
			o.max_out = 2 + rnd(n);
		if (!TAP_CHECK(!ptap_offload_program(&o)))
			break;
		TAP_CHECK(o.whole == (n <= o.max_out) &&
			  o.nr_out <= o.max_out);
		parts += !o.whole;
		for (j = 0; j < 10; j++)
			TAP_CHECK(agree(in, &o, rnd(PACKETS), &verdict));
		TAP_CHECK(i % 100 || kernel_takes(&o));
	}
	tap_note("%llu programs, %llu not whole", (unsigned long long)i,
		 (unsigned long long)parts);
}

static const struct tap_test tests[] = {
	{ "expressions, file with LINUX_SLL2", test_sll2 },
	{ "a part of a long expression", test_long },
	{ "a part of what the kernel cannot run", test_part },
	{ "a part, and tags in a packet's bytes", test_tagged },
	{ "expressions that libpcap refuses", test_not_compiled },
	{ "expressions for LINUX_SLL", test_first },
	{ "jumps", test_jumps },
	{ "the length", test_length },
	{ "random programs", test_random },
};

int main(void)
{
	packets_create();
	return TAP_RUN(tests);
}
