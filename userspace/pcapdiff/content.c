// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * content.c - the bytes of packets: hashing and comparing.
 *
 * The hash only sorts packets into candidates. It need not resist an
 * attacker, because whoever pairs by it also compares the bytes.
 */
#include <string.h>

#include "pcapdiff.h"

/* Lets a test build provoke collisions: -DPCAPDIFF_HASH_MASK=3 */
#ifndef PCAPDIFF_HASH_MASK
#define PCAPDIFF_HASH_MASK UINT64_MAX
#endif

/**
 * content_mix() - fold a number into a hash
 * @hash: the hash so far
 * @value: what to add
 *
 * Return: the new hash.
 */
uint64_t content_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9ULL;
	return (hash ^ (hash >> 32)) & PCAPDIFF_HASH_MASK;
}

/**
 * content_hash() - hash a run of bytes
 * @data: the bytes
 * @len: how many
 *
 * Return: the hash; runs of different length never share their last step.
 */
uint64_t content_hash(const uint8_t *data, size_t len)
{
	uint64_t hash = 0x70746170;
	uint64_t word;
	size_t off;

	for (off = 0; off + sizeof(word) <= len; off += sizeof(word)) {
		memcpy(&word, data + off, sizeof(word));
		hash = content_mix(hash, word);
	}
	word = 0;
	memcpy(&word, data + off, len - off);
	hash = content_mix(hash, word);
	return content_mix(hash, len);
}

/**
 * content_compare() - how two packets differ
 * @a: one
 * @b: the other
 * @first_off: set to the first differing offset in the bytes that both have,
 *	or to their number if there is none
 * @nr_bytes: set to the number of differing bytes among those
 *
 * Return: CONTENT_* bits, 0 if equal.
 */
unsigned int content_compare(const struct packet *a, const struct packet *b,
			     uint32_t *first_off, uint32_t *nr_bytes)
{
	uint32_t common = a->caplen < b->caplen ? a->caplen : b->caplen;
	unsigned int how = 0;
	uint32_t off;

	*first_off = common;
	*nr_bytes = 0;
	if (memcmp(a->data, b->data, common)) {
		how |= CONTENT_BYTES;
		for (off = 0; off < common; off++) {
			if (a->data[off] == b->data[off])
				continue;
			if (!(*nr_bytes)++)
				*first_off = off;
		}
	}
	if (a->len != b->len)
		how |= CONTENT_LEN;
	if (a->caplen != b->caplen)
		how |= CONTENT_CAPLEN;
	return how;
}
