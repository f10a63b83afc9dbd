/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading the rings of a mapped session, after the contract in
 * struct ptap_ring_control and nothing else.
 */
#ifndef PTAP_TEST_RINGS_H
#define PTAP_TEST_RINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "capture.h"

/**
 * struct ring - a mapped ring
 * @con: consumer page
 * @ctl: control page
 * @data: data, twice in a row
 * @pos: position up to which we have read
 * @head: position up to which we may read, as last loaded
 * @last_ts: time of the last record that we read
 * @bound: no record behind @head is older
 * @taken: records read
 */
struct ring {
	struct ptap_ring_consumer *con;
	const struct ptap_ring_control *ctl;
	const uint8_t *data;
	uint64_t pos;
	uint64_t head;
	uint64_t last_ts;
	uint64_t bound;
	uint64_t taken;
};

#define RINGS_MAX	64U

/**
 * struct rings - the rings of a session
 * @fd: the session
 * @info: its description
 * @r: the rings
 * @hold: do not release what is read
 */
struct rings {
	int fd;
	struct ptap_info info;
	struct ring r[RINGS_MAX];
	bool hold;
};

void rings_map(struct rings *rs, int fd);
void rings_unmap(struct rings *rs);

/* Place in the device of a page of a ring. */
off_t ring_offset(const struct ptap_info *info, uint32_t ring, uint64_t page);
uint64_t ring_head(const struct ring *r);
uint64_t ring_tail(const struct ring *r);
/* What is reserved but not published. */
uint64_t ring_waiting(const struct ring *r);
void ring_release(struct ring *r, uint64_t tail);
/* Bytes between our positions and the heads, in all rings. */
uint64_t rings_readable(const struct rings *rs);

/* Describe to @c, which has seen the header, the interfaces that are new. */
void rings_ifaces(struct rings *rs, struct capture *c);
/*
 * Read what is published: ring by ring, in no order of time between them.
 * Return: number of packets.
 */
uint64_t rings_read(struct rings *rs, struct capture *c);
/* The same in order of time, as far as that is known now; @all: to the end. */
uint64_t rings_merge(struct rings *rs, struct capture *c, bool all);
/* Wait with poll() and merge until @c has so many packets. */
void rings_read_until(struct rings *rs, struct capture *c, uint64_t packets);
/* STOP if it is running, read the rest, check the accounting, unmap, close. */
void rings_finish(struct rings *rs, struct capture *c);

#endif /* PTAP_TEST_RINGS_H */
