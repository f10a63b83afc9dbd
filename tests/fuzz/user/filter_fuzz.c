// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Filters: any program, and any text that libpcap takes.  The kernel's part of
 * it (libptap's offload.c) is a program that libpcap's own checker takes.  The
 * reader's part (sieve_run.c) stays within the packet, and says of text what
 * libpcap's own machine does.
 */
#include <pcap/pcap.h>
#include "offload.h"
#include "sieve.h"
#include "target.h"

#define INSNS_MAX	4096

/* Backwards, a program of random bytes may run for ever. */
static int forwards(const struct sock_filter *in, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (in[i].code == (BPF_JMP | BPF_JA) && in[i].k >= nr)
			return 0;
	return 1;
}

/*
 * What libpcap's own machine does otherwise: it shifts by 32 bits and more, and
 * it does not have what "inbound" asks the kernel for.
 */
static int libpcap_differs(const struct sock_filter *in, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if ((BPF_CLASS(in[i].code) == BPF_ALU &&
		     (BPF_OP(in[i].code) == BPF_LSH ||
		      BPF_OP(in[i].code) == BPF_RSH)) ||
		    (BPF_CLASS(in[i].code) == BPF_LD &&
		     in[i].k >= (uint32_t)SKF_AD_OFF))
			return 1;
	return 0;
}

static int offloaded(const struct sock_filter *in, uint32_t nr,
		     unsigned char how)
{
	static struct sock_filter out[INSNS_MAX];
	struct ptap_offload o = {
		.in = in, .nr_in = nr, .out = out,
		.header = how & 2 ? how & 1 ? PTAP_SLL_LEN : PTAP_SLL2_LEN : 0,
		.max_out = how & 4 ? 2 + nr / 2 : INSNS_MAX,
	};

	if (ptap_offload_program(&o))
		return 0;
	MUST(memchr(o.why, 0, sizeof(o.why)));
	MUST(o.nr_out && o.nr_out <= o.max_out);
	MUST(o.whole == !o.why[0]);
	MUST(bpf_validate((struct bpf_insn *)out, o.nr_out));
	return 1;
}

/* On a packet of its own size, so that what is behind its end is told of. */
static uint32_t sieved(const struct sock_filter *in, uint32_t nr,
		       const unsigned char *data, uint32_t len, int tag)
{
	unsigned char *copy = malloc(len);
	struct ptap_sieve_packet pkt = {
		.data = copy, .caplen = len, .len = len, .hole = 12,
		.tag = tag && len >= 16, .pkttype = 4, .ifindex = 3,
	};
	uint32_t verdict = 0;

	memcpy(copy, data, len);
	if (!ptap_sieve_refuses(in, nr, true))
		verdict = ptap_sieve_run(in, &pkt);
	free(copy);
	return verdict;
}

static void text(const char *filter, unsigned char how,
		 const unsigned char *data, size_t len)
{
	pcap_t *h = pcap_open_dead(how & 1 ? DLT_LINUX_SLL :
				   how & 2 ? DLT_LINUX_SLL2 : DLT_EN10MB,
				   262144);
	const struct sock_filter *in;
	struct bpf_program prog;
	uint32_t verdict;

	if (!pcap_compile(h, &prog, filter, how & 16, PCAP_NETMASK_UNKNOWN)) {
		in = (const struct sock_filter *)prog.bf_insns;
		MUST(offloaded(in, prog.bf_len, how));
		verdict = sieved(in, prog.bf_len, data, len, 0);
		if (!libpcap_differs(in, prog.bf_len))
			MUST(verdict == bpf_filter(prog.bf_insns, data, len,
						   len));
		pcap_freecode(&prog);
	}
	pcap_close(h);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static struct sock_filter in[INSNS_MAX];
	size_t nr = len / sizeof(in[0]);
	char *filter;

	if (!len)
		return 0;
	if (data[0] & 8) {
		nr = nr > INSNS_MAX ? INSNS_MAX : nr;
		memcpy(in, data, nr * sizeof(in[0]));
		/* Only what is a program is ever looked at. */
		if (nr && bpf_validate((struct bpf_insn *)in, nr) &&
		    offloaded(in, nr, data[0]) && forwards(in, nr))
			sieved(in, nr, data, len, data[0] & 16);
		return 0;
	}
	filter = strndup((const char *)data + 1, len - 1);
	text(filter, data[0], data, len);
	free(filter);
	return 0;
}
