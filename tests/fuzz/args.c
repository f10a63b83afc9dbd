// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Arguments of ioctl(), made after <linux/ptap.h>: mostly such that the call
 * gets far, with a value that is just out of range here and there, and with
 * pointers that lead nowhere, to the end of memory, or into a ring.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <string.h>
#include "fuzz.h"

#define PAGE	4096U

/* One of what is good; seldom what is interesting, or anything. */
uint32_t arg_u32(struct rng *r, const uint32_t *good, uint32_t nr)
{
	static const uint32_t odd[] = {
		0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 63, 64, 255, 256, 1023,
		1024, 1025, 4095, 4096, 4097, 65535, 65536, 262143, 262144,
		262145, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	if (!rng_once(r, 40))
		return good[rng_below(r, nr)];
	if (rng_once(r, 2))
		return odd[rng_below(r, ARRAY_SIZE(odd))];
	return rng_next(r);
}

#define ONE_OF(r, ...)							\
	arg_u32(r, (const uint32_t[]){ __VA_ARGS__ },			\
		sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

uint64_t arg_pointer(struct worker *w, struct rng *r, void *good)
{
	if (!rng_once(r, 30))
		return (uintptr_t)good;
	switch (rng_below(r, 5)) {
	case 0:
		return 0;
	case 1:	/* into a ring, perhaps */
		return (uintptr_t)ARENA + rng_below(r, CELLS * CELL);
	case 2:	/* half of it is there */
		return (uintptr_t)w->buf + BUF_SIZE - rng_below(r, 64);
	case 3:	/* the kernel's */
		return 0xffff800000000000ULL + rng_next(r) % (1ULL << 46);
	default:
		return rng_next(r);
	}
}

/* Somewhere for the argument to stand, mostly at the very end of memory. */
static void *arg_place(struct worker *w, struct rng *r, const void *arg,
		       uint32_t size)
{
	uint8_t *at = w->buf + BUF_SIZE - 2 * PAGE;

	if (!rng_once(r, 3))
		at = w->buf + BUF_SIZE - size;
	memcpy(at, arg, size);
	return (void *)(uintptr_t)arg_pointer(w, r, at);
}

/* The same, of a size that may be another version's, or none's. */
void *arg_sized(struct worker *w, struct rng *r, const void *arg,
		uint32_t size)
{
	uint8_t big[PAGE + 64] = { 0 };
	uint32_t said = size, there = size;

	memcpy(big, arg, size);
	if (rng_once(r, 8)) {
		said = ONE_OF(r, 0, 4, size - 8, size - 4, size - 1, size + 1,
			      size + 8, size + 64, PAGE, PAGE + 1);
		if (said > size && said <= PAGE)
			there = said;
		if (there > size && rng_once(r, 3))
			big[size + rng_below(r, there - size)] = 1;
	}
	memcpy(big, &said, sizeof(said));
	return arg_place(w, r, big, there);
}

void *arg_setup(struct worker *w, struct rng *r)
{
	uint32_t *list = (uint32_t *)w->buf, i;
	struct ptap_setup s = {
		.flags = ONE_OF(r, 0, PTAP_SETUP_COPYBREAK,
				PTAP_SETUP_COPYBREAK, PTAP_SETUP_PROMISC,
				PTAP_SETUP_CLOCK_TSC, 7),
		.format = ONE_OF(r, 0, 0, 1, 2),
		.snaplen = ONE_OF(r, 0, 0, 60, 300, 2000, 65535),
		.direction = ONE_OF(r, 0, 1, 2, 3),
		.copybreak = ONE_OF(r, 0, 0, 64, 2048),
		.watermark = ONE_OF(r, 0, 1, 1, 4096, 65536),
		.flush_us = ONE_OF(r, 0, 1, 100, 5000, 20000),
		.nr_ifaces = ONE_OF(r, 0, 0, 1, 1, 2, 3),
		.ring_size = ONE_OF(r, 65536, 65536, 65536, 1 << 20, 0),
		.ifaces = 0,
	};

	if (s.format)
		s.linktype = ONE_OF(r, PTAP_LINKTYPE_NATIVE,
				    PTAP_LINKTYPE_LINUX_SLL,
				    PTAP_LINKTYPE_LINUX_SLL2);
	else
		s.meta = ONE_OF(r, 0, 1, 0x3f, rng_below(r, 0x40));
	if (rng_once(r, 40))
		s.reserved = rng_next(r);
	if (rng_once(r, 40))
		s.ring_size = 1ULL << rng_below(r, 64);
	for (i = 0; i < 1100 && i < s.nr_ifaces; i++)
		list[i] = 1 + rng_below(r, rng_once(r, 8) ? 12 : 4);
	s.ifaces = arg_pointer(w, r, list);
	return arg_sized(w, r, &s, sizeof(s));
}

static uint32_t filter_insns(struct rng *r, struct sock_filter *f)
{
	static const struct sock_filter accept[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x88b5, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_B | BPF_IND,
		BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_MSH | BPF_B,
		BPF_ST, BPF_STX, BPF_LD | BPF_MEM, BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_NEG, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA,
		BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JA,
		BPF_LDX | BPF_W | BPF_IMM, BPF_ALU | BPF_LSH | BPF_K,
	};
	uint32_t i, nr = 1 + rng_below(r, rng_once(r, 20) ? BPF_MAXINSNS : 12);

	if (!rng_once(r, 3)) {
		memcpy(f, accept, sizeof(accept));
		f[2].k = ONE_OF(r, 0x40000, 0, 1, 60);
		return ARRAY_SIZE(accept);
	}
	for (i = 0; i < nr; i++)
		f[i] = (struct sock_filter){
			.code = rng_once(r, 30) ? rng_next(r) :
				codes[rng_below(r, ARRAY_SIZE(codes))],
			.jt = rng_once(r, 2) ? 0 : rng_below(r, 4),
			.jf = rng_once(r, 2) ? 0 : rng_below(r, 4),
			.k = rng_once(r, 2) ? rng_below(r, 16) :
			     rng_once(r, 2) ? SKF_AD_OFF + rng_below(r, 70) :
					      rng_next(r),
		};
	f[nr - 1] = (struct sock_filter)BPF_STMT(
		BPF_RET | (rng_once(r, 2) ? BPF_A : BPF_K), rng_next(r));
	return nr;
}

void *arg_filter(struct worker *w, struct rng *r)
{
	struct ptap_filter_prog *progs = (void *)(w->buf + 65536);
	struct sock_filter *insns = (void *)(w->buf + 131072);
	struct ptap_filter f = {
		.nr_progs = ONE_OF(r, 0, 1, 1, 1, 2, PTAP_FILTER_PROGS_MAX),
		.progs = arg_pointer(w, r, progs),
	};
	uint32_t i, nr = filter_insns(r, insns);

	for (i = 0; i < PTAP_FILTER_PROGS_MAX + 1; i++)
		progs[i] = (struct ptap_filter_prog){
			.linktype = ONE_OF(r, PTAP_LINKTYPE_ANY, 1, 101, 113),
			.flags = ONE_OF(r, 0, 0, 0, PTAP_FILTER_COOKED),
			.len = ONE_OF(r, nr, nr, nr, nr, 0, BPF_MAXINSNS + 1),
			.reserved = rng_once(r, 60) ? 1 : 0,
			.insns = arg_pointer(w, r, insns),
		};
	if (rng_once(r, 40))
		f.flags = rng_next(r);
	if (rng_once(r, 40))
		f.reserved = rng_next(r);
	return arg_sized(w, r, &f, sizeof(f));
}
