// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The ring protocol in every order of its accesses, to a bound of preemptions.
 *
 * Short programs of the producer (small and deferred packets), of a drainer and
 * of a reader run under the scheduler of ring_sched.h.  After every access:
 * head only grows, ends where a record ends, and never covers a record that is
 * not filled in.  After a run and one more drain, everything is published.
 *
 * PTAP_UNIT_SECONDS of 10 or more allow one preemption more: some minutes.
 */
#include "ring_sched.h"
#include "ring_bed.h"

#define REC_SIZE	16U
#define RECS_MAX	16U
#define DATA_SIZE	1024U
#define POISON		0xdddddddddddddddd
#define BODY(seq)	(0x1111111100000000 + (seq))

static struct ptap_ring_control control;
static struct ptap_ring_consumer consumer;
static struct bed bed = { .ctl = &control, .con = &consumer };
static u64 data[DATA_SIZE / sizeof(u64)];

/* What is tried, the same for all runs of a test. */
static struct {
	const char *packets;	/* small, Deferred, Fault */
	u32 drains;
	u32 reads;
	u32 size;
	u32 defer_max;
	bool bounds;		/* the reader relies on busy */
	bool late_stores;
	u64 start;
	u32 queue;
} plan;

/* What happened in this run, as nobody but the test knows it. */
static struct {
	u64 head;
	u64 tail;		/* of the reader */
	u64 clock;
	u64 pos;		/* end of the newest record, also a lost one */
	u64 due;		/* what the current drain must publish */
	u32 done;
	bool drain_lock;
	u64 seq[RECS_MAX];	/* by the number of a record's place */
	u64 time[RECS_MAX];
	u32 nr_read;
} model;

static void check(void);

static u32 place(u64 pos)
{
	u64 nr = (pos - plan.start) / REC_SIZE;

	TAP_CHECK(nr < RECS_MAX);
	return nr % RECS_MAX;
}

static void bed_lock(struct bed *b)
{
	(void)b;
	sched_lock(&model.drain_lock);
	model.due = control.pending;
}

static void bed_unlock(struct bed *b)
{
	(void)b;
	/* Giving a lock back lets no store pass. */
	sched_flush(sched.cur);
	check();
	TAP_CHECK(!ptap_pos_after(model.due, control.head));
	sched_unlock(&model.drain_lock);
}

static u64 *word(u64 pos)
{
	return (u64 *)bed_at(&bed, pos);
}

static void bed_write_head(struct bed *b, u64 seq, u64 pos, u32 size)
{
	(void)b;
	TAP_CHECK(size == REC_SIZE);
	/* An accepted record must fit beside what may still be read. */
	TAP_CHECK(pos + size - model.tail <= plan.size);
	sched_point();
	model.time[place(pos)] = model.clock++;
	model.seq[place(pos)] = seq;
	model.pos = pos + size;
	WRITE_ONCE(word(pos)[0], seq);
	WRITE_ONCE(word(pos)[1], POISON);
}

static void bed_write_body(struct bed *b, u64 seq, u64 pos, u32 size)
{
	(void)b;
	TAP_CHECK(size == REC_SIZE);
	WRITE_ONCE(word(pos)[1], BODY(seq));
}

/* After every access: what a reader could see now. */
static void check(void)
{
	u64 pos, seq;

	/*
	 * What the producer left to the drainer until it gave head back.  With
	 * late stores it may stay behind until the next drain.
	 */
	if (bed.deferq.done != model.done && !plan.late_stores)
		model.due = control.pending;
	model.done = bed.deferq.done;

	if (!TAP_CHECK(!ptap_pos_after(model.head, control.head)) ||
	    !TAP_CHECK((control.head - model.head) % REC_SIZE == 0))
		return;
	for (pos = model.head; pos != control.head; pos += REC_SIZE) {
		if (!TAP_CHECK(ptap_pos_after(model.pos, pos)))
			return;
		seq = model.seq[place(pos)];
		TAP_CHECK(word(pos)[0] == seq);
		TAP_CHECK(word(pos)[1] == BODY(seq));
	}
	model.head = control.head;
	TAP_CHECK(bed.deferq.queued - bed.deferq.done <= bed.defer_max);
}

