/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every bound of the module, with its arithmetic.
 */
#ifndef PTAP_LIMITS_H
#define PTAP_LIMITS_H

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/ptap.h>

/*
 * What a record needs beside the packet's bytes: 28 bytes before and 4 bytes
 * behind, 3 bytes of padding, and 56 bytes of options: epb_flags and epb_queue
 * 8 each, epb_dropcount, epb_packetid and epb_hash 12 each, their end 4.
 */
#define PTAP_EPB_OPTIONS_MAX	(2 * 8 + 3 * 12 + 4)
#define PTAP_RECORD_OVERHEAD	(28 + 4 + 3 + PTAP_EPB_OPTIONS_MAX)

/*
 * A ring: a power of two, so that a position is masked into it; mapped twice in
 * a row, so at most 1 GiB keeps a ring's mapping within 32 bits of pages on
 * every architecture; the smallest has room for a few dozen full frames.
 */
#define PTAP_RING_SIZE_MIN	SZ_64K
#define PTAP_RING_SIZE_MAX	SZ_1G
#define PTAP_RING_SIZE_DEFAULT	SZ_4M	/* stays in a last-level cache */

/*
 * Packets held as clones by one ring.  A clone pins its buffer (truesize) until
 * it is drained, so both their number and their memory are bounded; above
 * either, packets are copied at once.
 */
#define PTAP_DEFER_MAX		4096U	/* power of two */
#define PTAP_DEFER_BYTES_MAX	SZ_64M

/* A watermark above a quarter of the ring would wake the reader too late. */
#define PTAP_WATERMARK_DEFAULT	SZ_256K
#define PTAP_FLUSH_US_DEFAULT	5000U
#define PTAP_FLUSH_US_MAX	1000000U

#define PTAP_COPYBREAK_DEFAULT	2048U

/*
 * cat reads with a buffer of 128 KiB: an unconfigured session, which serves
 * read() only, never has a record that does not fit.
 */
#define PTAP_SNAPLEN_STREAM	(SZ_128K - SZ_1K)

/* Interfaces that SETUP takes, and that a session can meet in its life. */
#define PTAP_SETUP_IFACES_MAX	1024U
#define PTAP_IFACES_MAX		(1U << 20)

#endif /* PTAP_LIMITS_H */
