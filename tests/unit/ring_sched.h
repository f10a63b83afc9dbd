/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A scheduler that runs a few tasks in every order, to a bound.
 *
 * The accessors of shared memory are replaced by ones that let the scheduler in
 * before each access; include this before ring_proto.h.  Tasks are coroutines,
 * so that nothing happens at the same time.  The choices of a run are a path in
 * a tree; the next run repeats it up to its last choice that has another
 * branch, until there is none (depth first, without a memory of states).
 *
 * Bounded are the preemptions (switches away from a task that could go on), and
 * what else a run may contain: packets that interrupt task 0, and stores that
 * are held back.  Without the latter, memory is sequentially consistent.  A
 * store that is held back waits, with all later stores of its task, in a FIFO
 * that the task itself sees, until the scheduler writes it out: this is
 * x86-TSO.  Weaker orders, which acquire and release are about, are not
 * modelled.
 */
#ifndef PTAP_UNIT_RING_SCHED_H
#define PTAP_UNIT_RING_SCHED_H

#include <ucontext.h>
#include "atomics.h"
#include "tap.h"

#define SCHED_TASKS	3U
#define SCHED_DEPTH	2048U
#define SCHED_TRACE	1024U
#define SCHED_STACK	65536U

struct sched_write {
	void *p;
	u64 v;
	size_t size;
};

struct sched_task {
	ucontext_t ctx;
	void (*run)(void);
	const bool *waits;
	bool done;
	u32 nr_held;
	struct sched_write held[64];
	u8 stack[SCHED_STACK] __attribute__((aligned(16)));
};

/* What a run may contain, and who looks at it. */
struct sched_bounds {
	u32 preemptions;
	u32 interrupts;
	u32 holds;
};

struct sched_step {
	char what;
	u32 task;
	const void *p;
	u64 v;
};

static struct {
	struct sched_task task[SCHED_TASKS];
	u32 nr_tasks;
	u32 cur;
	bool running;
	bool in_interrupt;
	struct sched_bounds left;
	void (*interrupt)(void);
	void (*check)(void);
	const char *(*name)(const void *p);
	ucontext_t main;
	u8 choice[SCHED_DEPTH];
	u8 width[SCHED_DEPTH];
	u32 depth;
	u32 len;
	struct sched_step trace[SCHED_TRACE];
	u32 nr_trace;
} sched;

static u32 sched_choose(u32 width)
{
	u32 d = sched.depth;

	if (width <= 1)
		return 0;
	if (d == SCHED_DEPTH) {
		TAP_CHECK(d < SCHED_DEPTH);
		return 0;
	}
	if (d == sched.len) {
		sched.choice[d] = 0;
		sched.width[d] = width;
		sched.len++;
	}
	TAP_CHECK(sched.width[d] == width);
	sched.depth++;
	return sched.choice[d];
}

/* Go to the next path; false when all were taken. */
static bool sched_advance(void)
{
	while (sched.len &&
	       sched.choice[sched.len - 1] + 1 == sched.width[sched.len - 1])
		sched.len--;
	if (!sched.len)
		return false;
	sched.choice[sched.len - 1]++;
	return true;
}

static void sched_log(char what, const void *p, u64 v)
{
	if (sched.nr_trace < SCHED_TRACE)
		sched.trace[sched.nr_trace++] = (struct sched_step){
			.what = what, .task = sched.cur, .p = p, .v = v,
		};
}

static void sched_print(void)
{
	const struct sched_step *s;
	u32 i;

	tap_note("task: R load, W store, H store held back, F written out, ! interrupt, C exchange");
	for (i = 0; i < sched.nr_trace; i++) {
		s = &sched.trace[i];
		tap_note("%*s%u: %c %s %#llx", (int)s->task * 30, "", s->task,
			 s->what, s->p ? sched.name(s->p) : "",
			 (unsigned long long)s->v);
	}
}

static void sched_write(const struct sched_write *w)
{
	if (w->size == sizeof(u64))
		*(u64 *)w->p = w->v;
	else
		*(u32 *)w->p = w->v;
}

static u64 sched_read(const void *p, size_t size)
{
	return size == sizeof(u64) ? *(const u64 *)p : *(const u32 *)p;
}

static void sched_flush(u32 t)
{
	struct sched_task *task = &sched.task[t];
	u32 i;

	for (i = 0; i < task->nr_held; i++) {
		sched_write(&task->held[i]);
		sched_log('F', task->held[i].p, task->held[i].v);
		if (sched.running)
			sched.check();
	}
	task->nr_held = 0;
}

static bool sched_runnable(u32 t)
{
	const struct sched_task *task = &sched.task[t];

	return !task->done && !(task->waits && *task->waits);
}

/* The @n-th runnable task that is not the current one; nr_tasks for none. */
static u32 sched_other(u32 n)
{
	u32 t;

	for (t = 0; t < sched.nr_tasks; t++)
		if (t != sched.cur && sched_runnable(t) && !n--)
			break;
	return t;
}

static u32 sched_nr_others(void)
{
	u32 n = 0;

	while (sched_other(n) < sched.nr_tasks)
		n++;
	return n;
}

static void sched_switch(u32 to)
{
	u32 from = sched.cur;

	sched.cur = to;
	swapcontext(&sched.task[from].ctx, &sched.task[to].ctx);
}

