// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Filter programs translated by libptap's cook.c: for the bare packet they say
 * what libpcap's program says for the same packet in a file with a LINUX_SLL2
 * header, or they are refused, with a reason.
 *
 * Expressions are compiled by libpcap, with and without its optimizer, and run
 * by its bpf_filter(); random programs are made here.  The translations are run
 * by lib_bpf.h, and shown to the kernel's checker through SO_ATTACH_FILTER.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pcap/pcap.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_packets.h"
#include "cook.h"
#if LIB_SOURCE
#include "cook.c"
#endif

#define PACKETS		3000U
#define INSNS_MAX	4096U
#define SNAPLEN		262144

static struct bpf_packet packets[PACKETS];
static u8 files[PACKETS][BPF_SLL2_LEN + BPF_PACKET_MAX];
static struct sock_filter cooked[INSNS_MAX];

static void packets_create(void)
{
	u32 i;

	for (i = 0; i < PACKETS; i++) {
		packet_make(&packets[i]);
		bpf_packet_sll2(&packets[i], files[i]);
	}
}

static struct ptap_cook cook_of(const struct bpf_insn *in, u32 nr,
				u32 header_len)
{
	/* Both structures have the members of classic BPF and no other. */
	_Static_assert(sizeof(*in) == sizeof(struct sock_filter), "layout");
	struct ptap_cook k = {
		.in = (const struct sock_filter *)in, .nr_in = nr,
		.header_len = header_len, .out = cooked, .max_out = INSNS_MAX,
	};

	memset(cooked, 0xff, sizeof(cooked));
	memset(k.why, 'x', sizeof(k.why));
	return k;
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
static bool kernel_takes(const struct ptap_cook *k)
{
	struct sock_fprog prog = { .len = k->nr_out, .filter = k->out };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	ret = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	if (ret)
		tap_note("the kernel says %s", strerror(errno));
	close(fd);
	return !ret;
}

/* The program for the file and its translation, on packet @i. */
static bool same(const struct bpf_insn *in, const struct ptap_cook *k, u32 i,
		 u32 *verdict)
{
	u32 len = packets[i].len;

	*verdict = bpf_filter(in, files[i], len + k->header_len,
			      len + BPF_SLL2_LEN);
	return bpf_run(k->out, k->nr_out, &packets[i]) == *verdict;
}

/* Returns how many packets it accepts. */
static u32 check_all(const struct bpf_insn *in, const struct ptap_cook *k)
{
	u32 i, verdict, accepted = 0;

	for (i = 0; i < PACKETS && !tap_has_failed(); i++) {
		if (!TAP_CHECK(same(in, k, i, &verdict)))
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
	"len - 20 = ip[2:2]", "ip[2:2] = len - 20", "len - 60 > ip6[4:2]",
	"ip[len - 90] > 20", "tcp[len - 90] < 128", "len = len",
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

static void check_expression(const char *text, int optimize, u32 header_len)
{
	struct bpf_program prog;
	struct ptap_cook k;
	u32 accepted;

	if (!TAP_CHECK(compile(text, optimize, &prog)))
		return;
	k = cook_of(prog.bf_insns, prog.bf_len, header_len);
	if (TAP_CHECK(ptap_cook_program(&k) == 0)) {
		TAP_CHECK(!k.why[0] && kernel_takes(&k));
		accepted = check_all(prog.bf_insns, &k);
		/* Or the packets say nothing about the expression. */
		if (header_len == BPF_SLL2_LEN)
			TAP_CHECK(accepted && (accepted < PACKETS ||
					       !strcmp(text, "len = len")));
	}
	pcap_freecode(&prog);
	if (tap_has_failed())
		tap_note("\"%s\", optimize %d, header %u: %s", text, optimize,
			 header_len, k.why);
}

static void check_expressions(u32 header_len)
{
	u32 i;

	for (i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		check_expression(expressions[i], 1, header_len);
		/* Without the optimizer these are loads behind X = 0. */
		if (strncmp(expressions[i], "link[", 5) &&
		    strncmp(expressions[i], "ether[", 6))
			check_expression(expressions[i], 0, header_len);
		if (tap_has_failed())
			return;
	}
}

static void test_sll2(void)
{
	check_expressions(BPF_SLL2_LEN);
}

static void test_sll(void)
{
	check_expressions(16);
}

static void test_no_header(void)
{
	check_expressions(0);
}

/* Jumps have 8 bits; where the length is asked for in between, they grow. */
static void test_long(void)
{
	char text[4096] = "host 10.0.0.1 or (len < 80 and tcp)";
	u32 i, len = strlen(text);
	struct bpf_program prog;
	struct ptap_cook k;
	int err;

	for (i = 0; i < 60 && !tap_has_failed(); i++) {
		len += snprintf(text + len, sizeof(text) - len,
				" or (port %u and len > %u)", 1000 + 10 * i,
				80 + i);
		if (!TAP_CHECK(compile(text, 1, &prog)))
			return;
		k = cook_of(prog.bf_insns, prog.bf_len, BPF_SLL2_LEN);
		err = ptap_cook_program(&k);
		if (err)
			TAP_CHECK(i > 4 && err == -EOPNOTSUPP &&
				  strstr(k.why, "jumps too far"));
		else if (TAP_CHECK(kernel_takes(&k)))
			check_all(prog.bf_insns, &k);
		pcap_freecode(&prog);
		if (err)
			break;
	}
	tap_note("translated with up to %u terms", i);
}

static void test_refused(void)
{
	static const char *const texts[] = {
		"link[2:2] = 0", "link[11] = 6", "link[12] = 0", "link[0] = 8",
		"link[1] = 6", "link[0:4] = 0", "link[4] = 0", "link[4:2] = 0",
		"link[6:2] = 2", "link[8] = 0", "link[8:4] = 0", "link[9] = 1",
		"link[10:2] = 6", "link[12:4] = 0", "link[19] = 0",
		"link[18:4] = 0", "link[19:2] = 0x45", "link[ip[0]] = 1",
		"tcp or (ip6 and link[11] = 6)",
	};
	struct bpf_program prog;
	struct ptap_cook k;
	u32 i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!TAP_CHECK(compile(texts[i], 1, &prog)))
			continue;
		k = cook_of(prog.bf_insns, prog.bf_len, BPF_SLL2_LEN);
		TAP_CHECK(ptap_cook_program(&k) == -EOPNOTSUPP);
		if (!TAP_CHECK(strstr(k.why, "cooked header")))
			tap_note("\"%s\": %s", texts[i], k.why);
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

static void check_first(const char *text, bool refused)
{
	pcap_t *h = pcap_open_dead(DLT_LINUX_SLL, SNAPLEN);
	static u8 file[16 + BPF_PACKET_MAX];
	struct bpf_program prog;
	u32 i, len, verdict;
	struct ptap_cook k;

	if (!TAP_CHECK(!pcap_compile(h, &prog, text, 1, PCAP_NETMASK_UNKNOWN)))
		return pcap_close(h);
	k = cook_of(prog.bf_insns, prog.bf_len, sizeof(file) - BPF_PACKET_MAX);
	k.first = true;
	if (!TAP_CHECK(ptap_cook_program(&k) == (refused ? -EOPNOTSUPP : 0)))
		tap_note("\"%s\": %s", text, k.why);
	for (i = 0; !refused && i < PACKETS && !tap_has_failed(); i++) {
		len = first_file(&packets[i], file);
		verdict = bpf_filter(prog.bf_insns, file, len, len);
		if (!TAP_CHECK(bpf_run(k.out, k.nr_out, &packets[i]) ==
			       verdict))
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
		check_first(texts[i], false);
	check_first("link[4:2] = 6", true);
	check_first("link[6] = 2", true);
	check_first("link[0:4] = 4", true);
}

/* Programs made by hand ---------------------------------------------------- */

static void check_cook(const struct bpf_insn *in, u32 nr, u32 header_len,
		       int want)
{
	struct ptap_cook k = cook_of(in, nr, header_len);
	int err = ptap_cook_program(&k);

	if (!TAP_CHECK(err == want))
		tap_note("%d instead of %d: %s", err, want, k.why);
	TAP_CHECK((err == -EOPNOTSUPP) == !!k.why[0]);
	TAP_CHECK(memchr(k.why, '\0', sizeof(k.why)));
	if (!err && TAP_CHECK(kernel_takes(&k)))
		check_all(in, &k);
}

/* A jump over @nr loads of the length, by @op. */
static void jump_over(u16 op, u32 nr, u32 header_len, int want)
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
	check_cook(in, n, header_len, want);
}

static void test_jumps(void)
{
	static const struct bpf_insn beyond[][2] = {
		{ BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
	};
	struct bpf_program prog;
	u32 i;

	jump_over(BPF_JEQ, 127, BPF_SLL2_LEN, 0);
	jump_over(BPF_JEQ, 128, BPF_SLL2_LEN, -EOPNOTSUPP);
	jump_over(BPF_JEQ, 255, 0, 0);
	jump_over(BPF_JA, 500, BPF_SLL2_LEN, 0);
	for (i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
		check_cook(beyond[i], 2, BPF_SLL2_LEN, -EINVAL);
	/* A loop, which is checked for before; it is not mistranslated. */
	if (TAP_CHECK(compile("ip protochain 6", 1, &prog))) {
		check_cook(prog.bf_insns, prog.bf_len, BPF_SLL2_LEN, -EINVAL);
		pcap_freecode(&prog);
	}
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
	struct ptap_cook k = cook_of(len, 2, BPF_SLL2_LEN);

	check_cook(x_len, 3, 0, 0);
	check_cook(x_len, 3, BPF_SLL2_LEN, -EOPNOTSUPP);
	check_cook(len, 2, 0, 0);
	check_cook(len, 2, BPF_SLL2_LEN, 0);
	k.max_out = 2;
	TAP_CHECK(ptap_cook_program(&k) == -EOPNOTSUPP && k.why[0]);
	k.max_out = 3;
	TAP_CHECK(ptap_cook_program(&k) == 0 && k.nr_out == 3);
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
	static struct bpf_insn in[400];
	u64 total = 20000 * tap_seconds(), i, refused = 0;
	struct ptap_cook k;
	u32 n, j, verdict;
	int err;

	for (i = 0; i < total && !tap_has_failed(); i++) {
		n = random_program(in);
		k = cook_of(in, n, rnd(2) ? BPF_SLL2_LEN : rnd(17));
		err = ptap_cook_program(&k);
		refused += err != 0;
		if (err) {
			TAP_CHECK(err == -EOPNOTSUPP &&
				  strstr(k.why, "too far"));
			continue;
		}
		for (j = 0; j < 10; j++)
			TAP_CHECK(same(in, &k, rnd(PACKETS), &verdict));
	}
	tap_note("%llu programs, %llu refused", (unsigned long long)i,
		 (unsigned long long)refused);
}

static const struct tap_test tests[] = {
	{ "expressions, file with LINUX_SLL2", test_sll2 },
	{ "expressions, file with LINUX_SLL", test_sll },
	{ "expressions, file without a cooked header", test_no_header },
	{ "a long expression", test_long },
	{ "fields that only the file has are refused", test_refused },
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
