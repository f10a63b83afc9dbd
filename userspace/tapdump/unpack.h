/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unpack.h - what is in a compressed file, as a stream (unpack.c).
 */
#ifndef TAPDUMP_UNPACK_H
#define TAPDUMP_UNPACK_H

#include <stdio.h>

struct unpack;

struct unpack *unpack_create(FILE *raw);
FILE *unpack_stream(const struct unpack *u);
const char *unpack_why(const struct unpack *u);
void unpack_destroy(struct unpack *u);

#endif /* TAPDUMP_UNPACK_H */
