// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * v3reader.c - the smallest honest reader of AF_PACKET's TPACKET_V3.
 *
 *	v3reader -i IFACE [-b MIB] [-f SOCKETS] [-w FILE] [-H | -R]
 *
 * One socket and its ring, or several with PACKET_FANOUT_CPU, a thread each,
 * that share MIB of ring memory.  -w writes pcap records with 1 MiB stdio
 * (FILE, FILE.1, ...); without it only the blocks' headers are looked at.  -H
 * gives nothing back before the end, but for what is there at a SIGUSR1, after
 * which each thread prints "warm"; -R only every 20 ms: the sender's cost
 * alone.  Blocks are of 256 KiB with a timeout of 10 ms.
 *
 * Prints "ready" on standard error when the sockets are bound; on SIGINT or
 * SIGTERM takes what is left and prints one line of JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE	(256u << 10)
#define FRAME_SIZE	2048u
#define RETIRE_MS	10
#define SOCKETS_MAX	8
#define STDIO_SIZE	(1u << 20)
#define QUIET_ROUNDS	3
#define PAUSE_MS	20

/* One socket and who reads it. */
struct reader {
	pthread_t thread;
	int fd;
	uint8_t *ring;
	unsigned int nr_blocks;
	unsigned int next;
	FILE *out;
	uint64_t packets;
	uint64_t bytes;
	uint64_t ring_bytes;
	uint64_t seen;
	uint64_t dropped;
};

static volatile sig_atomic_t stopped, laps;
static bool hold, release;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		laps++;
	else
		stopped = 1;
}

static void reader_open(struct reader *r, unsigned int ifindex, uint64_t bytes,
			unsigned int nr_sockets)
{
	struct tpacket_req3 req = {
		.tp_block_size = BLOCK_SIZE,
		.tp_frame_size = FRAME_SIZE,
		.tp_retire_blk_tov = RETIRE_MS,
	};
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	int version = TPACKET_V3;
	int fanout;

	r->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (r->fd < 0)
		err(1, "packet socket");
	r->nr_blocks = bytes / BLOCK_SIZE;
	req.tp_block_nr = r->nr_blocks;
	req.tp_frame_nr = r->nr_blocks * (BLOCK_SIZE / FRAME_SIZE);
	if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) ||
	    setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		err(1, "ring of %llu bytes", (unsigned long long)bytes);
	r->ring = mmap(NULL, (size_t)r->nr_blocks * BLOCK_SIZE,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       r->fd, 0);
	if (r->ring == MAP_FAILED)
		err(1, "mmap");
	if (bind(r->fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind");
	if (nr_sockets == 1)
		return;
	fanout = (getpid() & 0xffff) | PACKET_FANOUT_CPU << 16;
	if (setsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &fanout,
		       sizeof(fanout)))
		err(1, "fanout");
}

static void reader_out(struct reader *r, const char *file, unsigned int i)
{
	static const uint32_t header[] = {
		0xa1b23c4d, 4u << 16 | 2, 0, 0, 262144, 1
	};
	char name[4096];

	if (i)
		snprintf(name, sizeof(name), "%s.%u", file, i);
	else
		snprintf(name, sizeof(name), "%s", file);
	r->out = fopen(name, "w");
	if (!r->out)
		err(1, "%s", name);
	setvbuf(r->out, NULL, _IOFBF, STDIO_SIZE);
	fwrite(header, sizeof(header), 1, r->out);
}

static void block_take(struct reader *r, struct tpacket_block_desc *b)
{
	struct tpacket3_hdr *h = (void *)((uint8_t *)b +
					  b->hdr.bh1.offset_to_first_pkt);
	uint32_t n = b->hdr.bh1.num_pkts;
	uint32_t record[4];

	r->packets += n;
	r->ring_bytes += b->hdr.bh1.blk_len;
	for (; r->out && n--; h = (void *)((uint8_t *)h + h->tp_next_offset)) {
		record[0] = h->tp_sec;
		record[1] = h->tp_nsec;
		record[2] = h->tp_snaplen;
		record[3] = h->tp_len;
		fwrite(record, sizeof(record), 1, r->out);
		fwrite((uint8_t *)h + h->tp_mac, h->tp_snaplen, 1, r->out);
		r->bytes += sizeof(record) + h->tp_snaplen;
	}
}