/* Only here do tasks change, stores arrive late, and interrupts come. */
static void sched_point(void)
{
	u32 c, t, nr_others, nr_held;
	bool may_interrupt;

	if (!sched.running)
		return;
again:
	sched.check();
	if (tap_has_failed()) {
		sched.running = false;
		setcontext(&sched.main);
	}
	nr_others = sched.left.preemptions ? sched_nr_others() : 0;
	for (nr_held = 0, t = 0; t < sched.nr_tasks; t++)
		nr_held += sched.task[t].nr_held > 0;
	may_interrupt = sched.left.interrupts && !sched.cur &&
			!sched.in_interrupt;
	c = sched_choose(1 + nr_others + nr_held + may_interrupt);
	if (!c--)
		return;
	if (c < nr_others) {
		sched.left.preemptions--;
		sched_switch(sched_other(c));
		return;
	}
	c -= nr_others;
	if (c < nr_held) {
		for (t = 0; !sched.task[t].nr_held || c--; t++)
			;
		sched_flush(t);
		goto again;
	}
	sched.left.interrupts--;
	sched.in_interrupt = true;
	sched_log('!', NULL, 0);
	sched.interrupt();
	sched.in_interrupt = false;
	goto again;
}

/* Shared memory ----------------------------------------------------------- */

static inline u64 sched_load(const void *p, size_t size)
{
	const struct sched_task *task = &sched.task[sched.cur];
	u64 v;
	u32 i;

	sched_point();
	v = sched_read(p, size);
	for (i = 0; i < task->nr_held; i++)
		if (task->held[i].p == p)
			v = task->held[i].v;
	sched_log('R', p, v);
	return v;
}

static inline void sched_store(void *p, u64 v, size_t size)
{
	struct sched_write w = { .p = p, .v = v, .size = size };
	struct sched_task *task = &sched.task[sched.cur];
	bool hold = false;

	sched_point();
	if (task->nr_held) {
		hold = true;
	} else if (sched.running && sched.left.holds && sched_choose(2)) {
		sched.left.holds--;
		hold = true;
	}
	sched_log(hold ? 'H' : 'W', p, v);
	if (hold && TAP_CHECK(task->nr_held < 64))
		task->held[task->nr_held++] = w;
	else
		sched_write(&w);
}

static inline u64 sched_cmpxchg(void *p, u64 old, u64 v, size_t size)
{
	struct sched_write w = { .p = p, .v = v, .size = size };
	u64 was;

	sched_point();
	sched_flush(sched.cur);
	was = sched_read(p, size);
	if (was == old)
		sched_write(&w);
	sched_log('C', p, was == old ? v : was);
	return was;
}

#undef READ_ONCE
#undef WRITE_ONCE
#undef smp_load_acquire
#undef smp_store_release
#undef cmpxchg
#define READ_ONCE(x)	((__typeof__((x) + 0))sched_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, v) sched_store(&(x), (v), sizeof(x))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define cmpxchg(p, old, v)	sched_cmpxchg((p), (old), (v), sizeof(*(p)))

/* A lock: waiting is no choice, and costs no preemption. */
static inline void sched_lock(bool *lock)
{
	sched_point();
	if (sched.running && *lock) {
		sched.task[sched.cur].waits = lock;
		sched_switch(sched_other(sched_choose(sched_nr_others())));
		sched.task[sched.cur].waits = NULL;
	}
	TAP_CHECK(!*lock);
	*lock = true;
}

static inline void sched_unlock(bool *lock)
{
	*lock = false;
}

/* Runs -------------------------------------------------------------------- */

static void sched_task_main(void)
{
	sched.task[sched.cur].run();
	sched.task[sched.cur].done = true;
	if (sched_nr_others()) {
		sched.cur = sched_other(sched_choose(sched_nr_others()));
		setcontext(&sched.task[sched.cur].ctx);
	}
	setcontext(&sched.main);
}

static void sched_task_init(struct sched_task *task)
{
	task->done = false;
	task->waits = NULL;
	task->nr_held = 0;
	getcontext(&task->ctx);
	task->ctx.uc_stack.ss_sp = task->stack;
	task->ctx.uc_stack.ss_size = sizeof(task->stack);
	makecontext(&task->ctx, sched_task_main, 0);
}

/* One run; then all stores have arrived. */
static void sched_run(const struct sched_bounds *bounds)
{
	u32 t;

	sched.left = *bounds;
	sched.depth = 0;
	sched.nr_trace = 0;
	sched.cur = 0;
	sched.in_interrupt = false;
	for (t = 0; t < sched.nr_tasks; t++)
		sched_task_init(&sched.task[t]);
	sched.running = true;
	swapcontext(&sched.main, &sched.task[0].ctx);
	sched.running = false;
	for (t = 0; t < sched.nr_tasks; t++)
		sched_flush(t);
	sched.check();
}

/* Run @begin, the tasks, @end, on every path; the number of paths. */
static u64 sched_explore(const struct sched_bounds *bounds,
			 void (*begin)(void), void (*end)(void))
{
	u64 nr = 0;

	sched.len = 0;
	do {
		begin();
		sched_run(bounds);
		end();
		nr++;
	} while (!tap_has_failed() && sched_advance());
	if (tap_has_failed()) {
		tap_note("run %llu:", (unsigned long long)nr);
		sched_print();
	}
	return nr;
}

#endif /* PTAP_UNIT_RING_SCHED_H */
