/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pcapdiff.h - what the parts of pcapdiff know of each other.
 *
 * The order of work, one file each: options.c reads the command line,
 * capture.c loads both files with libpcap, match.c pairs the packets,
 * order.c finds which pairs are out of order, result.c counts and collects
 * the differences, report.c and json.c print them. content.c compares and
 * hashes bytes, util.c holds memory and formatting helpers. main.c is that
 * list. Single-threaded; every failure that is not a difference ends the
 * program through die() with status 2.
 */
#ifndef PCAPDIFF_H
#define PCAPDIFF_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifndef PTAP_VERSION
#define PTAP_VERSION "unversioned"
#endif

#define NSEC_PER_SEC	1000000000LL
#define NSEC_PER_MSEC	1000000LL
#define NSEC_PER_USEC	1000LL

/* Largest time an option may ask for; keeps every sum of times in 63 bits. */
#define OPTION_NS_MAX	(100000000LL * NSEC_PER_SEC)
/* Time stamps beyond this (year 2116) are taken as this. */
#define TS_NS_MAX	(INT64_MAX / 2)

#define NO_MATE		UINT32_MAX

enum side { SIDE_A, SIDE_B, NR_SIDES };

enum exit_status { EXIT_SAME, EXIT_DIFFERENT, EXIT_TROUBLE };

/**
 * struct options - the command line
 * @limit: number of differences to print
 * @snaplen: compare only this many bytes of a packet
 * @skew_ns: how far apart the two copies of a packet may be in time
 * @max_skew_ns: time difference from which on it is a difference, or -1
 * @slack_ns: how far the common window is widened at both ends
 * @must_sort: time stamps of this side must ascend
 */
struct options {
	const char *path[NR_SIDES];
	const char *filter;
	uint64_t limit;
	uint32_t snaplen;
	int64_t skew_ns;
	int64_t max_skew_ns;
	int64_t slack_ns;
	int64_t order_slack_ns;
	bool must_sort[NR_SIDES];
	bool quiet;
	bool verbose;
	bool json;
	bool strict;
	bool ignore_order;
	bool ignore_linktype;
};

/**
 * struct packet - one record
 * @data: its bytes, never NULL
 * @hash: hash of the bytes alone, without the lengths
 * @caplen: number of bytes compared (at most the snaplen asked for)
 * @len: length on the wire
 * @number: record number in the file, from 1, not counting the filter
 * @mate: index of its partner in the other capture, or NO_MATE
 * @moved: its pair is out of order
 */
struct packet {
	int64_t ts_ns;
	const uint8_t *data;
	uint64_t hash;
	uint32_t caplen;
	uint32_t len;
	uint32_t number;
	uint32_t mate;
	bool moved;
};

struct capture_block;

/**
 * struct capture - one file in memory
 * @first_ns: earliest time stamp; 0 if there is no packet
 * @last_ns: latest time stamp
 * @nr_back: packets with a time before that of the packet before them
 * @worst_back_ns: largest such step
 * @micro: no time stamp has a digit below a microsecond
 * @torn: the file could not be read to its end
 * @torn_number: the record at which reading failed
 * @torn_words: libpcap's words for it
 */
struct capture {
	const char *name;
	int linktype;
	int snaplen;
	struct packet *packets;
	uint32_t nr;
	uint32_t nr_alloc;
	struct capture_block *blocks;
	int64_t first_ns;
	int64_t last_ns;
	uint64_t nr_back;
	int64_t worst_back_ns;
	bool micro;
	bool torn;
	uint64_t torn_number;
	char torn_words[PCAP_ERRBUF_SIZE];
};

/**
 * struct match - what the pairing learned besides the pairs themselves
 * @offset_ns: median of B - A over all pairs
 * @nr_pairs: number of pairs
 * @nr_far: contents that each file has once, but further apart than the skew
 * @far: the first such pair (index in A, index in B)
 * @repeat_ns: how far apart the copies of a repeated content may be
 * @near_ns: how far apart two packets that differ may be, to be compared
 */
struct match {
	int64_t offset_ns;
	uint32_t nr_pairs;
	uint64_t nr_far;
	uint32_t far[NR_SIDES];
	int64_t repeat_ns;
	int64_t near_ns;
};

