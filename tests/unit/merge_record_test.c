// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * merge.h on one ring: sizes and times of records, malformed ones, and how far
 * a cursor gallops.  Choosing among rings is merge_test.c.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include "merge_records.h"
#include "ring_map.h"
#include "tap.h"

#define SIZE	65536U
#define NR	3U		/* formats */

static u8 *data;

static struct ptap_cursor cursor(u64 pos, u64 len)
{
	return (struct ptap_cursor){
		.data = data, .mask = SIZE - 1, .pos = pos, .end = pos + len,
	};
}

static void test_size(void)
{
	static const u32 caplens[] = { 0, 1, 3, 4, 60, 1514, 65000 };
	u32 format, len, i;

	for (format = 0; format < NR; format++) {
		for (i = 0; i < sizeof(caplens) / sizeof(*caplens); i++) {
			len = record_make(data, format, 7, caplens[i]);
			TAP_CHECK(ptap_record_size(format, data, len) == len);
			TAP_CHECK(ptap_record_size(format, data, len + 1) ==
				  len);
			TAP_CHECK(ptap_record_size(format, data, U64_MAX) ==
				  len);
			TAP_CHECK(!ptap_record_size(format, data, len - 1));
			TAP_CHECK(!ptap_record_size(format, data, 0));
		}
	}
}

static void test_time(void)
{
	static const u64 times[] = {
		0, 1, 999, 1000, 999999999, 1000000000, 1700000000123456789,
		(1ULL << 32) - 1, 1ULL << 32, 4294967295999999999,
	};
	u32 format, i;

	for (format = 0; format < NR; format++) {
		for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
			/* Positions are not aligned. */
			record_make(data + 1, format, times[i], 0);
			TAP_CHECK(ptap_record_time(format, data + 1) ==
				  record_time(format, times[i]));
		}
	}
	record_make(data, PTAP_FORMAT_PCAPNG, U64_MAX, 0);
	TAP_CHECK(ptap_record_time(PTAP_FORMAT_PCAPNG, data) == U64_MAX);
}

/* Any length in the record: the answer stays within what is left. */
static void test_size_malformed(void)
{
	static const u32 lens[] = {
		0, 1, 15, 16, 17, 27, 28, 31, 32, 33, 100, 0x7fffffff,
		0x80000000, 0xfffffff0, 0xffffffef, 0xffffffff,
	};
	u64 left, size;
	u32 format, i;

	for (format = 0; format < NR; format++) {
		for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
			record_make(data, format, 7, 0);
			put_u32(data + (format ? 8 : 4), lens[i]);
			for (left = 0; left < 256; left++) {
				size = ptap_record_size(format, data, left);
				TAP_CHECK(size <= left);
				TAP_CHECK(!size || format ||
					  size >= PTAP_EPB_MIN_LEN);
				TAP_CHECK(!size ||
					  size >= PTAP_PCAP_RECORD_LEN);
			}
		}
	}
}

static sigjmp_buf jump;
static volatile u64 sink;	/* so that what is read is needed */

static void fault(int nr)
{
	siglongjmp(jump, nr);
}

/* Gallop over @len bytes that mean nothing; they are given out, no more. */
static void gallop_garbage(u64 pos, u64 len, u32 format, u64 max_records)
{
	struct ptap_cursor c = cursor(pos, len);
	u64 run, nr;

	while (!ptap_cursor_empty(&c)) {
		ptap_cursor_look(&c, format);
		sink = c.key;
		run = ptap_cursor_gallop(&c, format, U64_MAX, U64_MAX,
					 max_records, &nr);
		sink = c.key;
		if (!TAP_CHECK(run && nr) ||
		    !TAP_CHECK(run <= c.end - c.pos))
			return;
		c.pos += run;
	}
}

static void test_gallop_garbage(void)
{
	u64 random = 1, len, pos;
	u32 i, k, format;

	for (i = 0; i < 20000; i++) {
		format = i % NR;
		for (k = 0; k < 256; k++) {
			random = random * 6364136223846793005ULL + 1;
			/* Small numbers make more records. */
			data[k] = k % 4 ? 0 : random >> 56;
		}
		pos = (random >> 33) % 64;
		len = (random >> 40) % 192;
		gallop_garbage(pos, len, format, i % 2 ? 1 : U64_MAX);
	}
}

/* A full ring whose last record is cut, at the end of the second mapping. */
static void test_gallop_cut(void)
{
	struct sigaction sa = { .sa_handler = fault }, old_segv, old_bus;
	volatile u32 format, cut;
	u32 len;

	sigaction(SIGSEGV, &sa, &old_segv);
	sigaction(SIGBUS, &sa, &old_bus);
	for (format = 0; format < NR; format++) {
		for (cut = 1; cut < PTAP_EPB_MIN_LEN; cut++) {
			len = SIZE - cut - record_len(format, 0);
			memset(data, 0, SIZE);
			record_make(data + SIZE - 1, format, 5, len);
			if (!sigsetjmp(jump, 1))
				gallop_garbage(SIZE - 1, SIZE, format,
					       cut % 2 ? 1 : U64_MAX);
			else if (!TAP_CHECK(!"read behind the ring"))
				goto out;
		}
	}
out:
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
}

