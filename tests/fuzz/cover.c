// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What is reached in the module, as KCOV tells, and the programs that reached
 * it.  Only the module is built with it (tests/sanitize/run.sh), so an address
 * that is new is one of the module.  Without KCOV nothing is ever new.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kcov.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"

#define KCOV_ENTRIES	(1U << 14)

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return rng_next(r) % n;
}

bool rng_once(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

void cover_open(struct worker *w)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	void *p;

	w->kcov = NULL;
	if (fd < 0)
		return;
	if (ioctl(fd, KCOV_INIT_TRACE, KCOV_ENTRIES))
		return;
	p = mmap(NULL, KCOV_ENTRIES * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	if (p != MAP_FAILED && !ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		w->kcov = p;
}

void cover_begin(struct worker *w)
{
	if (w->kcov)
		__atomic_store_n(&w->kcov[0], 0, __ATOMIC_RELAXED);
}

static bool cover_see(uint64_t pc)
{
	uint32_t i = pc * 0x9e3779b97f4a7c15ULL >> (64 - COVER_BITS);

	if (__atomic_load_n(&state->cover[i], __ATOMIC_RELAXED))
		return false;
	if (__atomic_exchange_n(&state->cover[i], 1, __ATOMIC_RELAXED))
		return false;
	__atomic_add_fetch(&state->nr_cover, 1, __ATOMIC_RELAXED);
	return true;
}

bool cover_end(struct worker *w)
{
	bool new = false;
	uint64_t i, nr;

	if (!w->kcov)
		return false;
	nr = __atomic_load_n(&w->kcov[0], __ATOMIC_RELAXED);
	for (i = 1; i <= nr && i < KCOV_ENTRIES; i++)
		new |= cover_see(w->kcov[i]);
	return new;
}

void corpus_add(const struct program *p)
{
	uint32_t i = __atomic_fetch_add(&state->nr_corpus, 1, __ATOMIC_RELAXED);

	if (i < CORPUS_MAX)
		state->corpus[i] = *p;
}

static void program_random(struct rng *r, struct program *p)
{
	uint32_t i;

	p->nr = 1 + rng_below(r, PROGRAM_MAX);
	for (i = 0; i < p->nr; i++)
		p->calls[i] = call_random(r);
}

/* Change, insert, remove or repeat a call; keep what it calls, or not. */
static void program_change(struct rng *r, struct program *p)
{
	uint32_t at = rng_below(r, p->nr);
	uint64_t *c = &p->calls[at];

	switch (rng_below(r, 5)) {
	case 0:
		*c = call_random(r);
		break;
	case 1:
		*c = (*c >> 56 << 56) | (rng_next(r) >> 8);
		break;
	case 2:
		if (p->nr == PROGRAM_MAX)
			break;
		memmove(c + 1, c, (p->nr++ - at) * sizeof(*c));
		if (rng_once(r, 2))
			*c = call_random(r);
		break;
	case 3:
		if (p->nr == 1)
			break;
		memmove(c, c + 1, (--p->nr - at) * sizeof(*c));
		break;
	default:
		c[0] = p->calls[rng_below(r, p->nr)];
	}
}

void corpus_pick(struct rng *r, struct program *p)
{
	uint32_t nr = __atomic_load_n(&state->nr_corpus, __ATOMIC_RELAXED);
	uint32_t changes = rng_below(r, 6);

	if (nr > CORPUS_MAX)
		nr = CORPUS_MAX;
	if (!nr || rng_once(r, 3)) {
		program_random(r, p);
		return;
	}
	*p = state->corpus[rng_below(r, nr)];
	/* Another thread may have just begun to write it. */
	if (!p->nr || p->nr > PROGRAM_MAX)
		program_random(r, p);
	while (changes--)
		program_change(r, p);
}
