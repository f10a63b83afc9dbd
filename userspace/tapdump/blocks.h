/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * blocks.h - a pcapng file, block by block.
 *
 * Files of either byte order, and streams.  What is not as the format wants it
 * is said with the offset at which it begins.  Needs no device.
 */
#ifndef TAPDUMP_BLOCKS_H
#define TAPDUMP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum block_type {
	BLOCK_IDB	= 1,
	BLOCK_PB	= 2,
	BLOCK_SPB	= 3,
	BLOCK_ISB	= 5,
	BLOCK_EPB	= 6,
	BLOCK_SHB	= 0x0a0d0d0a,
};

/**
 * struct blocks - a file being read
 * @f: it
 * @swapped: its byte order is not this machine's
 * @begun: a section has begun
 * @off: offset of the block that was read last
 * @next: offset behind it
 * @type: its type
 * @body: it without type and lengths
 * @len: bytes at @body
 * @room: bytes allocated there
 * @why: what is wrong with the file
 */
struct blocks {
	FILE *f;
	bool swapped;
	bool begun;
	uint64_t off;
	uint64_t next;
	uint32_t type;
	uint8_t *body;
	size_t len;
	size_t room;
	const char *why;
};

/**
 * struct block_option - an option of a block
 * @code: its meaning; 0 is the end
 * @data: value
 * @len: bytes at @data
 * @next: offset in the body of what follows
 */
struct block_option {
	uint16_t code;
	const uint8_t *data;
	size_t len;
	size_t next;
};

int blocks_next(struct blocks *b);
void blocks_free(struct blocks *b);
uint16_t blocks_u16(const struct blocks *b, const uint8_t *at);
uint32_t blocks_u32(const struct blocks *b, const uint8_t *at);
uint64_t blocks_u64(const struct blocks *b, const uint8_t *at);
/* Times are two words, the upper one first. */
uint64_t blocks_time(const struct blocks *b, const uint8_t *at);
/* The next option, at o->next: 1, 0 there is none, -1 it makes no sense. */
int blocks_option(struct blocks *b, struct block_option *o);

#endif /* TAPDUMP_BLOCKS_H */
