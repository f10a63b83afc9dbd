// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * merge.h over several rings: what comes out is sorted by time, complete, in
 * each ring's order, and never beyond an idle ring's bound.
 *
 * Random cases reveal the records of the rings in steps, with bounds that are
 * true (as tight as they can be, now and then), and compare what comes out with
 * a model that takes one record at a time.  PTAP_UNIT_SECONDS scales their
 * number; it is 20000 by default.
 */
#define _GNU_SOURCE
#include "merge_records.h"
#include "ring_map.h"
#include "tap.h"

#define SIZE		16384U
#define RINGS_MAX	8U
#define RECS_MAX	100U

/* A ring with all of its records; cursor.end says how many are revealed. */
struct ring {
	struct ptap_cursor cursor;
	u64 start;
	u32 nr;
	u32 nr_shown;
	u32 nr_out;
	u64 end[RECS_MAX];	/* of each record */
	u64 key[RECS_MAX];	/* its time, made ascending */
};

static struct ring rings[RINGS_MAX];
static struct ptap_cursor cursors[RINGS_MAX];
static u8 *data[RINGS_MAX];
static u32 nr_rings, format;
static u64 last_key, nr_out;
static u64 random_state = 1;

static u32 rnd(u32 n)
{
	random_state = random_state * 6364136223846793005ULL +
		       1442695040888963407ULL;
	return (random_state >> 33) % n;
}

static void ring_begin(u32 i, u64 start)
{
	struct ring *r = &rings[i];

	memset(r, 0, sizeof(*r));
	r->start = start;
	cursors[i] = (struct ptap_cursor){
		.data = data[i], .mask = SIZE - 1, .pos = start, .end = start,
	};
}

static void ring_add(u32 i, u64 time_ns, u32 caplen)
{
	struct ring *r = &rings[i];
	u64 pos = r->nr ? r->end[r->nr - 1] : r->start;
	u64 key = record_time(format, time_ns);

	r->end[r->nr] = pos + record_make(data[i] + (pos & (SIZE - 1)),
					  format, time_ns, caplen);
	if (r->nr && r->key[r->nr - 1] > key)
		key = r->key[r->nr - 1];
	r->key[r->nr++] = key;
}

/* The first @nr records can be read; what comes then is not before @bound. */
static void ring_show(u32 i, u32 nr, u64 bound)
{
	struct ring *r = &rings[i];

	cursors[i].bound = bound;
	r->nr_shown = nr;
	if (nr)
		cursors[i].end = r->end[nr - 1];
	ptap_cursor_look(&cursors[i], format);
}

/* A run came out of ring @i: are these its next records, and late enough? */
static void check_run(u32 i, u64 len, u64 nr)
{
	struct ring *r = &rings[i];
	u32 k, n;

	if (!TAP_CHECK(nr && r->nr_out + nr <= r->nr_shown))
		return;
	for (k = 0; k < nr; k++, r->nr_out++) {
		TAP_CHECK(r->key[r->nr_out] >= last_key);
		last_key = r->key[r->nr_out];
	}
	TAP_CHECK(cursors[i].pos + len == r->end[r->nr_out - 1]);
	/* Nobody had, or could get, anything older. */
	for (n = 0; n < nr_rings; n++)
		if (rings[n].nr_out < rings[n].nr_shown)
			TAP_CHECK(rings[n].key[rings[n].nr_out] >= last_key);
		else if (n != i && cursors[n].bound >= cursors[n].key)
			TAP_CHECK(cursors[n].bound >= last_key);
	nr_out += nr;
}

/* Give out what may go out, in pieces up to @max_bytes and @max_records. */
static void merge(u64 max_bytes, u64 max_records)
{
	struct ptap_run run = { 0 };
	u64 len, nr;

	while (ptap_merge_next(cursors, nr_rings, &run)) {
		if (!TAP_CHECK(run.ring < nr_rings))
			return;
		len = ptap_cursor_gallop(&cursors[run.ring], format, run.limit,
					 max_bytes, max_records, &nr);
		TAP_CHECK(len <= max_bytes && nr <= max_records);
		check_run(run.ring, len, nr);
		if (tap_has_failed())
			return;
		cursors[run.ring].pos += len;
	}
}