/* How the two packets of a pair differ. */
#define CONTENT_BYTES	0x1	/* in the bytes that both have */
#define CONTENT_LEN	0x2	/* in the length on the wire */
#define CONTENT_CAPLEN	0x4	/* in the number of bytes captured */

enum difference_kind {
	DIFF_ONLY_A,
	DIFF_ONLY_B,
	DIFF_BYTES,
	DIFF_LEN,
	DIFF_CAPLEN,
	DIFF_ORDER,
	DIFF_TIME,
	NR_DIFF_KINDS,
};

/**
 * struct difference - one thing to print
 * @when_ns: time in A's clock, for sorting
 * @index: packet in A and in B; NO_MATE where there is none
 * @places: for DIFF_ORDER, how many pairs later B has it
 * @away_ns: for DIFF_ORDER, how far that is in A's time
 */
struct difference {
	int64_t when_ns;
	int64_t places;
	int64_t away_ns;
	uint32_t index[NR_SIDES];
	enum difference_kind kind;
};

/**
 * struct result - everything that is reported
 * @nr_same: pairs equal in bytes and lengths
 * @nr_near: pairs out of order within options.order_slack_ns
 * @nr: differences by kind
 * @nr_outside: packets without a partner outside the common window
 * @window_lo_ns: the common window in A's clock, slack included
 * @window_ok: there is a common window
 * @nothing_common: both files have packets, and not one pair
 * @precision_ns: what differing precision of the files may account for
 * @max_ns: largest B - A; @min_ns, @median_ns and @mean_ns likewise
 */
struct result {
	uint64_t nr_same;
	uint64_t nr_near;
	uint64_t nr[NR_DIFF_KINDS];
	uint64_t nr_outside[NR_SIDES];
	int64_t window_lo_ns;
	int64_t window_hi_ns;
	bool window_ok;
	bool nothing_common;
	int64_t precision_ns;
	int64_t min_ns;
	int64_t max_ns;
	int64_t median_ns;
	double mean_ns;
	uint32_t nr_pairs;
	struct difference *diffs;
	uint64_t nr_diffs;
	bool different;
};

/* options.c */
void options_parse(struct options *opt, int argc, char **argv);

/* capture.c */
void capture_load(struct capture *cap, const char *path,
		  const struct options *opt);
void capture_free(struct capture *cap);
const char *capture_linktype_name(const struct capture *cap, char *buf,
				  size_t size);

/* content.c */
uint64_t content_mix(uint64_t hash, uint64_t value);
uint64_t content_hash(const uint8_t *data, size_t len);
unsigned int content_compare(const struct packet *a, const struct packet *b,
			     uint32_t *first_off, uint32_t *nr_bytes);

/* match.c */
void match_captures(struct match *match, struct capture cap[NR_SIDES],
		    const struct options *opt);

/* pairing.c */
struct pairing;

/**
 * struct pairing_ref - one packet under the key that it is paired by
 * @taken: chosen by a round of pairing_run()
 */
struct pairing_ref {
	uint64_t key;
	int64_t ts_ns;
	uint32_t index;
	uint8_t side;
	bool taken;
};

int pairing_ref_cmp(const void *a, const void *b);
uint32_t pairing_run(struct pairing_ref *a, size_t nr_a,
		     struct pairing_ref *b, size_t nr_b,
		     int64_t offset_ns, int64_t tolerance_ns, int64_t skew_ns);

/* order.c */
void order_mark(struct capture cap[NR_SIDES], uint32_t nr_pairs);

/* result.c */
void result_collect(struct result *res, struct capture cap[NR_SIDES],
		    const struct match *match, const struct options *opt);
void result_free(struct result *res);

/* report.c */
void report_print(const struct result *res,
		  const struct capture cap[NR_SIDES],
		  const struct match *match, const struct options *opt);

/* json.c */
void json_print(const struct result *res, const struct capture cap[NR_SIDES],
		const struct match *match, const struct options *opt);

/* util.c */
void die(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void *alloc_array(size_t nr, size_t size);
void *grow_array(void *old, size_t nr, size_t size);
int64_t median_ns(int64_t *values, size_t nr);
int ns_cmp(const void *a, const void *b);
const char *format_count(char *buf, size_t size, uint64_t value);
const char *format_ns(char *buf, size_t size, int64_t ns, bool sign);
const char *format_clock(char *buf, size_t size, int64_t ts_ns);

#endif /* PCAPDIFF_H */
