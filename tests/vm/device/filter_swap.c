// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Replacing the filter of a running session.
 *
 * Two programs accept kind A; the first also B, the second also C.  While they
 * are swapped as fast as can be, two CPUs send A, B and C.  No A may be lost
 * or come twice, and while only one program can be in effect (after the call
 * that set it returned, before the next one) nothing appears that it refuses.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include "common.h"
#include "filter_test.h"

enum { KIND_A, KIND_B, KIND_C, KINDS };

#define SWAPS_MAX	100000U

/* Refuse this kind, accept everything else. */
#define ALL_BUT(kind)							\
	{								\
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_KIND_OFF),	\
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kind, 1, 0),	\
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),			\
		BPF_STMT(BPF_RET | BPF_K, 0),				\
	}

static const struct sock_filter programs[2][4] = {
	ALL_BUT(KIND_C), ALL_BUT(KIND_B),
};

/**
 * struct swaps - what was in effect when
 * @from: program i % 2 alone from here (the call has returned)
 * @to: until here (the next call begins)
 */
struct swaps {
	uint64_t *from;
	uint64_t *to;
	uint32_t nr;
	uint32_t at;
	uint64_t wrong;
	uint64_t alone;
	struct tally tally;
};

static void swap_packet(void *arg, const struct packet *p)
{
	struct swaps *s = arg;
	struct frame f;

	tally_packet(&s->tally, p);
	if (!frame_check(p->data, p->caplen, 0, &f))
		return;
	/* Packets come in order of time. */
	while (s->at < s->nr && p->ts > s->to[s->at])
		s->at++;
	if (s->at == s->nr || p->ts <= s->from[s->at])
		return;
	s->alone++;
	s->wrong += f.kind == (s->at % 2 ? KIND_B : KIND_C);
}

static void swap_for(struct swaps *s, int fd, uint64_t ns)
{
	uint64_t until = mono_ns() + ns;

	s->from[0] = now_ns();
	while (mono_ns() < until && s->nr + 1 < SWAPS_MAX) {
		s->to[s->nr++] = now_ns();
		REQUIRE(!session_filter(fd, programs[s->nr % 2], 4),
			"FILTER: %m");
		s->from[s->nr] = now_ns();
		/* Now and then give the program some time alone. */
		if (s->nr % 4 == 0)
			sleep_us(2000);
	}
	s->to[s->nr++] = now_ns();
}

static void expect_kind_a(const struct swaps *s, uint8_t sender, uint64_t sent)
{
	uint64_t i;

	for (i = KIND_A; i < sent; i += KINDS)
		CHECK(tally_has(&s->tally, sender, i),
		      "frame %llu of sender %u is lost", (unsigned long long)i,
		      sender);
}

static void swap_run(uint32_t copybreak)
{
	struct sender snd[2];
	pthread_t threads[2];
	struct swaps s = { 0 };
	struct capture c;
	bool stop = false;
	int fd, i;

	net_dummy("d0");
	s.from = calloc(SWAPS_MAX, sizeof(*s.from));
	s.to = calloc(SWAPS_MAX, sizeof(*s.to));
	REQUIRE(s.from && s.to, "no memory");
	tally_init(&s.tally);
	fd = session_setup("d0", SETUP_COPYBREAK(copybreak,
						 .ring_size = 64 << 20));
	REQUIRE(!session_filter(fd, programs[0], 4), "FILTER: %m");
	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	for (i = 0; i < 2; i++) {
		snd[i] = (struct sender){
			.dev = "d0", .id = i, .nr = 200000, .size = 100,
			.kinds = KINDS, .cpu = i % nr_cpus() + 1,
			.stop = &stop, .pause_us = 50,
		};
		TEST_THREAD(threads[i], sender_thread, &snd[i]);
	}
	swap_for(&s, fd, 3000000000ULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	session_stop(fd);
	capture_init(&c, fd, swap_packet, &s);
	capture_finish(&c, fd);
	for (i = 0; i < 2; i++)
		expect_kind_a(&s, i, snd[i].sent);
	CHECK(!s.wrong, "%llu packets of the old program after the swap",
	      (unsigned long long)s.wrong);
	CHECK(s.nr > 10 && s.tally.kinds[KIND_B] && s.tally.kinds[KIND_C],
	      "%u swaps", s.nr);
	tap_note("%u swaps, %llu and %llu frames sent, %llu packets judged alone",
		 s.nr, (unsigned long long)snd[0].sent,
		 (unsigned long long)snd[1].sent, (unsigned long long)s.alone);
}

void swap_under_load(void)
{
	swap_run(2048);
}

void swap_under_load_cloned(void)
{
	swap_run(0);
}

/* One CPU: after the call not a single packet is judged by the old one. */
void swap_takes_effect(void)
{
	struct ptap_stats a, b;
	struct sender s = { .dev = "d0", .nr = 9, .size = 100, .kinds = KINDS };
	int fd, i;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	for (i = 0; i < 20; i++) {
		REQUIRE(!session_filter(fd, programs[i % 2], 4), "FILTER: %m");
		a = session_stats(fd, PTAP_RING_ALL);
		sender_run(&s);
		b = session_stats(fd, PTAP_RING_ALL);
		CHECK(b.captured - a.captured == 6 &&
		      b.filtered - a.filtered == 3, "round %d", i);
		s.first += s.nr;
	}
	capture_discard(fd);
}
