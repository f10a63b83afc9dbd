// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sieve_run.c - classic BPF, as the kernel runs it, and with loops.
 *
 * libpcap's own bpf_filter() knows no ancillary data but the VLAN tag's, and
 * that not for others to call.  A load behind the end of the packet and a
 * division by 0 reject it.  A loop comes to an end because every round of
 * "protochain" moves forward by a header, and the packet ends.
 */
#include "sieve.h"

#define TAG_LEN		4U

/**
 * struct ptap_sieve_machine - a program being run
 * @pkt: on this packet
 * @len: bytes of it that there are, the tag not among them
 * @a: accumulator
 * @x: index
 * @mem: scratch memory
 */
struct ptap_sieve_machine {
	const struct ptap_sieve_packet *pkt;
	u32 len;
	u32 a;
	u32 x;
	u32 mem[BPF_MEMWORDS];
};

/* What the programs may ask for beside the packet. */
static bool ptap_ancillary(const struct ptap_sieve_packet *p, u32 k, u32 *to)
{
	const u8 *tag = p->tag ? p->data + p->hole : NULL;

	switch (k - (u32)SKF_AD_OFF) {
	case SKF_AD_VLAN_TAG_PRESENT:
		*to = p->tag;
		return true;
	case SKF_AD_VLAN_TAG:
		*to = tag ? tag[2] << 8 | tag[3] : 0;
		return true;
	case SKF_AD_PKTTYPE:
		*to = p->pkttype;
		return true;
	case SKF_AD_IFINDEX:
		*to = p->ifindex;
		return true;
	}
	return false;
}

/**
 * ptap_sieve_refuses - is there something in a program that only the kernel
 * knows?
 * @insns: program
 * @nr: its instructions
 * @ifindex: records tell their interface
 *
 * Return: what it is, or NULL.
 */
const char *ptap_sieve_refuses(const struct sock_filter *insns, u32 nr,
			       bool ifindex)
{
	const struct ptap_sieve_packet pkt = { 0 };
	const struct sock_filter *f;
	u32 v;

	for (f = insns; f < insns + nr; f++) {
		if (BPF_CLASS(f->code) != BPF_LD || f->k < (u32)SKF_LL_OFF ||
		    (BPF_MODE(f->code) != BPF_ABS &&
		     BPF_MODE(f->code) != BPF_IND))
			continue;
		if (f->k == (u32)SKF_AD_OFF + SKF_AD_IFINDEX && !ifindex)
			return "records of a pcap file do not tell their interface";
		if (BPF_MODE(f->code) != BPF_ABS ||
		    !ptap_ancillary(&pkt, f->k, &v))
			return "it looks at what only the kernel knows of a packet";
	}
	return NULL;
}

static bool ptap_bytes(const struct ptap_sieve_machine *m, u16 code, u64 off,
		       u32 *to)
{
	const struct ptap_sieve_packet *p = m->pkt;
	u32 size = 1;
	u32 v = 0;

	if (BPF_SIZE(code) != BPF_B)
		size = BPF_SIZE(code) == BPF_H ? 2 : 4;
	if (off + size > m->len)
		return false;
	for (; size; size--, off++)
		v = v << 8 | p->data[p->tag && off >= p->hole ? off + TAG_LEN :
							       off];
	*to = v;
	return true;
}

static bool ptap_run_ld(struct ptap_sieve_machine *m,
			const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		m->a = f->k;
		return true;
	case BPF_MEM:
		m->a = m->mem[f->k & (BPF_MEMWORDS - 1)];
		return true;
	case BPF_LEN:
		m->a = m->pkt->len;
		return true;
	case BPF_ABS:
		if (f->k >= (u32)SKF_LL_OFF)
			return ptap_ancillary(m->pkt, f->k, &m->a);
		return ptap_bytes(m, f->code, f->k, &m->a);
	case BPF_IND:
		return ptap_bytes(m, f->code, (u64)m->x + f->k, &m->a);
	}
	return false;
}

static bool ptap_run_ldx(struct ptap_sieve_machine *m,
			 const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		m->x = f->k;
		return true;
	case BPF_MEM:
		m->x = m->mem[f->k & (BPF_MEMWORDS - 1)];
		return true;
	case BPF_LEN:
		m->x = m->pkt->len;
		return true;
	case BPF_MSH:
		if (!ptap_bytes(m, BPF_B, f->k, &m->x))
			return false;
		m->x = (m->x & 0xf) << 2;
		return true;
	}
	return false;
}

static bool ptap_run_alu(struct ptap_sieve_machine *m,
			 const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += v;
		return true;
	case BPF_SUB:
		m->a -= v;
		return true;
	case BPF_MUL:
		m->a *= v;
		return true;
	case BPF_DIV:
		m->a = v ? m->a / v : 0;
		return v;
	case BPF_MOD:
		m->a = v ? m->a % v : 0;
		return v;
	case BPF_OR:
		m->a |= v;
		return true;
	case BPF_AND:
		m->a &= v;
		return true;
	case BPF_XOR:
		m->a ^= v;
		return true;
	case BPF_LSH:
		m->a <<= v & 31;
		return true;
	case BPF_RSH:
		m->a >>= v & 31;
		return true;
	case BPF_NEG:
		m->a = -m->a;
		return true;
	}
	return false;
}

/* By how much the program goes on, or back. */
static int32_t ptap_run_jump(const struct ptap_sieve_machine *m,
			     const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return m->a == v ? f->jt : f->jf;
	case BPF_JGT:
		return m->a > v ? f->jt : f->jf;
	case BPF_JGE:
		return m->a >= v ? f->jt : f->jf;
	case BPF_JSET:
		return m->a & v ? f->jt : f->jf;
	}
	return (int32_t)f->k;
}

/**
 * ptap_sieve_run - run a program
 * @insns: it; ptap_offload_program() has found its jumps to be good
 * @pkt: packet
 *
 * Return: the number of bytes that it wants, 0 for none.
 */
u32 ptap_sieve_run(const struct sock_filter *insns,
		   const struct ptap_sieve_packet *pkt)
{
	u32 without = pkt->tag ? TAG_LEN : 0;
	struct ptap_sieve_machine m = {
		.pkt = pkt,
		.len = pkt->caplen > without ? pkt->caplen - without : 0,
	};
	const struct sock_filter *f;
	bool good = true;

	for (f = insns; good; f++) {
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			good = ptap_run_ld(&m, f);
			break;
		case BPF_LDX:
			good = ptap_run_ldx(&m, f);
			break;
		case BPF_ST:
			m.mem[f->k & (BPF_MEMWORDS - 1)] = m.a;
			break;
		case BPF_STX:
			m.mem[f->k & (BPF_MEMWORDS - 1)] = m.x;
			break;
		case BPF_ALU:
			good = ptap_run_alu(&m, f);
			break;
		case BPF_JMP:
			f += ptap_run_jump(&m, f);
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		default:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
		}
	}
	return 0;
}
