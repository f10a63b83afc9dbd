// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rings.c - a thread for each ring: nothing is merged and CPUs do not meet, in
 * the kernel or here.  For programs to which order across CPUs means nothing.
 *
 *	rings IFACE SECONDS [FILTER]
 *
 * The library sets the capture up; each thread maps its ring and follows the
 * contract beside struct ptap_ring_control in <linux/ptap.h>.  Packets are not
 * deferred (copybreak), so that nobody has to drain.
 *
 *	cc -pthread -o rings rings.c $(pkg-config --cflags --libs ptap)
 */
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <ptap.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A record of a pcap file, which is what the ring holds. */
struct record {
	uint32_t sec;
	uint32_t nsec;
	uint32_t caplen;
	uint32_t len;
};

struct reader {
	pthread_t thread;
	int fd;
	struct ptap_ring_consumer *con;
	const struct ptap_ring_control *ctl;
	const uint8_t *data;
	uint64_t packets;
	uint64_t bytes;
};

static atomic_bool stopped;

/* Everything up to the head, then give the space back. */
static void take(struct reader *r)
{
	uint64_t head = __atomic_load_n(&r->ctl->head, __ATOMIC_ACQUIRE);
	uint64_t pos = r->con->tail;
	struct record rec;

	while (pos != head) {
		memcpy(&rec, r->data + (pos & (r->ctl->data_size - 1)),
		       sizeof(rec));
		r->packets++;
		r->bytes += rec.len;
		pos += sizeof(rec) + rec.caplen;
	}
	__atomic_store_n(&r->con->tail, pos, __ATOMIC_RELEASE);
}

static void *run(void *arg)
{
	struct reader *r = arg;
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };

	while (!atomic_load(&stopped)) {
		take(r);
		poll(&pfd, 1, 100);
	}
	take(r);
	return NULL;
}

static void *map(int fd, uint64_t offset, size_t len, int prot)
{
	void *at = mmap(NULL, len, prot, MAP_SHARED, fd, offset);

	if (at == MAP_FAILED)
		err(1, "mmap");
	return at;
}

static void map_ring(struct reader *r, int fd, const struct ptap_info *info,
		     uint32_t ring)
{
	uint64_t at = ring * info->ring_stride;
	size_t page = info->page_size;

	r->fd = fd;
	r->con = map(fd, at, page, PROT_READ | PROT_WRITE);
	r->ctl = map(fd, at + page, page, PROT_READ);
	r->data = map(fd, at + 2 * page, 2 * info->ring_size, PROT_READ);
}

int main(int argc, char **argv)
{
	struct ptap_config config = {
		.size = sizeof(config),
		.flags = PTAP_CONFIG_COPYBREAK,
		.copybreak = PTAP_SNAPLEN_MAX,
		.format = PTAP_FORMAT_PCAP_NSEC,
		.nr_ifaces = 1,
	};
	struct ptap *p = ptap_create();
	struct reader *readers;
	struct ptap_info info;
	struct ptap_stats st;
	uint64_t packets = 0;
	const char *iface;
	uint32_t i;

	if (argc < 3 || !p)
		errx(2, "usage: rings IFACE SECONDS [FILTER]");
	iface = argv[1];
	config.ifaces = &iface;
	if (ptap_open(p, &config) || ptap_filter_set(p, argv[3]) ||
	    ptap_info_get(p, &info))
		errx(1, "%s", ptap_error(p));
	readers = calloc(info.nr_rings, sizeof(*readers));
	if (!readers)
		err(1, "no memory");
	for (i = 0; i < info.nr_rings; i++)
		map_ring(&readers[i], ptap_fd(p), &info, i);
	if (ptap_start(p))
		errx(1, "%s", ptap_error(p));
	fprintf(stderr, "reading\n");
	for (i = 0; i < info.nr_rings; i++)
		if (pthread_create(&readers[i].thread, NULL, run, &readers[i]))
			errx(1, "cannot start a thread");

	sleep(atoi(argv[2]));
	ptap_stop(p);
	atomic_store(&stopped, true);
	for (i = 0; i < info.nr_rings; i++) {
		pthread_join(readers[i].thread, NULL);
		printf("ring %u: %llu packets, %llu bytes\n", i,
		       (unsigned long long)readers[i].packets,
		       (unsigned long long)readers[i].bytes);
		packets += readers[i].packets;
	}
	if (ptap_stats_get(p, PTAP_RING_ALL, &st) || st.captured != packets)
		errx(1, "%llu packets were captured, %llu read",
		     (unsigned long long)st.captured,
		     (unsigned long long)packets);
	free(readers);
	ptap_destroy(p);
	return 0;
}
