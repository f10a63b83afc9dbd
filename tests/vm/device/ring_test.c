// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Mapped rings, read by the contract of struct ptap_ring_control: several CPUs
 * merged by time, release, overload, deferred records, the horizon of SYNC.
 */
#define _GNU_SOURCE
#include "common.h"
#include "ring_test.h"

struct load {
	struct sender s[2];
	pthread_t threads[2];
	bool stop;
};

/* Two senders, each on a CPU of its own. */
static void load_start(struct load *l, uint64_t nr, uint32_t pause_us)
{
	int i;

	for (i = 0; i < 2; i++) {
		l->s[i] = (struct sender){
			.dev = "d0", .id = i, .nr = nr, .size = 60,
			.size_max = 1500, .cpu = i % nr_cpus() + 1,
			.pause_us = pause_us, .stop = &l->stop,
		};
		TEST_THREAD(l->threads[i], sender_thread, &l->s[i]);
	}
}

static void load_join(struct load *l, bool stop)
{
	int i;

	__atomic_store_n(&l->stop, stop, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(l->threads[i], NULL);
}

/* All frames of both CPUs, once, in order of time while they come. */
static void merge_run(struct ptap_setup setup)
{
	struct load load = { 0 };
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd;

	setup.ring_size = 16 << 20;
	fd = session_start("d0", setup);
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	load_start(&load, 8000, 500);
	rings_read_until(&rs, &c, 16000);
	load_join(&load, false);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 8000);
	tally_expect(&t, 1, 0, 8000);
}

/* @head_len: bytes of a record before the packet; @tail_len: and behind it */
static void first_run(uint32_t format, uint64_t first, uint32_t head_len,
		      uint32_t tail_len)
{
	uint32_t lens[2], i;
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd;

	fd = session_start("d0", SETUP(.format = format));
	rings_map(&rs, fd);
	for (i = 0; i < rs.info.nr_rings; i++) {
		CHECK_EQ(ring_tail(&rs.r[i]), first, "tail at first");
		CHECK_EQ(ring_head(&rs.r[i]), first, "head at first");
	}
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 1, 60);
	CHECK_EQ(ring_head(&rs.r[0]), first + head_len + 60 + tail_len,
		 "head behind the first record");
	/* Captured and original length are the last of what is before it. */
	memcpy(lens, rs.r[0].data + first + head_len - sizeof(lens),
	       sizeof(lens));
	CHECK(lens[0] == 60 && lens[1] == 60, "lengths %u, %u", lens[0],
	      lens[1]);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 1);
}

/* The first record lies as in a file. */
static void first_record(void)
{
	net_dummy("d0");
	pin_cpu(0);
	first_run(PTAP_FORMAT_PCAPNG, 0, 28, 4);
	first_run(PTAP_FORMAT_PCAP_NSEC, 24, 16, 0);
	first_run(PTAP_FORMAT_PCAP_USEC, 24, 16, 0);
}

static void merge_copied(void)
{
	need_cpus(2);
	net_dummy("d0");
	merge_run(SETUP());
	merge_run(SETUP(.format = PTAP_FORMAT_PCAP_NSEC));
}

static void merge_cloned(void)
{
	need_cpus(2);
	net_dummy("d0");
	merge_run(SETUP_COPYBREAK(0));
	merge_run(SETUP_COPYBREAK(0, .format = PTAP_FORMAT_PCAP_NSEC));
}

static void merge_mixed(void)
{
	need_cpus(2);
	net_dummy("d0");
	merge_run(SETUP_COPYBREAK(700));
	merge_run(SETUP_COPYBREAK(1400, .meta = PTAP_META_FLAGS));
}

/* read() merges too: capture.c checks the order. */
static void merge_by_read(void)
{
	struct load load = { 0 };
	uint32_t copybreak;
	struct capture c;
	struct tally t;
	int fd;

	need_cpus(2);
	net_dummy("d0");
	for (copybreak = 0; copybreak <= 1400; copybreak += 700) {
		fd = session_start("d0", SETUP_COPYBREAK(copybreak,
							.ring_size = 16 << 20));
		tally_init(&t);
		capture_init(&c, fd, tally_packet, &t);
		load_start(&load, 6000, 500);
		capture_read(&c, fd, 12000, 0);
		load_join(&load, false);
		capture_finish(&c, fd);
		tally_expect(&t, 0, 0, 6000);
		tally_expect(&t, 1, 0, 6000);
	}
}