/* How many records may go out of all rings, taken one by one? */
static u64 model(void)
{
	u32 at[RINGS_MAX], i, best;
	u64 limit, bound, nr = 0;

	for (i = 0; i < nr_rings; i++)
		at[i] = rings[i].nr_out;
	for (;; nr++, at[best]++) {
		best = RINGS_MAX;
		limit = U64_MAX;
		for (i = 0; i < nr_rings; i++) {
			if (at[i] == rings[i].nr_shown) {
				bound = cursors[i].bound;
				if (at[i] && rings[i].key[at[i] - 1] > bound)
					bound = rings[i].key[at[i] - 1];
				if (bound < limit)
					limit = bound;
			} else if (best == RINGS_MAX || rings[i].key[at[i]] <
				   rings[best].key[at[best]]) {
				best = i;
			}
		}
		if (best == RINGS_MAX || rings[best].key[at[best]] > limit)
			return nr;
	}
}

static void begin(u32 nr, u32 fmt)
{
	u32 i;

	nr_rings = nr;
	format = fmt;
	last_key = 0;
	nr_out = 0;
	for (i = 0; i < nr; i++)
		ring_begin(i, i * 4099);
}

static void test_one_ring(void)
{
	u32 i;

	for (format = 0; format < 3; format++) {
		begin(1, format);
		for (i = 0; i < 5; i++)
			ring_add(0, i * 1000, i);
		/* Alone, nothing holds it back. */
		ring_show(0, 3, 0);
		merge(U64_MAX, U64_MAX);
		TAP_CHECK(nr_out == 3);
		ring_show(0, 5, 0);
		merge(U64_MAX, U64_MAX);
		TAP_CHECK(nr_out == 5);
	}
}

static void test_nothing(void)
{
	struct ptap_run run;

	begin(3, PTAP_FORMAT_PCAPNG);
	TAP_CHECK(!ptap_merge_next(cursors, 3, &run));
	TAP_CHECK(!ptap_merge_next(cursors, 0, &run));
	TAP_CHECK(ptap_merge_newest(cursors, 3) == 0);
}

static void test_bound(void)
{
	begin(2, PTAP_FORMAT_PCAPNG);
	ring_add(0, 1000, 0);
	ring_add(0, 2000, 0);
	ring_show(0, 2, 0);
	ring_show(1, 0, 999);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 0);
	ring_show(1, 0, 1000);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 1);
	ring_show(1, 0, 1999);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 1);
	ring_show(1, 0, 2000);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 2);
}

/* A ring whose records went out vouches by the last of them. */
static void test_bound_by_key(void)
{
	begin(2, PTAP_FORMAT_PCAPNG);
	ring_add(0, 1000, 0);
	ring_add(0, 2000, 0);
	ring_add(1, 1500, 0);
	ring_show(0, 2, 0);
	ring_show(1, 1, 0);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 2);
	ring_show(1, 1, 2000);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 3);
}

static void test_equal_times(void)
{
	u32 i, k;

	begin(4, PTAP_FORMAT_PCAP_NSEC);
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 20; k++)
			ring_add(i, 5000, k);
		ring_show(i, 20, 0);
	}
	merge(U64_MAX, 3);
	TAP_CHECK(nr_out == 80);
}

static void test_extreme_times(void)
{
	begin(2, PTAP_FORMAT_PCAPNG);
	ring_add(0, 0, 0);
	ring_add(0, U64_MAX, 0);
	ring_add(1, U64_MAX - 1, 0);
	ring_add(1, U64_MAX, 0);
	ring_show(0, 2, 0);
	ring_show(1, 2, 0);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 4);
}

static void test_too_big(void)
{
	struct ptap_run run;
	u64 nr = 5;

	begin(1, PTAP_FORMAT_PCAP_NSEC);
	ring_add(0, 1, 100);
	ring_show(0, 1, 0);
	TAP_CHECK(ptap_merge_next(cursors, 1, &run));
	TAP_CHECK(!ptap_cursor_gallop(&cursors[0], format, run.limit, 115,
				      U64_MAX, &nr));
	TAP_CHECK(nr == 0 && !ptap_cursor_empty(&cursors[0]));
	TAP_CHECK(ptap_cursor_gallop(&cursors[0], format, run.limit, 116,
				     U64_MAX, &nr) == 116);
}

