// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * offload.c - the kernel's part of a filter program.
 *
 * Loads of a cooked header's fields become loads of ancillary data, and loads
 * of the packet move to the front by the header's length.  The packet's length
 * is without the header in both, as tcpdump has it in a live capture.
 *
 * What the kernel cannot do becomes a jump to an instruction that accepts:
 * jumps back, loads of what only the file's header has, everything behind the
 * longest program.  A packet whose way through the program leads past these is
 * judged as it was; any other is accepted.
 *
 * The headers: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the tcpdump
 * group's list of link types.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>
#include "offload.h"

/* From here on a position does not mean the packet's bytes. */
#define PTAP_ANCILLARY	((u32)SKF_LL_OFF)

struct ptap_cooked_field {
	u32 off;
	u32 size;
	u32 ancillary;
};

static const struct ptap_cooked_field ptap_sll_fields[] = {
	{ 0, BPF_H, SKF_AD_PKTTYPE },
	{ 2, BPF_H, SKF_AD_HATYPE },
	{ 14, BPF_H, SKF_AD_PROTOCOL },
	{ }
};

static const struct ptap_cooked_field ptap_sll2_fields[] = {
	{ 0, BPF_H, SKF_AD_PROTOCOL },
	{ 4, BPF_W, SKF_AD_IFINDEX },
	{ 8, BPF_H, SKF_AD_HATYPE },
	{ 10, BPF_B, SKF_AD_PKTTYPE },
	{ }
};

/* The first reason is the one that is told. */
static bool ptap_offload_cannot(struct ptap_offload *o, const char *fmt, u32 nr)
{
	if (!o->why[0])
		snprintf(o->why, sizeof(o->why), fmt, nr);
	return false;
}

static bool ptap_offload_abs(struct ptap_offload *o, struct sock_filter *f)
{
	const struct ptap_cooked_field *field = o->header == PTAP_SLL_LEN ?
						ptap_sll_fields :
						ptap_sll2_fields;

	if (f->k >= PTAP_ANCILLARY)
		return true;
	if (f->k >= o->header) {
		f->k -= o->header;
		return true;
	}
	for (; field->ancillary || field->size; field++) {
		if (field->off == f->k && field->size == BPF_SIZE(f->code)) {
			f->code = BPF_LD | BPF_W | BPF_ABS;
			f->k = SKF_AD_OFF + field->ancillary;
			return true;
		}
	}
	return ptap_offload_cannot(o,
				   "it looks at byte %u of the cooked header, which only the file has",
				   f->k);
}

/* Loads at X + k and of an IP header's length: k stands behind the header. */
static bool ptap_offload_indexed(struct ptap_offload *o, struct sock_filter *f)
{
	if (f->k >= PTAP_ANCILLARY)
		return true;
	if (f->k < o->header)
		return ptap_offload_cannot(o,
					   "it indexes the cooked header from byte %u, which only the file has",
					   f->k);
	f->k -= o->header;
	return true;
}

/* The kernel's form of an instruction, if there is one. */
static bool ptap_offload_one(struct ptap_offload *o, struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		if (BPF_MODE(f->code) == BPF_ABS)
			return ptap_offload_abs(o, f);
		return BPF_MODE(f->code) != BPF_IND ||
		       ptap_offload_indexed(o, f);
	case BPF_LDX:
		return BPF_MODE(f->code) != BPF_MSH ||
		       ptap_offload_indexed(o, f);
	case BPF_JMP:
		/* Only "protochain" has them. */
		return BPF_OP(f->code) != BPF_JA || (int32_t)f->k >= 0 ||
		       ptap_offload_cannot(o,
					   "\"protochain\" needs a loop, which the kernel does not run",
					   0);
	default:
		return true;
	}
}

/* Does it jump to an instruction of the program, if at all? */
static bool ptap_offload_stays(const struct ptap_offload *o, u32 i)
{
	const struct sock_filter *f = &o->in[i];
	s64 to = (s64)i + 1;

	if (BPF_CLASS(f->code) == BPF_RET)
		return true;
	if (BPF_CLASS(f->code) != BPF_JMP)
		return to < o->nr_in;
	if (BPF_OP(f->code) == BPF_JA)
		return to + (int32_t)f->k >= 0 && to + (int32_t)f->k < o->nr_in;
	return to + f->jt < o->nr_in && to + f->jf < o->nr_in;
}

/* Where a jump leads behind the last instruction there is, to that one. */
static void ptap_offload_clamp(struct sock_filter *f, u32 i, u32 last)
{
	u32 most = last - i - 1;

	if (BPF_CLASS(f->code) != BPF_JMP)
		return;
	if (BPF_OP(f->code) == BPF_JA) {
		if (f->k > most)
			f->k = most;
		return;
	}
	if (f->jt > most)
		f->jt = most;
	if (f->jf > most)
		f->jf = most;
}

/*
 * Of a sent packet with a VLAN tag in its bytes, the kernel has the tag's type;
 * the cooked header may have the one behind the tag, with which the record goes
 * on.  It is the file's that counts: such packets are accepted.
 */
static u32 ptap_offload_tagged(struct ptap_offload *o)
{
	static const struct sock_filter tagged[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 SKF_AD_OFF + SKF_AD_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	u32 nr = sizeof(tagged) / sizeof(*tagged);

	if (!o->header || o->max_out <= nr)
		return 0;
	memcpy(o->out, tagged, sizeof(tagged));
	return nr;
}

/* The first instructions, as far as there is room, and one that accepts. */
static void ptap_offload_part(struct ptap_offload *o)
{
	u32 first = ptap_offload_tagged(o), last = o->max_out - first - 1;
	struct sock_filter f;
	u32 i;

	/* No room to look for tags: all is accepted. */
	if (o->header && !first)
		last = 0;
	if (last > o->nr_in)
		last = o->nr_in;
	for (i = 0; i < last; i++) {
		f = o->in[i];
		if (!ptap_offload_one(o, &f))
			f = (struct sock_filter){
				.code = BPF_JMP | BPF_JA, .k = last - i - 1,
			};
		ptap_offload_clamp(&f, i, last);
		o->out[first + i] = f;
	}
	o->out[first + last] = (struct sock_filter){
		.code = BPF_RET | BPF_K, .k = UINT32_MAX,
	};
	o->nr_out = first + last + 1;
}

/**
 * ptap_offload_program - make the kernel's program
 * @o: @in, @nr_in, @header, @out and @max_out are set
 *
 * Return: 0, or -EINVAL if it is no program.
 */
int ptap_offload_program(struct ptap_offload *o)
{
	struct sock_filter f;
	u32 i;

	o->why[0] = '\0';
	o->whole = o->nr_in <= o->max_out;
	o->nr_out = o->nr_in;
	for (i = 0; i < o->nr_in; i++) {
		if (!ptap_offload_stays(o, i))
			return -EINVAL;
		f = o->in[i];
		o->whole = ptap_offload_one(o, &f) && o->whole;
		if (o->whole)
			o->out[i] = f;
	}
	if (o->whole)
		return o->nr_in ? 0 : -EINVAL;
	if (o->nr_in > o->max_out)
		ptap_offload_cannot(o,
				    "its program has %u instructions, more than the kernel takes",
				    o->nr_in);
	ptap_offload_part(o);
	return 0;
}