/* Space comes back as it is released, byte by byte. */
static void release(void)
{
	struct ptap_stats st;
	struct rings rs;
	struct capture c;
	struct tally t;
	struct ring *r;
	uint64_t per;
	int fd;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	r = &rs.r[0];
	per = 32 + 992;		/* 64 of them fill the ring exactly */
	send_frames("d0", 0, 70, 992);
	CHECK_EQ(ring_head(r), 64 * per, "head of a full ring");
	/* A byte less than a record is not enough. */
	ring_release(r, per - 1);
	send_frames("d0", 70, 1, 992);
	CHECK_EQ(ring_head(r), 64 * per, "head after a short release");
	rs.hold = true;
	rings_merge(&rs, &c, true);
	ring_release(r, per);
	send_frames("d0", 71, 3, 992);
	CHECK_EQ(ring_head(r), 65 * per, "head after one record's release");
	rings_merge(&rs, &c, true);
	ring_release(r, 65 * per);
	rs.hold = false;
	send_frames("d0", 74, 65, 992);
	CHECK_EQ(ring_head(r), 129 * per, "head after all was released");
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.dropped[PTAP_DROP_RING_FULL], 6 + 1 + 2 + 1, "RING_FULL");
	rings_finish(&rs, &c);
}

/* Nobody reads: what does not fit is counted, what fits is there. */
static void overload_run(struct ptap_setup setup)
{
	struct load load = { 0 };
	struct ptap_stats st;
	struct rings rs;
	struct capture c;
	struct tally t;
	uint32_t i;
	int fd;

	setup.snaplen = 1600;
	setup.ring_size = 256 << 10;
	fd = session_start("d0", setup);
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	load_start(&load, 5000, 0);
	load_join(&load, false);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.seen, 10000, "seen");
	CHECK_EQ(st.captured + st.dropped[PTAP_DROP_RING_FULL], 10000,
		 "captured and dropped");
	CHECK(st.captured > 200 && st.captured < 9000, "captured %llu",
	      st.captured);
	rings_merge(&rs, &c, true);
	CHECK_EQ(c.packets, st.captured, "read");
	/* It goes on as if nothing had been. */
	for (i = 0; i < 10; i++) {
		send_frames("d0", 10000 + i * 50, 50, 1000);
		rings_merge(&rs, &c, true);
	}
	for (i = 10000; i < 10500; i++)
		CHECK(tally_has(&t, 0, i), "frame %u after the overload", i);
	rings_finish(&rs, &c);
}

static void overload(void)
{
	net_dummy("d0");
	overload_run(SETUP());
	overload_run(SETUP_COPYBREAK(0));
	overload_run(SETUP_COPYBREAK(700, .format = PTAP_FORMAT_PCAP_USEC));
}

/* A reader that is slower than the senders, for a while. */
static void slow_reader(void)
{
	struct load load = { 0 };
	uint64_t until = mono_ns() + 1500000000ULL;
	struct ptap_stats st;
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(1000, .snaplen = 1600,
						 .ring_size = 128 << 10));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	load_start(&load, TALLY_SEQ_MAX, 0);
	while (mono_ns() < until) {
		rings_merge(&rs, &c, false);
		sleep_us(15000);
	}
	load_join(&load, true);
	session_stop(fd);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.seen, load.s[0].sent + load.s[1].sent, "seen");
	CHECK_EQ(st.captured + st.dropped[PTAP_DROP_RING_FULL], st.seen,
		 "captured and dropped");
	CHECK(st.dropped[PTAP_DROP_RING_FULL], "the reader was not slow");
	rings_finish(&rs, &c);
	CHECK_EQ(t.nr[0] + t.nr[1], st.captured, "frames");
}

/* The states of a deferred record: pending, drained, published. */
static void deferred(void)
{
	struct ptap_drain drain = { .size = sizeof(drain) };
	struct rings rs;
	struct capture c;
	struct tally t;
	struct ring *r;
	int fd;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP_COPYBREAK(500));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	r = &rs.r[0];
	send_frames("d0", 0, 1, 96);
	CHECK(ring_head(r) == 128 && !ring_waiting(r), "a copied record");
	send_frames("d0", 1, 2, 992);
	CHECK(ring_head(r) == 128 && ring_waiting(r) == 2048,
	      "head %llu, waiting %llu", (unsigned long long)ring_head(r),
	      (unsigned long long)ring_waiting(r));
	send_frames("d0", 3, 1, 96);
	CHECK(ring_head(r) == 128 && ring_waiting(r) == 2176,
	      "a record behind a deferred one is published");
	drain.ring = rs.info.nr_rings - 1;
	if (drain.ring)
		CHECK(!ioctl(fd, PTAP_IOC_DRAIN, &drain) && !drain.filled,
		      "DRAIN of another ring fills %llu", drain.filled);
	drain.ring = 0;
	CHECK(!ioctl(fd, PTAP_IOC_DRAIN, &drain), "DRAIN: %m");
	CHECK_EQ(drain.filled, 2, "filled");
	CHECK(ring_head(r) == 128 + 2176 && !ring_waiting(r), "after DRAIN");
	send_frames("d0", 4, 1, 96);
	CHECK(ring_head(r) == 256 + 2176 && !ring_waiting(r),
	      "a copied record after DRAIN");
	CHECK_EQ(session_drain(fd), 0, "filled by DRAIN of nothing");
	send_frames("d0", 5, 10, 992);
	CHECK(ring_waiting(r), "nothing waits");
	session_stop(fd);
	CHECK(!ring_waiting(r), "STOP leaves deferred records");
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 15);
}