static const char *name(const void *p)
{
	static char buf[32];
	const u64 *w = p;

	if (p == &control.head)
		return "head";
	if (p == &control.pending)
		return "pending";
	if (p == &control.busy)
		return "busy";
	if (p == &consumer.tail)
		return "tail";
	if (p == &bed.deferq.queued)
		return "queued";
	if (p == &bed.deferq.done)
		return "done";
	snprintf(buf, sizeof(buf), "data[%d]", (int)(w - data));
	return buf;
}

static void produce(void)
{
	struct bed_packet pkt = { .size = REC_SIZE };
	const char *c;

	for (c = plan.packets; *c; c++) {
		pkt.defer = *c == 'D';
		pkt.fault = *c == 'F';
		bed_hook(&bed, &pkt);
	}
}

static void interrupt(void)
{
	struct bed_packet pkt = { .size = REC_SIZE };

	bed_hook(&bed, &pkt);
}

static void drain(void)
{
	u32 i;

	for (i = 0; i < plan.drains; i++)
		bed_drain(&bed);
}

/* Contract (3) of struct ptap_ring_control: is anything before @w missing? */
static void check_bound(u64 w, u64 head)
{
	u64 pos;

	for (pos = head; ptap_pos_after(model.pos, pos); pos += REC_SIZE)
		TAP_CHECK(model.time[place(pos)] >= w);
}

static void consume(u64 head)
{
	u64 seq;

	for (; model.tail != head; model.tail += REC_SIZE) {
		seq = model.seq[place(model.tail)];
		TAP_CHECK(READ_ONCE(word(model.tail)[0]) == seq);
		TAP_CHECK(READ_ONCE(word(model.tail)[1]) == BODY(seq));
		model.nr_read++;
	}
	ptap_cons_release(&consumer, head);
}

static void read_ring(void)
{
	u64 w, head;
	bool busy;
	u32 i;

	for (i = 0; i < plan.reads; i++) {
		sched_point();
		w = model.clock++;
		busy = ptap_cons_busy(&control);
		if (ptap_cons_end(&control) != ptap_cons_head(&control))
			bed_drain(&bed);
		head = ptap_cons_head(&control);
		if (!busy && plan.bounds)
			check_bound(w, head);
		consume(head);
	}
}

static void begin(void)
{
	memset(&model, 0, sizeof(model));
	memset(data, 0, sizeof(data));
	bed.data = (u8 *)data;
	bed.defer_max = plan.defer_max;
	bed_reset(&bed, plan.size, plan.start, plan.queue);
	model.head = plan.start;
	model.tail = plan.start;
	model.pos = plan.start;
	model.done = plan.queue;
}

static void end(void)
{
	const struct bed_counters *n = &bed.count;

	if (tap_has_failed())
		return;
	bed_drain(&bed);
	check();
	TAP_CHECK(control.head == bed.prod.pos);
	TAP_CHECK(control.busy == 0);
	TAP_CHECK(bed.deferq.done == bed.deferq.queued);
	TAP_CHECK(bed.deferq.queued == bed.prod.queued);
	TAP_CHECK(n->seen == n->captured + bed_dropped(&bed));
	TAP_CHECK(n->captured * REC_SIZE == bed.prod.pos - plan.start);
	TAP_CHECK(!n->bad_consumer);
	if (plan.reads) {
		consume(control.head);
		TAP_CHECK(model.nr_read == n->captured);
	} else {
		TAP_CHECK(!n->full);
	}
}

static u64 explore(struct sched_bounds bounds)
{
	static void (*const task[])(void) = { produce, drain, read_ring };
	u32 t;

	if (tap_seconds() >= 10)
		bounds.preemptions++;
	plan.late_stores = bounds.holds;
	sched.check = check;
	sched.name = name;
	sched.interrupt = interrupt;
	sched.nr_tasks = 0;
	for (t = 0; t < 3; t++)
		if (t == 0 || (t == 1 && plan.drains) || (t == 2 && plan.reads))
			sched.task[sched.nr_tasks++].run = task[t];
	return sched_explore(&bounds, begin, end);
}

