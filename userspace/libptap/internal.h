/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * internal.h - the handle, and what the library's files know of each other.
 *
 * device.c opens, sets up, starts, stops and waits; mapping.c maps the rings;
 * rings.c and stream.c find spans (source.h); spans.c gives them out with the
 * headers that belong before them; packet.c cuts them into packets; filter.c
 * compiles expressions, offload.c finds the kernel's part of a program
 * (offload.h), sieve*.c do the rest (sieve.h); describe.c adds to the headers;
 * stats.c asks the kernel; error.c finds words.
 */
#ifndef PTAP_INTERNAL_H
#define PTAP_INTERNAL_H

#include "ptap.h"
#include "sieve.h"
#include "source.h"

#define PTAP_NR_IOV	1024U	/* IOV_MAX */

/**
 * struct ptap_headers - the file's headers as they have been given out
 * @data: bytes
 * @len: their number
 * @nr_ifaces: interfaces that they describe
 */
struct ptap_headers {
	u8 *data;
	size_t len;
	u32 nr_ifaces;
};

/**
 * struct ptap - a capture
 * @fd: the device, or -1
 * @mode: enum ptap_mode
 * @info: the session after SETUP
 * @all_ifaces: the session is for all interfaces of the namespace
 * @optimize: libpcap's optimizer goes over filters
 * @started: START succeeded
 * @stopped: no more is captured
 * @gone: because the last interface is gone
 * @held: spans are given out and not released
 * @complete: the last spans were all that there was; wait before looking again
 * @more: what ptap_rings_look() saw has not all been given out
 * @fruitless: how often in a row there was something and nothing might go out
 * @seen_ns: when the last poll() saw something; 0: it did not, or does not say
 * @now_ns: the time, for who looks at the rings next; 0: read the clock
 * @maps: the rings
 * @rings: consumer's side of @maps, in mmap mode
 * @stream: the other mode
 * @headers: see there
 * @torn: in the other mode, the beginning of headers that are still to come
 * @describe: headers get more options (describe.c)
 * @filter: expression of the last ptap_filter_set(), or NULL
 * @sieve: what the kernel does not run of filters, or NULL if there never was
 *	anything
 * @why: why the present filter needs it, or ""
 * @application: name for the headers, or NULL
 * @iov: room for PTAP_NR_IOV spans
 * @spans: what packet.c walks through
 * @span: entry of @spans
 * @span_off: offset in that entry
 * @ifaces: the interfaces that packet.c has met, by id
 * @nr_ifaces: their number
 * @error: words for the last failure
 */
struct ptap {
	int fd;
	u32 mode;
	struct ptap_info info;
	bool all_ifaces;
	bool optimize;
	bool started;
	bool stopped;
	bool gone;
	bool held;
	bool complete;
	bool more;
	unsigned int fruitless;
	u64 seen_ns;
	u64 now_ns;
	struct ptap_ring_map *maps;
	struct ptap_rings rings;
	struct ptap_stream stream;
	struct ptap_headers headers;
	struct ptap_headers torn;
	bool describe;
	char *filter;
	struct ptap_sieve *sieve;
	char why[128];
	char *application;
	struct iovec *iov;
	struct ptap_spans spans;
	u32 span;
	size_t span_off;
	struct ptap_iface_key *ifaces;
	u32 nr_ifaces;
	char error[512];
};

/* error.c: remember words */
void ptap_error_set(struct ptap *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int ptap_check_open(struct ptap *p);

/* Remember words for @err, and be that value. */
#define ptap_fail(p, err, ...)	(ptap_error_set(p, __VA_ARGS__), (err))

/* spans.c */
u32 ptap_ring_of(void *ctx, const void *memory);

/* describe.c */
long ptap_describe(const struct ptap *p, const u8 *data, size_t len, u8 **more);

/* packet.c */
bool ptap_iface_key_get(void *ctx, u32 id, struct ptap_iface_key *key);

/* mapping.c */
u64 ptap_realtime_ns(void);
int ptap_mapping_create(struct ptap *p);
void ptap_mapping_destroy(struct ptap *p);

/* stats.c */
int ptap_info_read(int fd, struct ptap_info *info);

/* The largest program that the kernel takes. */
#define PTAP_INSNS_MAX	4096U

#endif /* PTAP_INTERNAL_H */