struct drainer {
	int fd;
	bool stop;
};

static void *drain_always(void *arg)
{
	struct drainer *d = arg;

	while (!__atomic_load_n(&d->stop, __ATOMIC_RELAXED))
		session_drain(d->fd);
	return NULL;
}

/* Two threads drain while two send; the reader only reads. */
static void drain_by_many(void)
{
	struct load load = { 0 };
	struct drainer d = { 0 };
	pthread_t threads[2];
	struct rings rs;
	struct capture c;
	struct tally t;
	int i;

	net_dummy("d0");
	d.fd = session_start("d0", SETUP_COPYBREAK(300, .ring_size = 16 << 20));
	rings_map(&rs, d.fd);
	tally_init(&t);
	capture_init(&c, d.fd, tally_packet, &t);
	for (i = 0; i < 2; i++)
		TEST_THREAD(threads[i], drain_always, &d);
	load_start(&load, 10000, 100);
	rings_read_until(&rs, &c, 20000);
	load_join(&load, false);
	__atomic_store_n(&d.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 10000);
	tally_expect(&t, 1, 0, 10000);
}

/*
 * Every record that appears behind the heads as they were when SYNC returned
 * must be younger than the horizon.
 */
struct watch {
	uint64_t head[RINGS_MAX];
	uint64_t taken_bytes[RINGS_MAX];
	uint64_t horizon;
	uint64_t early;
};

static void watch_packet(void *arg, const struct packet *p)
{
	struct watch *w = arg;
	uint64_t size = 32 + ((p->caplen + 3) & ~3U);

	if (w->taken_bytes[p->ring] >= w->head[p->ring] &&
	    p->ts < w->horizon)
		w->early++;
	w->taken_bytes[p->ring] += size;
}

static void horizon_watch(struct ptap_setup setup)
{
	struct load load = { 0 };
	struct watch w = { 0 };
	struct rings rs;
	struct capture c;
	uint32_t i, round;
	int fd;

	setup.ring_size = 8 << 20;
	fd = session_start("d0", setup);
	rings_map(&rs, fd);
	capture_init(&c, fd, watch_packet, &w);
	load_start(&load, TALLY_SEQ_MAX, 0);
	for (round = 0; round < 40; round++) {
		w.horizon = session_sync(fd);
		for (i = 0; i < rs.info.nr_rings; i++)
			w.head[i] = ring_head(&rs.r[i]);
		rings_read(&rs, &c);
		rings_read(&rs, &c);
	}
	load_join(&load, true);
	CHECK(!w.early, "%llu records behind the head are before the horizon",
	      (unsigned long long)w.early);
	/* Until now ring by ring, from here on in order of time. */
	c.last_ts = 0;
	rings_finish(&rs, &c);
}

static void horizon(void)
{
	net_dummy("d0");
	horizon_watch(SETUP());
	horizon_watch(SETUP_COPYBREAK(0));
	horizon_watch(SETUP_COPYBREAK(700));
}

static const struct test tests[] = {
	{ "the first record lies as in a file", first_record },
	{ "two CPUs merged by time, copied", merge_copied },
	{ "two CPUs merged by time, cloned", merge_cloned },
	{ "two CPUs merged by time, some cloned", merge_mixed },
	{ "two CPUs merged by read", merge_by_read },
	{ "space is used as it is released", release },
	{ "overload: drops are exact", overload },
	{ "a slow reader: drops are exact", slow_reader },
	{ "deferred records: pending, DRAIN, head", deferred },
	{ "several threads drain", drain_by_many },
	{ "SYNC: nothing before the horizon comes later", horizon },
	{ "hostile consumer: odd positions", hostile_values },
	{ "hostile consumer: scribbled on under traffic", hostile_scribbler },
	{ "the same with clones", hostile_scribbler_cloned },
	{ "hostile consumer: the whole page", hostile_whole_page },
	{ "rings are made of memory that was stained", fresh_memory },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