static bool block_ready(const struct tpacket_block_desc *b)
{
	return __atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
	       TP_STATUS_USER;
}

/* Until nothing has come for a while, or else until @stopped as well. */
static void reader_take(struct reader *r, bool until_stopped)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	struct tpacket_block_desc *b;
	unsigned int quiet = 0;

	while (quiet < QUIET_ROUNDS) {
		b = (void *)(r->ring + (size_t)r->next * BLOCK_SIZE);
		if (!block_ready(b)) {
			if (release && !stopped)
				poll(NULL, 0, PAUSE_MS);
			else
				quiet = poll(&pfd, 1, 50) ||
					(until_stopped && !stopped) ?
						0 : quiet + 1;
			continue;
		}
		quiet = 0;
		block_take(r, b);
		__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
		r->next = (r->next + 1) % r->nr_blocks;
	}
}

static void *reader_run(void *arg)
{
	struct reader *r = arg;
	struct tpacket_stats_v3 st = { 0 };
	socklen_t len = sizeof(st);
	int lap = 0;

	while (hold && !stopped) {
		if (lap != laps) {
			lap = laps;
			reader_take(r, false);
			fprintf(stderr, "warm\n");
		}
		poll(NULL, 0, PAUSE_MS);
	}
	reader_take(r, true);
	if (r->out && fclose(r->out))
		err(1, "write");
	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		err(1, "statistics");
	r->seen = st.tp_packets;
	r->dropped = st.tp_drops;
	return NULL;
}

static void report(const struct reader *r, unsigned int nr)
{
	struct reader sum = { 0 };
	unsigned int i;

	for (i = 0; i < nr; i++) {
		sum.packets += r[i].packets;
		sum.bytes += r[i].bytes;
		sum.ring_bytes += r[i].ring_bytes;
		sum.seen += r[i].seen;
		sum.dropped += r[i].dropped;
	}
	printf("{\"seen\": %llu, \"captured\": %llu, \"dropped\": %llu, \"bytes\": %llu, \"ring_bytes\": %llu}\n",
	       (unsigned long long)sum.seen, (unsigned long long)sum.packets,
	       (unsigned long long)sum.dropped, (unsigned long long)sum.bytes,
	       (unsigned long long)sum.ring_bytes);
}

int main(int argc, char **argv)
{
	struct reader readers[SOCKETS_MAX] = { 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	const char *iface = NULL, *file = NULL;
	unsigned int i, nr = 1, ifindex;
	uint64_t bytes = 64ull << 20;
	int opt;

	while ((opt = getopt(argc, argv, "i:b:f:w:HR")) != -1) {
		switch (opt) {
		case 'i': iface = optarg; break;
		case 'b': bytes = strtoull(optarg, NULL, 0) << 20; break;
		case 'f': nr = strtoul(optarg, NULL, 0); break;
		case 'w': file = optarg; break;
		case 'H': hold = true; break;
		case 'R': release = true; break;
		default: return 2;
		}
	}
	if (!iface || !nr || nr > SOCKETS_MAX)
		errx(2, "usage: v3reader -i IFACE [-b MIB] [-f SOCKETS] [-w FILE] [-H | -R]");
	ifindex = if_nametoindex(iface);
	if (!ifindex)
		err(1, "%s", iface);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	for (i = 0; i < nr; i++) {
		reader_open(&readers[i], ifindex, bytes / nr, nr);
		if (file)
			reader_out(&readers[i], file, i);
	}
	fprintf(stderr, "ready\n");
	for (i = 0; i < nr; i++)
		if (pthread_create(&readers[i].thread, NULL, reader_run,
				   &readers[i]))
			errx(1, "thread");
	for (i = 0; i < nr; i++)
		pthread_join(readers[i].thread, NULL);
	report(readers, nr);
	return 0;
}
