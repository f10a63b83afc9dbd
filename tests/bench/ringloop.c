// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ringloop.c - what libptap adds to write(), without a kernel module.
 *
 *	ringloop [-f FORMAT] [-s SIZE] [-a AHEAD] FILE
 *
 * Rings in plain memory, filled with packets of SIZE bytes (60), in FORMAT pcap
 * or pcapng, are written to FILE (on a tmpfs; over what is there already) in
 * turn by write() of their memory as it is, and by the library: in the order of
 * time, counted.  Once with all packets in one ring, once with two rings that
 * take turns; AHEAD bytes (0) behind the beginning of the file.  A child fills
 * them, so that they lie in another processor's cache, or in none.  Prints the
 * median of the nanoseconds that a packet takes, and GB/s.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

#define RING_SIZE	(32U << 20)
#define RINGS		2U
#define ROUNDS		31U
#define WRITE_BYTES	(1U << 20)
#define START_NS	1000000000000000000ULL

struct ring {
	struct ptap_ring_control ctl;
	struct ptap_ring_consumer con;
	uint8_t *data;
};

static struct ring rings[RINGS];
static struct ptap_ring_map maps[RINGS];
static uint32_t format = PTAP_FORMAT_PCAP_NSEC;
static uint32_t size = 60;
static off_t ahead;
static uint64_t records;	/* of a round, over all rings */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t later(void *ctx)
{
	(void)ctx;
	return START_NS * 2;
}

static void no_drain(void *ctx, u32 ring)
{
	(void)ctx;
	(void)ring;
}

static const struct ptap_rings_ops ops = { .now_ns = later, .drain = no_drain };