/* The clock was set back: bounds made from it say nothing any more. */
static void test_unbind(void)
{
	begin(3, PTAP_FORMAT_PCAPNG);
	ring_add(0, 9000, 0);
	ring_show(0, 1, 0);
	ring_show(1, 0, 400);
	ring_show(2, 0, 8999);
	TAP_CHECK(ptap_merge_newest(cursors, 3) == 9000);
	ptap_merge_unbind(cursors, 3, 400);
	TAP_CHECK(cursors[0].bound == 0);
	TAP_CHECK(cursors[1].bound == U64_MAX);
	TAP_CHECK(cursors[2].bound == 8999);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 0);
	ptap_merge_unbind(cursors, 3, 8999);
	merge(U64_MAX, U64_MAX);
	TAP_CHECK(nr_out == 1);
}

/* A random ring: steps of the clock, equal times, bursts. */
static void random_ring(u32 i)
{
	/* A ring needs not begin at 0; positions wrap as 64-bit numbers. */
	static const u64 starts[] = { 0, 1ULL << 32, 1ULL << 63, 0 - 2000ULL };
	u64 time_ns = 1000000 + rnd(5000);
	u32 step = 1 + rnd(3000), nr = rnd(RECS_MAX + 1), k;

	ring_begin(i, starts[rnd(4)] + rnd(SIZE));
	for (k = 0; k < nr; k++) {
		ring_add(i, time_ns, rnd(100));
		if (rnd(30) == 0)
			time_ns -= rnd(5000);
		else if (rnd(3))
			time_ns += rnd(step);
	}
}

/* Show some more of each ring, and the best or a worse bound that is true. */
static void show_more(bool all)
{
	struct ring *r;
	u64 bound;
	u32 i, nr;

	for (i = 0; i < nr_rings; i++) {
		r = &rings[i];
		nr = all ? r->nr :
		     r->nr_shown + rnd(r->nr - r->nr_shown + 1) / (1 + rnd(3));
		bound = nr < r->nr ? r->key[nr] : U64_MAX;
		if (nr < r->nr && rnd(2))
			bound -= rnd(4000);
		ring_show(i, nr, bound);
	}
}

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The time of the last one that went out, by sorting all of them. */
static u64 sorted_at(u64 n)
{
	static u64 keys[RINGS_MAX * RECS_MAX];
	u64 nr = 0;
	u32 i;

	for (i = 0; i < nr_rings; i++) {
		memcpy(keys + nr, rings[i].key, rings[i].nr * sizeof(*keys));
		nr += rings[i].nr;
	}
	qsort(keys, nr, sizeof(*keys), compare);
	return keys[n];
}

static void random_case(void)
{
	u64 want, total = 0;
	u32 i, step, steps = 1 + rnd(6);

	begin(1 + rnd(RINGS_MAX), rnd(3));
	for (i = 0; i < nr_rings; i++) {
		random_ring(i);
		total += rings[i].nr;
	}
	for (step = 1; step <= steps && !tap_has_failed(); step++) {
		show_more(step == steps);
		want = nr_out + model();
		merge(rnd(2) ? U64_MAX : 200 + rnd(2000),
		      rnd(2) ? U64_MAX : 1 + rnd(10));
		TAP_CHECK(nr_out == want);
		/* What went out is the beginning of the sorted whole. */
		if (nr_out)
			TAP_CHECK(last_key == sorted_at(nr_out - 1));
	}
	TAP_CHECK(nr_out == total);
}

static void test_random(void)
{
	u64 nr = 20000 * tap_seconds(), i;

	for (i = 0; i < nr && !tap_has_failed(); i++)
		random_case();
	tap_note("%llu cases", (unsigned long long)i);
}

static const struct tap_test tests[] = {
	{ "nothing to give out", test_nothing },
	{ "one ring", test_one_ring },
	{ "bound of an idle ring", test_bound },
	{ "last time of an idle ring is a bound", test_bound_by_key },
	{ "equal times", test_equal_times },
	{ "first and last time there is", test_extreme_times },
	{ "record that does not fit", test_too_big },
	{ "bounds are lifted", test_unbind },
	{ "random rings against a model", test_random },
};

int main(void)
{
	u32 i;

	for (i = 0; i < RINGS_MAX; i++)
		data[i] = ring_map(SIZE);
	return TAP_RUN(tests);
}
