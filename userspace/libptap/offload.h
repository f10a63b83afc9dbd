/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * offload.h - from a filter program for the file's packets to the kernel's.
 *
 * libpcap compiles for the bytes of the file: those may begin with a cooked
 * header, LINUX_SLL2's of 20 bytes or LINUX_SLL's of 16, that the packet in the
 * kernel does not have; and programs may have loops, and be of any length.  The
 * kernel's program does the same where the kernel can, and accepts the packet
 * where it cannot, for the reader to judge (sieve.h).  Needs no device; tests
 * may feed it any program.
 */
#ifndef PTAP_OFFLOAD_H
#define PTAP_OFFLOAD_H

#include <linux/filter.h>
#include <stdbool.h>
#include "atomics.h"

#define PTAP_SLL_LEN	16U
#define PTAP_SLL2_LEN	20U

/**
 * struct ptap_offload - a program and the kernel's part of it
 * @in: compiled by libpcap
 * @nr_in: its instructions
 * @header: bytes of the cooked header that it was compiled for, or 0
 * @out: room for @max_out instructions, at least 2
 * @max_out: see @out
 * @nr_out: out: instructions in @out
 * @whole: out: @out decides as @in does; otherwise it accepts more
 * @why: out: what the kernel cannot do, if not @whole
 */
struct ptap_offload {
	const struct sock_filter *in;
	u32 nr_in;
	u32 header;
	struct sock_filter *out;
	u32 max_out;
	u32 nr_out;
	bool whole;
	char why[128];
};

int ptap_offload_program(struct ptap_offload *o);

#endif /* PTAP_OFFLOAD_H */