static uint8_t *map_twice(void)
{
	int fd = memfd_create("ring", 0);
	uint8_t *at;
	int i;

	if (fd < 0 || ftruncate(fd, RING_SIZE))
		err(1, "memfd");
	at = mmap(NULL, 2 * RING_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		  -1, 0);
	for (i = 0; i < 2; i++)
		if (at == MAP_FAILED ||
		    mmap(at + i * RING_SIZE, RING_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			err(1, "mmap");
	close(fd);
	return at;
}

static uint32_t record_bytes(void)
{
	if (format == PTAP_FORMAT_PCAPNG)
		return PTAP_EPB_MIN_LEN + (size + 3) / 4 * 4;
	return PTAP_PCAP_RECORD_LEN + size;
}

static void put_record(uint8_t *at, uint64_t ns)
{
	uint32_t epb[] = { 6, record_bytes(), 0, ns >> 32, ns, size, size };
	uint32_t pcap[] = { ns / 1000000000, ns % 1000000000, size, size };

	if (format == PTAP_FORMAT_PCAPNG) {
		memcpy(at, epb, sizeof(epb));
		memset(at + sizeof(epb), 0x5a, record_bytes() - sizeof(epb));
		memcpy(at + record_bytes() - 4, &epb[1], 4);
	} else {
		memcpy(at, pcap, sizeof(pcap));
		memset(at + sizeof(pcap), 0x5a, size);
	}
}

/* A process of its own: the rings are shared, the caches hopefully not. */
static void fill(unsigned int nr)
{
	uint64_t room = (RING_SIZE - WRITE_BYTES) / record_bytes(), i;
	uint64_t head[RINGS];
	unsigned int r;
	pid_t pid;

	for (r = 0; r < nr; r++) {
		rings[r].con.tail = 0;
		head[r] = 0;
	}
	records = room * nr;
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		for (i = 0; i < records; i++) {
			r = i % nr;
			put_record(rings[r].data + (head[r] & (RING_SIZE - 1)),
				   START_NS + 100 * i);
			head[r] += record_bytes();
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	for (r = 0; r < nr; r++)
		rings[r].ctl.head = room * record_bytes();
}

static void drain(int fd, unsigned int nr, struct ptap_rings *set)
{
	static struct iovec iov[PTAP_NR_IOV];
	struct ptap_writer *w = ptap_writer_create(fd, format);
	struct ptap_batch b = {
		.iov = iov, .nr_iov = PTAP_NR_IOV, .max_records = UINT64_MAX,
		.max_bytes = PTAP_BATCH_BYTES_MAX,
	};
	struct ptap_spans spans = { .iov = iov };

	(void)nr;
	do {
		ptap_rings_look(set);
		ptap_rings_peek(set, &b);
		spans.nr = b.nr;
		spans.bytes = b.bytes;
		spans.records = b.records;
		if (b.nr && ptap_writer_put(w, &spans))
			err(1, "write");
		ptap_rings_release(set);
	} while (b.nr);
	if (ptap_writer_records(w) != records)
		errx(1, "%llu of %llu records",
		     (unsigned long long)ptap_writer_records(w),
		     (unsigned long long)records);
	ptap_writer_destroy(w);
}

static void write_raw(int fd, unsigned int nr, struct ptap_rings *set)
{
	uint64_t tail, n;
	unsigned int r;

	(void)set;
	for (r = 0; r < nr; r++) {
		for (tail = rings[r].con.tail; tail != rings[r].ctl.head;
		     tail += n) {
			n = rings[r].ctl.head - tail;
			if (n > WRITE_BYTES)
				n = WRITE_BYTES;
			if (write(fd, rings[r].data + (tail & (RING_SIZE - 1)),
				  n) != (ssize_t)n)
				err(1, "write");
		}
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Both ways in turn. */
static void measure(int fd, unsigned int nr)
{
	static const struct {
		const char *name;
		void (*run)(int fd, unsigned int nr, struct ptap_rings *set);
	} ways[] = { { "write()", write_raw }, { "library", drain } };
	double ns[2][ROUNDS];
	struct ptap_rings set;
	unsigned int i, k;
	uint64_t start;

	for (i = 0; i < ROUNDS; i++) {
		for (k = 0; k < 2; k++) {
			fill(nr);
			if (ptap_rings_init(&set, maps, nr, &ops, NULL))
				errx(1, "no memory");
			if (lseek(fd, ahead, SEEK_SET) < 0)
				err(1, "seek");
			start = now_ns();
			ways[k].run(fd, nr, &set);
			ns[k][i] = (double)(now_ns() - start) / records;
			ptap_rings_exit(&set);
		}
	}
	for (k = 0; k < 2; k++) {
		qsort(ns[k], ROUNDS, sizeof(ns[k][0]), by_value);
		printf("%u ring%s  %s  %6.1f ns a packet  %5.2f GB/s\n", nr,
		       nr == 1 ? " " : "s", ways[k].name, ns[k][ROUNDS / 2],
		       record_bytes() / ns[k][ROUNDS / 2]);
	}
}

int main(int argc, char **argv)
{
	unsigned int r;
	int opt, fd;

	while ((opt = getopt(argc, argv, "a:f:s:")) != -1) {
		switch (opt) {
		case 'f':
			if (!strcmp(optarg, "pcapng"))
				format = PTAP_FORMAT_PCAPNG;
			break;
		case 'a': ahead = strtoul(optarg, NULL, 0); break;
		case 's': size = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (optind != argc - 1)
		errx(2, "usage: ringloop [-f pcap|pcapng] [-s SIZE] [-a AHEAD] FILE");
	fd = open(argv[optind], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err(1, "%s", argv[optind]);
	for (r = 0; r < RINGS; r++) {
		rings[r].ctl = (struct ptap_ring_control){
			.size = sizeof(rings[r].ctl), .abi = PTAP_ABI,
			.ring = r, .format = format, .data_size = RING_SIZE,
		};
		rings[r].data = map_twice();
		maps[r] = (struct ptap_ring_map){
			&rings[r].ctl, &rings[r].con, rings[r].data
		};
	}
	measure(fd, 1);
	measure(fd, 2);
	unlink(argv[optind]);
	return 0;
}
