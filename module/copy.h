/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copying a packet's bytes into the ring: always forwards.
 *
 * The kernel's memcpy() on x86 CPUs without "fast short rep mov" copies half of
 * all unaligned packets backwards, which into memory that is not in the first
 * caches takes two to three times as long.  It is made for overlaps that cannot
 * be here.  A short packet is copied by a loop of words, a long one by a string
 * instruction, which also spares it reading the lines that it overwrites.
 */
#ifndef PTAP_COPY_H
#define PTAP_COPY_H

#include <linux/string.h>
#include <linux/types.h>
#include "compat.h"

/* Up to this the loop is at least as fast, on all CPUs that were measured. */
#define PTAP_COPY_WORDS_MAX	512

static inline void ptap_copy_words(u8 *dst, const u8 *src, u32 len)
{
	const u8 *last = src + len - sizeof(u64);
	u8 *dst_last = dst + len - sizeof(u64);

	if (unlikely(len < sizeof(u64))) {
		while (len--)
			*dst++ = *src++;
		return;
	}
	/* The last word overlaps the one before: nothing is written behind. */
	for (; src < last; src += sizeof(u64), dst += sizeof(u64))
		put_unaligned(get_unaligned((const u64 *)src), (u64 *)dst);
	put_unaligned(get_unaligned((const u64 *)last), (u64 *)dst_last);
}

/* At least a word. */
static inline void ptap_copy_string(u8 *dst, const u8 *src, u32 len)
{
#ifdef __x86_64__
	u64 last = get_unaligned((const u64 *)(src + len - sizeof(u64)));
	u8 *dst_last = dst + len - sizeof(u64);
	unsigned long words = len / sizeof(u64);

	asm volatile("rep movsq"
		     : "+D" (dst), "+S" (src), "+c" (words) : : "memory");
	put_unaligned(last, (u64 *)dst_last);
#else
	memcpy(dst, src, len);
#endif
}

static inline void ptap_copy(u8 *dst, const u8 *src, u32 len)
{
	if (len <= PTAP_COPY_WORDS_MAX)
		ptap_copy_words(dst, src, len);
	else
		ptap_copy_string(dst, src, len);
}

#endif /* PTAP_COPY_H */
