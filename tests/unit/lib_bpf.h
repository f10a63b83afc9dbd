/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets with what a LINUX_SLL2 header tells of them, and classic BPF run on
 * the bare packet as the kernel runs it: the header's fields are ancillary
 * data, a load behind the end rejects the packet, as does a division by 0.
 *
 * Written from the kernel's networking/filter documentation, for the tests of
 * offload.c; it knows the ancillary data that that uses and no other.
 */
#ifndef PTAP_UNIT_LIB_BPF_H
#define PTAP_UNIT_LIB_BPF_H

#include <linux/filter.h>
#include "atomics.h"
#include "tap.h"

#define BPF_SLL2_LEN	20U
#define BPF_PACKET_MAX	256U

struct bpf_packet {
	u16 protocol;
	u32 ifindex;
	u16 hatype;
	u8 pkttype;
	u32 len;
	u8 data[BPF_PACKET_MAX];
};

struct bpf_machine {
	const struct bpf_packet *pkt;
	u32 a;
	u32 x;
	u32 mem[BPF_MEMWORDS];
};

/* The packet as it stands in a file: returns its length. */
static inline u32 bpf_packet_sll2(const struct bpf_packet *p, u8 *to)
{
	u8 h[BPF_SLL2_LEN] = {
		p->protocol >> 8, p->protocol, 0, 0, p->ifindex >> 24,
		p->ifindex >> 16, p->ifindex >> 8, p->ifindex, p->hatype >> 8,
		p->hatype, p->pkttype, 6, 2, 0, 0, 0, 0, 1,
	};

	memcpy(to, h, sizeof(h));
	memcpy(to + sizeof(h), p->data, p->len);
	return sizeof(h) + p->len;
}

/* False: there is nothing at @off. */
static inline bool bpf_load(struct bpf_machine *m, u16 code, u32 off, u32 *to)
{
	const struct bpf_packet *p = m->pkt;
	u32 size = 1, i, v = 0;

	if (BPF_SIZE(code) != BPF_B)
		size = BPF_SIZE(code) == BPF_H ? 2 : 4;
	if ((u64)off + size > p->len)
		return false;
	for (i = 0; i < size; i++)
		v = v << 8 | p->data[off + i];
	*to = v;
	return true;
}

static inline bool bpf_load_abs(struct bpf_machine *m,
				const struct sock_filter *f)
{
	switch (f->k) {
	case (u32)(SKF_AD_OFF + SKF_AD_PROTOCOL):
		m->a = m->pkt->protocol;
		return true;
	case (u32)(SKF_AD_OFF + SKF_AD_IFINDEX):
		m->a = m->pkt->ifindex;
		return true;
	case (u32)(SKF_AD_OFF + SKF_AD_HATYPE):
		m->a = m->pkt->hatype;
		return true;
	case (u32)(SKF_AD_OFF + SKF_AD_PKTTYPE):
		m->a = m->pkt->pkttype;
		return true;
	}
	TAP_CHECK(f->k < 0x80000000);
	return bpf_load(m, f->code, f->k, &m->a);
}

static inline bool bpf_ld(struct bpf_machine *m, const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		m->a = f->k;
		return true;
	case BPF_MEM:
		m->a = m->mem[f->k];
		return true;
	case BPF_LEN:
		m->a = m->pkt->len;
		return true;
	case BPF_ABS:
		return bpf_load_abs(m, f);
	case BPF_IND:
		return bpf_load(m, f->code, m->x + f->k, &m->a);
	}
	return TAP_CHECK(!"a load that there is");
}

static inline bool bpf_ldx(struct bpf_machine *m, const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		m->x = f->k;
		return true;
	case BPF_MEM:
		m->x = m->mem[f->k];
		return true;
	case BPF_LEN:
		m->x = m->pkt->len;
		return true;
	case BPF_MSH:
		if (!bpf_load(m, BPF_B, f->k, &m->x))
			return false;
		m->x = (m->x & 15) * 4;
		return true;
	}
	return TAP_CHECK(!"a load that there is");
}

static inline bool bpf_alu(struct bpf_machine *m, const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	u16 op = BPF_OP(f->code);

	if ((op == BPF_DIV || op == BPF_MOD) && !v)
		return false;
	switch (op) {
	case BPF_ADD: m->a += v; return true;
	case BPF_SUB: m->a -= v; return true;
	case BPF_MUL: m->a *= v; return true;
	case BPF_DIV: m->a /= v; return true;
	case BPF_MOD: m->a %= v; return true;
	case BPF_OR: m->a |= v; return true;
	case BPF_AND: m->a &= v; return true;
	case BPF_XOR: m->a ^= v; return true;
	case BPF_LSH: m->a <<= v & 31; return true;
	case BPF_RSH: m->a >>= v & 31; return true;
	case BPF_NEG: m->a = -m->a; return true;
	}
	return TAP_CHECK(!"an operation that there is");
}

/* By how much the program goes on. */
static inline u32 bpf_jump(const struct bpf_machine *m,
			   const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		return m->a == v ? f->jt : f->jf;
	case BPF_JGT:
		return m->a > v ? f->jt : f->jf;
	case BPF_JGE:
		return m->a >= v ? f->jt : f->jf;
	case BPF_JSET:
		return m->a & v ? f->jt : f->jf;
	}
	TAP_CHECK(!"a jump that there is");
	return 0;
}

/* What the program returns for the bare packet. */
static inline u32 bpf_run(const struct sock_filter *insns, u32 nr,
			  const struct bpf_packet *pkt)
{
	struct bpf_machine m = { .pkt = pkt };
	const struct sock_filter *f;
	bool good = true;
	u32 i;

	for (i = 0; good && i < nr; i++) {
		f = &insns[i];
		switch (BPF_CLASS(f->code)) {
		case BPF_LD: good = bpf_ld(&m, f); break;
		case BPF_LDX: good = bpf_ldx(&m, f); break;
		case BPF_ST: m.mem[f->k] = m.a; break;
		case BPF_STX: m.mem[f->k] = m.x; break;
		case BPF_ALU: good = bpf_alu(&m, f); break;
		case BPF_JMP: i += bpf_jump(&m, f); break;
		case BPF_RET: return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
		}
	}
	/* A program ends with a return. */
	TAP_CHECK(!good || i < nr);
	return 0;
}

#endif /* PTAP_UNIT_LIB_BPF_H */
