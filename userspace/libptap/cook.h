/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cook.h - filter programs for packets whose file has a cooked header.
 *
 * libpcap compiles for the bytes of the file: LINUX_SLL2's header of 20 bytes,
 * or LINUX_SLL's of 16, and the packet behind it.  In the kernel there is no
 * such header; the program runs on the packet (PTAP_FILTER_COOKED) and asks for
 * the header's fields as ancillary data.  Needs no device; tests may feed it
 * any program.
 */
#ifndef PTAP_COOK_H
#define PTAP_COOK_H

#include <linux/filter.h>
#include <stdbool.h>
#include "atomics.h"

/**
 * struct ptap_cook - a program and its translation
 * @in: compiled by libpcap for DLT_LINUX_SLL2, or DLT_LINUX_SLL
 * @first: it is the latter, the first version of the header
 * @nr_in: its instructions
 * @header_len: bytes that the cooked header adds to a packet's length, 0 if the
 *	file does not have it
 * @out: room for @max_out instructions
 * @max_out: see @out
 * @nr_out: out: instructions in @out
 * @why: out: on failure, what the kernel cannot do
 */
struct ptap_cook {
	const struct sock_filter *in;
	u32 nr_in;
	bool first;
	u32 header_len;
	struct sock_filter *out;
	u32 max_out;
	u32 nr_out;
	char why[128];
};

int ptap_cook_program(struct ptap_cook *k);

#endif /* PTAP_COOK_H */
