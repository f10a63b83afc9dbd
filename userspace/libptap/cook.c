// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cook.c - from a program for a cooked header's bytes to one without it.
 *
 * Loads of the header's fields become loads of ancillary data, loads of the
 * packet move to the front by the header's length, and the packet's length gets
 * the header added, which takes an instruction more, so that jumps are set
 * anew.  Everything else means the same in both places.
 *
 * The headers: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the tcpdump
 * group's list of link types.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "cook.h"

#define PTAP_SLL_LEN	16U
#define PTAP_SLL2_LEN	20U
/* From here on a position does not mean the packet's bytes. */
#define PTAP_ANCILLARY	((u32)SKF_LL_OFF)

struct ptap_cook_field {
	u32 off;
	u32 size;
	u32 ancillary;
};

static const struct ptap_cook_field ptap_cook_sll_fields[] = {
	{ 0, BPF_H, SKF_AD_PKTTYPE },
	{ 2, BPF_H, SKF_AD_HATYPE },
	{ 14, BPF_H, SKF_AD_PROTOCOL },
	{ }
};

static const struct ptap_cook_field ptap_cook_sll2_fields[] = {
	{ 0, BPF_H, SKF_AD_PROTOCOL },
	{ 4, BPF_W, SKF_AD_IFINDEX },
	{ 8, BPF_H, SKF_AD_HATYPE },
	{ 10, BPF_B, SKF_AD_PKTTYPE },
	{ }
};

/* Bytes of the header that the program was compiled for. */
static u32 ptap_cook_len(const struct ptap_cook *k)
{
	return k->first ? PTAP_SLL_LEN : PTAP_SLL2_LEN;
}

static int ptap_cook_fail(struct ptap_cook *k, const char *what, u32 where)
{
	snprintf(k->why, sizeof(k->why), what, where);
	return -EOPNOTSUPP;
}

static int ptap_cook_abs(struct ptap_cook *k, struct sock_filter *f)
{
	const struct ptap_cook_field *field = k->first ? ptap_cook_sll_fields :
							 ptap_cook_sll2_fields;

	if (f->k >= PTAP_ANCILLARY)
		return 0;
	if (f->k >= ptap_cook_len(k)) {
		f->k -= ptap_cook_len(k);
		return 0;
	}
	for (; field->ancillary || field->size; field++) {
		if (field->off == f->k && field->size == BPF_SIZE(f->code)) {
			f->code = BPF_LD | BPF_W | BPF_ABS;
			f->k = SKF_AD_OFF + field->ancillary;
			return 0;
		}
	}
	return ptap_cook_fail(k,
			      "it looks at byte %u of the cooked header, which only exists in the file",
			      f->k);
}

/* Loads at X + k and of an IP header's length: k stands behind the header. */
static int ptap_cook_indexed(struct ptap_cook *k, struct sock_filter *f)
{
	if (f->k >= PTAP_ANCILLARY)
		return 0;
	if (f->k < ptap_cook_len(k))
		return ptap_cook_fail(k,
				      "it indexes the cooked header (from byte %u), which only exists in the file",
				      f->k);
	f->k -= ptap_cook_len(k);
	return 0;
}

static bool ptap_cook_is_len(const struct sock_filter *f)
{
	return f->code == (BPF_LD | BPF_W | BPF_LEN);
}

/* An instruction in its new form, but for jumps and the length. */
static int ptap_cook_one(struct ptap_cook *k, struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		if (BPF_MODE(f->code) == BPF_ABS)
			return ptap_cook_abs(k, f);
		if (BPF_MODE(f->code) == BPF_IND)
			return ptap_cook_indexed(k, f);
		return 0;
	case BPF_LDX:
		if (BPF_MODE(f->code) == BPF_MSH)
			return ptap_cook_indexed(k, f);
		if (BPF_MODE(f->code) == BPF_LEN && k->header_len)
			return ptap_cook_fail(k,
					      "it computes with the packet's length in a way that cannot be translated (%u)",
					      k->header_len);
		return 0;
	default:
		return 0;
	}
}

/* @map: new place of each instruction.  Jumps only ever go forward. */
static int ptap_cook_jumps(struct ptap_cook *k, u32 i, const u32 *map,
			   struct sock_filter *f)
{
	u32 next = i + 1, here = map[i] + 1;
	u32 to, jt, jf;

	if (BPF_CLASS(f->code) != BPF_JMP)
		return 0;
	if (BPF_OP(f->code) == BPF_JA) {
		to = next + f->k;
		if (f->k >= k->nr_in || to >= k->nr_in)
			return -EINVAL;
		f->k = map[to] - here;
		return 0;
	}
	if (next + f->jt >= k->nr_in || next + f->jf >= k->nr_in)
		return -EINVAL;
	jt = map[next + f->jt] - here;
	jf = map[next + f->jf] - here;
	if (jt > UINT8_MAX || jf > UINT8_MAX)
		return ptap_cook_fail(k,
				      "it is too long (instruction %u jumps too far)",
				      i);
	f->jt = jt;
	f->jf = jf;
	return 0;
}

static int ptap_cook_emit(struct ptap_cook *k, const u32 *map)
{
	struct sock_filter f;
	int err;
	u32 i;

	for (i = 0; i < k->nr_in; i++) {
		f = k->in[i];
		err = ptap_cook_one(k, &f);
		if (!err)
			err = ptap_cook_jumps(k, i, map, &f);
		if (err)
			return err;
		k->out[map[i]] = f;
		if (ptap_cook_is_len(&f) && k->header_len)
			k->out[map[i] + 1] = (struct sock_filter){
				.code = BPF_ALU | BPF_ADD | BPF_K,
				.k = k->header_len,
			};
	}
	return 0;
}

/**
 * ptap_cook_program - translate a program
 * @k: @in, @nr_in, @header_len, @out and @max_out are set
 *
 * Return: 0; -EOPNOTSUPP, with the reason in @k->why, if the program looks at
 * what there is only in the file; -EINVAL if it is no program; -ENOMEM.
 */
int ptap_cook_program(struct ptap_cook *k)
{
	u32 *map = calloc(k->nr_in + 1, sizeof(*map));
	u32 i, at = 0;
	int err;

	k->why[0] = '\0';
	if (!map)
		return -ENOMEM;
	for (i = 0; i < k->nr_in; i++) {
		map[i] = at++;
		if (ptap_cook_is_len(&k->in[i]) && k->header_len)
			at++;
	}
	k->nr_out = at;
	if (at > k->max_out)
		err = ptap_cook_fail(k, "it is longer than the %u instructions that the kernel takes",
				     k->max_out);
	else
		err = ptap_cook_emit(k, map);
	free(map);
	return err;
}