static void plan_reset(void)
{
	memset(&plan, 0, sizeof(plan));
	plan.size = DATA_SIZE;
	plan.defer_max = 8;
	plan.drains = 2;
}

static void tell(u64 nr)
{
	tap_note("%llu schedules", (unsigned long long)nr);
}

static void test_named(void)
{
	struct sched_bounds bounds = { .preemptions = 5 };

	plan_reset();
	plan.packets = "sDsD";
	tell(explore(bounds));
}

/* Every program of four packets. */
static void test_programs(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };
	char packets[5] = "";
	u64 nr = 0;
	u32 i, k;

	plan_reset();
	plan.packets = packets;
	for (i = 0; i < 16 && !tap_has_failed(); i++) {
		for (k = 0; k < 4; k++)
			packets[k] = i >> k & 1 ? 'D' : 's';
		nr += explore(bounds);
	}
	tell(nr);
	if (tap_has_failed())
		tap_note("packets: %s", packets);
}

static void test_queue_full(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };

	plan_reset();
	plan.packets = "DDsDD";
	plan.defer_max = 2;
	tell(explore(bounds));
}

static void test_fault(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };

	plan_reset();
	plan.packets = "DFsFD";
	tell(explore(bounds));
}

static void test_wrap(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };

	plan_reset();
	plan.packets = "DsDs";
	plan.start = 0 - 2ULL * REC_SIZE;
	plan.queue = -1;
	tell(explore(bounds));
}

static void test_interrupt(void)
{
	struct sched_bounds bounds = { .preemptions = 2, .interrupts = 2 };

	plan_reset();
	plan.packets = "DsD";
	tell(explore(bounds));
}

static void test_reader(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };

	plan_reset();
	plan.packets = "sDsDs";
	plan.drains = 0;
	plan.reads = 2;
	plan.bounds = true;
	tell(explore(bounds));
}

/* Space is used again while the reader is at it, and runs out. */
static void test_reader_tiny(void)
{
	struct sched_bounds bounds = { .preemptions = 4 };

	plan_reset();
	plan.packets = "DsDsDs";
	plan.drains = 0;
	plan.reads = 2;
	plan.size = 4 * REC_SIZE;
	plan.bounds = true;
	plan.start = 0 - 2ULL * REC_SIZE;
	tell(explore(bounds));
}

static void test_three(void)
{
	struct sched_bounds bounds = { .preemptions = 3 };

	plan_reset();
	plan.packets = "DsDsD";
	plan.drains = 1;
	plan.reads = 2;
	plan.size = 4 * REC_SIZE;
	plan.bounds = true;
	tell(explore(bounds));
}

static void test_tso_drainer(void)
{
	struct sched_bounds bounds = { .preemptions = 2, .holds = 1 };

	plan_reset();
	plan.packets = "DsDs";
	tell(explore(bounds));
}

static void test_tso_reader(void)
{
	struct sched_bounds bounds = { .preemptions = 1, .holds = 2 };

	plan_reset();
	plan.packets = "DsDs";
	plan.drains = 0;
	plan.reads = 1;
	plan.size = 2 * REC_SIZE;
	tell(explore(bounds));
}

static const struct tap_test tests[] = {
	{ "small, deferred, small, deferred against two drains", test_named },
	{ "every program of four packets against two drains", test_programs },
	{ "queue of deferred packets runs full", test_queue_full },
	{ "records given up after their reservation", test_fault },
	{ "positions and queue wrap", test_wrap },
	{ "packets that interrupt the producer", test_interrupt },
	{ "a reader that drains, and its bound", test_reader },
	{ "a reader that drains, tiny ring", test_reader_tiny },
	{ "producer, drainer and reader", test_three },
	{ "late stores (TSO) against two drains", test_tso_drainer },
	{ "late stores (TSO) against a reader", test_tso_reader },
};

int main(void)
{
	/* It would have to be told of each switch, and there are no threads. */
	if (TAP_TSAN)
		return tap_skip_all("coroutines under ThreadSanitizer");
	return TAP_RUN(tests);
}
