/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - what verify.c has found out, and how verdict.c says it.
 */
#ifndef TAPDUMP_VERDICT_H
#define TAPDUMP_VERDICT_H

#include <linux/ptap.h>
#include <stdbool.h>
#include <stdint.h>

/* Why a packet is missing. */
enum verify_cause {
	VERIFY_DROPPED,		/* the kernel could not keep it */
	VERIFY_NOT_WRITTEN,	/* it was captured, and is not in the files */
};

/**
 * struct vsums - an account
 * @accepted: wanted by the filter
 * @dropped: of these, lost in the kernel
 * @delivered: of these, written
 * @last: the capture was over
 */
struct vsums {
	uint64_t accepted;
	uint64_t dropped;
	uint64_t delivered;
	bool last;
};

/**
 * struct viface - an interface of a capture
 * @name: its name, or ""
 * @tsresol: unit of its times, as the file says
 * @packets: of it in the files
 * @told: losses that packets name
 * @base: packets that were in files before ours
 * @base_dropped: losses up to then
 * @short_of: packets that an account has and the files have not
 * @has_sums: there was an account
 * @sums: the last one
 */
struct viface {
	char name[64];
	uint8_t tsresol;
	uint64_t packets;
	uint64_t told;
	uint64_t base;
	uint64_t base_dropped;
	uint64_t short_of;
	bool has_sums;
	struct vsums sums;
};

/**
 * struct vring - a ring of a capture
 * @seq: number of its last packet, or 0
 */
struct vring {
	uint64_t seq;
};

/**
 * struct vplace - where we are
 * @file: the file
 * @iface: name of the interface
 * @time_ns: time of the packet
 * @ring: its CPU, or -1
 */
struct vplace {
	const char *file;
	const char *iface;
	uint64_t time_ns;
	int ring;
};

/**
 * struct verify - a capture being looked at, and those before it
 * @verbose: print every place
 * @ifaces: interfaces of the capture
 * @nr_ifaces: their number
 * @nr_section: so many are described in the section
 * @rings: rings of the capture
 * @nr_rings: their number
 * @place: see there
 * @last_ns: time of the packet before
 * @start: when it began, by its accounts, or 0
 * @start_before: the same of the one before, if that was cut off
 * @fresh: nothing but descriptions was seen of the section
 * @last_file: the last file of which that is not so
 * @packets: of the capture
 * @in_file: of the file
 * @after_sums: accounts since the last packet
 * @has_ids: packets have numbers
 * @late: the files do not begin with the capture
 * @ended: the capture's last account was seen
 * @not_written: captured and not in the files, by number
 * @short_of: the same, by the accounts
 * @dropped: lost in the kernel
 * @unordered: packets that are older than the one before
 * @places: that were printed, or would have been
 * @nr_files: files that were read
 * @all_packets: of all captures
 * @all_missing: the same
 * @all_dropped: of these, lost in the kernel
 * @open: a capture may go on, or cannot prove anything
 * @damage: a file is damaged
 */
struct verify {
	bool verbose;
	struct viface *ifaces;
	uint32_t nr_ifaces;
	uint32_t nr_section;
	struct vring *rings;
	uint32_t nr_rings;
	struct vplace place;
	uint64_t last_ns;
	uint64_t start;
	uint64_t start_before;
	bool fresh;
	const char *last_file;
	uint64_t packets;
	uint64_t in_file;
	uint32_t after_sums;
	bool has_ids;
	bool late;
	bool ended;
	uint64_t not_written;
	uint64_t short_of;
	uint64_t dropped;
	uint64_t unordered;
	uint64_t places;
	uint32_t nr_files;
	uint64_t all_packets;
	uint64_t all_missing;
	uint64_t all_dropped;
	bool open;
	bool damage;
};

struct viface *verify_iface(struct verify *v, uint32_t id);
struct vring *verify_ring(struct verify *v, uint32_t ring);
void verify_begin(struct verify *v, const char *file);
void verify_missing(struct verify *v, enum verify_cause cause, uint64_t nr);
void verify_short(struct verify *v, struct viface *i, uint64_t nr);
void verify_unordered(struct verify *v);
void verify_unreadable(struct verify *v, const char *file, const char *why);
void verify_damaged(struct verify *v, uint64_t off, const char *why);
void verify_finish(struct verify *v);
int verify_end(struct verify *v);
void verify_free(struct verify *v);

#endif /* TAPDUMP_VERDICT_H */
