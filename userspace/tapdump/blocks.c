// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * blocks.c - a pcapng file, block by block.
 *
 * Format: draft-ietf-opsawg-pcapng, section 3.
 */
#include <byteswap.h>
#include <stdlib.h>
#include <string.h>
#include "blocks.h"

#define MAGIC		0x1a2b3c4dU
#define MAGIC_SWAPPED	0x4d3c2b1aU
#define FRAME_LEN	12U		/* type, length, length again */
#define LEN_MAX		(64U << 20)	/* no block of ours comes near it */

uint16_t blocks_u16(const struct blocks *b, const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return b->swapped ? bswap_16(v) : v;
}

uint32_t blocks_u32(const struct blocks *b, const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return b->swapped ? bswap_32(v) : v;
}

uint64_t blocks_u64(const struct blocks *b, const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return b->swapped ? bswap_64(v) : v;
}

uint64_t blocks_time(const struct blocks *b, const uint8_t *at)
{
	return (uint64_t)blocks_u32(b, at) << 32 | blocks_u32(b, at + 4);
}

static int fail(struct blocks *b, const char *why)
{
	b->why = why;
	return -1;
}

static int make_room(struct blocks *b, size_t len)
{
	uint8_t *more;

	if (len <= b->room)
		return 0;
	more = realloc(b->body, len);
	if (!more)
		return fail(b, "no memory for a block");
	b->body = more;
	b->room = len;
	return 0;
}

/* The byte order, which decides what the length before it means. */
static int begin_section(struct blocks *b, const uint8_t *magic)
{
	uint32_t v;

	memcpy(&v, magic, sizeof(v));
	if (v != MAGIC && v != MAGIC_SWAPPED)
		return fail(b, "a section without its magic number");
	b->swapped = v == MAGIC_SWAPPED;
	b->begun = true;
	return 0;
}

/* Type, length, and for a section its magic number. */
static int read_head(struct blocks *b, uint32_t *len)
{
	uint8_t head[FRAME_LEN];
	size_t n = fread(head, 1, sizeof(head), b->f);

	if (!n && ferror(b->f))
		return fail(b, "it cannot be read");
	if (!n)
		return 0;
	if (n < sizeof(head))
		return fail(b, "it ends in the middle of a block");
	memcpy(&b->type, head, sizeof(b->type));
	if (b->type == BLOCK_SHB && begin_section(b, head + 8))
		return -1;
	if (!b->begun)
		return fail(b, "this is no pcapng file");
	b->type = blocks_u32(b, head);
	*len = blocks_u32(b, head + 4);
	if (*len < FRAME_LEN || *len % 4 || *len > LEN_MAX)
		return fail(b, "the length of a block makes no sense");
	if (make_room(b, *len))
		return -1;
	memcpy(b->body, head + 8, 4);
	return 1;
}

/**
 * blocks_next - read the next block
 * @b: file; @f is set, the rest 0 at first
 *
 * Return: 1, 0 the file is over, -1 it is damaged (@why).
 */
int blocks_next(struct blocks *b)
{
	uint32_t len;
	int ret;

	b->off = b->next;
	ret = read_head(b, &len);
	if (ret <= 0)
		return ret;
	/* Four bytes of the body, or of the length again, are there. */
	if (fread(b->body + 4, 1, len - FRAME_LEN, b->f) != len - FRAME_LEN)
		return fail(b, "it ends in the middle of a block");
	b->len = len - FRAME_LEN;
	if (blocks_u32(b, b->body + b->len) != len)
		return fail(b, "a block has two lengths");
	b->next += len;
	return 1;
}

void blocks_free(struct blocks *b)
{
	free(b->body);
	b->body = NULL;
}

int blocks_option(struct blocks *b, struct block_option *o)
{
	size_t padded;

	if (o->next + 4 > b->len)
		return 0;
	o->code = blocks_u16(b, b->body + o->next);
	o->len = blocks_u16(b, b->body + o->next + 2);
	o->data = b->body + o->next + 4;
	padded = (o->len + 3) & ~(size_t)3;
	if (padded > b->len - o->next - 4)
		return fail(b, "an option is longer than its block");
	o->next += 4 + padded;
	return o->code != 0;
}