/* Records of 100 bytes at times 0, 10, 20 ..., from where the ring wraps. */
static struct ptap_cursor ten_records(u32 format, u32 *len)
{
	struct ptap_cursor c;
	u32 i;

	*len = record_len(format, 100);
	for (i = 0; i < 10; i++)
		record_make(data + SIZE - 250 + i * *len, format, i * 10000,
			    100);
	c = cursor(3ULL * SIZE - 250, 10 * *len);
	ptap_cursor_look(&c, format);
	return c;
}

static void gallop(u32 format, u64 limit, u64 max_bytes, u64 max_records,
		   u32 want)
{
	struct ptap_cursor c;
	u64 nr = 99, got;
	u32 len;

	c = ten_records(format, &len);
	got = ptap_cursor_gallop(&c, format, limit,
				 max_bytes == U64_MAX ? U64_MAX :
				 max_bytes * len / 10, max_records, &nr);
	TAP_CHECK(nr == want);
	TAP_CHECK(got == want * len);
	TAP_CHECK(c.pos == 3ULL * SIZE - 250);
	/* The key is that of the record behind the run, if there is one. */
	TAP_CHECK(c.key == (want < 10 ? want : 9) * 10000);
}

static void test_gallop_limits(void)
{
	u32 f;

	for (f = 0; f < NR; f++) {
		gallop(f, U64_MAX, U64_MAX, U64_MAX, 10);
		/* The first is not tested against the time. */
		gallop(f, 0, U64_MAX, U64_MAX, 1);
		gallop(f, 9999, U64_MAX, U64_MAX, 1);
		gallop(f, 10000, U64_MAX, U64_MAX, 2);
		gallop(f, 10001, U64_MAX, U64_MAX, 2);
		gallop(f, 90000, U64_MAX, U64_MAX, 10);
		gallop(f, U64_MAX, U64_MAX, 0, 0);
		gallop(f, U64_MAX, U64_MAX, 1, 1);
		gallop(f, U64_MAX, U64_MAX, 9, 9);
		gallop(f, U64_MAX, U64_MAX, 10, 10);
		/* Tenths of a record. */
		gallop(f, U64_MAX, 0, U64_MAX, 0);
		gallop(f, U64_MAX, 9, U64_MAX, 0);
		gallop(f, U64_MAX, 10, U64_MAX, 1);
		gallop(f, U64_MAX, 19, U64_MAX, 1);
		gallop(f, U64_MAX, 20, U64_MAX, 2);
		gallop(f, U64_MAX, 100, U64_MAX, 10);
		gallop(f, 50000, 40, 3, 3);
		gallop(f, 50000, 40, 5, 4);
		gallop(f, 20000, 40, 5, 3);
	}
}

static void test_look(void)
{
	struct ptap_cursor c;
	u32 len;

	c = ten_records(PTAP_FORMAT_PCAP_NSEC, &len);
	TAP_CHECK(!ptap_cursor_empty(&c) && c.key == 0);
	c.pos += len;
	ptap_cursor_look(&c, PTAP_FORMAT_PCAP_NSEC);
	TAP_CHECK(c.key == 10000);
	/* Back in time: the key stays. */
	c.pos -= len;
	ptap_cursor_look(&c, PTAP_FORMAT_PCAP_NSEC);
	TAP_CHECK(c.key == 10000);
	c.pos = c.end;
	TAP_CHECK(ptap_cursor_empty(&c));
	ptap_cursor_look(&c, PTAP_FORMAT_PCAP_NSEC);
	TAP_CHECK(c.key == 10000);
}

static void test_gallop_clock_back(void)
{
	static const u64 times[] = { 500, 400, 501, 100, 502 };
	struct ptap_cursor c;
	u64 nr, len = 0;
	u32 i;

	for (i = 0; i < 5; i++)
		len += record_make(data + len, PTAP_FORMAT_PCAPNG, times[i], 0);
	c = cursor(0, len);
	ptap_cursor_look(&c, PTAP_FORMAT_PCAPNG);
	ptap_cursor_gallop(&c, PTAP_FORMAT_PCAPNG, 500, U64_MAX, U64_MAX, &nr);
	TAP_CHECK(nr == 2);
	TAP_CHECK(c.key == 501);
	c.pos += 2 * PTAP_EPB_MIN_LEN;
	ptap_cursor_gallop(&c, PTAP_FORMAT_PCAPNG, 501, U64_MAX, U64_MAX, &nr);
	TAP_CHECK(nr == 2);
	TAP_CHECK(c.key == 502);
}

static const struct tap_test tests[] = {
	{ "size of a record", test_size },
	{ "time of a record", test_time },
	{ "size of a malformed record", test_size_malformed },
	{ "cursor looks at its record", test_look },
	{ "gallop: time, bytes, records", test_gallop_limits },
	{ "gallop: clock steps back", test_gallop_clock_back },
	{ "gallop: garbage", test_gallop_garbage },
	{ "gallop: record cut at the end of the mapping", test_gallop_cut },
};

int main(void)
{
	data = ring_map(SIZE);
	return TAP_RUN(tests);
}
