// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Filters for cooked headers (libptap's cook.c): any program, and any text that
 * libpcap takes.  What comes out is a program that libpcap's own checker takes.
 */
#include <pcap/pcap.h>
#include "cook.h"
#include "target.h"

#define INSNS_MAX	4096

static void cook(const struct sock_filter *in, uint32_t nr, unsigned char how)
{
	static struct sock_filter out[INSNS_MAX];
	struct ptap_cook k = {
		.in = in, .nr_in = nr, .first = how & 1,
		.header_len = how & 2 ? how & 1 ? 16 : 20 : 0,
		.out = out, .max_out = how & 4 ? nr : INSNS_MAX,
	};

	if (ptap_cook_program(&k)) {
		MUST(memchr(k.why, 0, sizeof(k.why)));
		return;
	}
	MUST(k.nr_out <= k.max_out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static struct sock_filter in[INSNS_MAX];
	struct bpf_program prog;
	size_t nr = len / sizeof(in[0]);
	pcap_t *h;
	char *text;
	int dlt;

	if (!len)
		return 0;
	if (data[0] & 8) {
		nr = nr > INSNS_MAX ? INSNS_MAX : nr;
		memcpy(in, data, nr * sizeof(in[0]));
		/* Only what is a program is ever cooked. */
		if (nr && bpf_validate((struct bpf_insn *)in, nr))
			cook(in, nr, data[0]);
		return 0;
	}
	dlt = data[0] & 1 ? DLT_LINUX_SLL : DLT_LINUX_SLL2;
	h = pcap_open_dead(dlt, 262144);
	text = strndup((const char *)data + 1, len - 1);
	if (!pcap_compile(h, &prog, text, data[0] & 16, PCAP_NETMASK_UNKNOWN)) {
		cook((struct sock_filter *)prog.bf_insns, prog.bf_len, data[0]);
		pcap_freecode(&prog);
	}
	free(text);
	pcap_close(h);
	return 0;
}
