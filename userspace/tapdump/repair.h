/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * repair.h - the end of what is whole in a file that was left off (repair.c).
 */
#ifndef TAPDUMP_REPAIR_H
#define TAPDUMP_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct whole - the sound part of a file
 * @bytes: its length
 * @records: packets in it
 */
struct whole {
	uint64_t bytes;
	uint64_t records;
};

int repair_find(int fd, struct whole *whole);
long long repair_cut(int fd, struct whole *whole);

#endif /* TAPDUMP_REPAIR_H */
