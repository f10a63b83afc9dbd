// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * latency.c - how long a packet takes to a program that waits for it.
 *
 *	latency IFACE COUNT COMMAND...
 *
 * COMMAND writes a pcap file of IFACE to its standard output.  Sends COUNT
 * frames, one every few milliseconds, and takes the time from each one's time
 * stamp until its record has been read.  Prints one line of JSON: nanoseconds,
 * median and 99th percentile.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS	4000000
#define TIMEOUT_MS	20000

static void take(int fd, void *to, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (len) {
		if (poll(&p, 1, TIMEOUT_MS) != 1)
			errx(1, "no packet came");
		n = read(fd, to, len);
		if (n <= 0)
			errx(1, "the capture ended");
		to = (char *)to + n;
		len -= n;
	}
}

static pid_t start(char **argv, int *from)
{
	int p[2];
	pid_t pid;

	if (pipe(p))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		dup2(p[1], STDOUT_FILENO);
		close(p[0]);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	close(p[1]);
	*from = p[0];
	return pid;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* The next record's time stamp, once all of the record is there. */
static int64_t next_stamp(int fd, int64_t unit)
{
	uint32_t rec[4];
	char frame[2048];

	take(fd, rec, sizeof(rec));
	if (rec[2] > sizeof(frame))
		errx(1, "a record of %u bytes", rec[2]);
	take(fd, frame, rec[2]);
	return rec[0] * 1000000000ll + rec[1] * unit;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	uint8_t frame[60] = {
		2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, 0x88, 0xb5,
	};
	int from, s, i, count;
	uint32_t header[6];
	int64_t *took;
	pid_t pid;

	if (argc < 4)
		errx(2, "usage: latency IFACE COUNT COMMAND...");
	count = atoi(argv[2]);
	took = calloc(count, sizeof(*took));
	s = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = if_nametoindex(argv[1]);
	if (s < 0 || !to.sll_ifindex || !took || count < 1)
		err(1, "%s", argv[1]);
	pid = start(argv + 3, &from);
	take(from, header, sizeof(header));
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	for (i = 0; i < count; i++) {
		if (sendto(s, frame, sizeof(frame), 0, (struct sockaddr *)&to,
			   sizeof(to)) != sizeof(frame))
			err(1, "send");
		took[i] = next_stamp(from, header[0] == 0xa1b23c4d ? 1 : 1000);
		took[i] = now_ns() - took[i];
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGINT);
	waitpid(pid, NULL, 0);
	qsort(took, count, sizeof(*took), compare);
	printf("{\"median\": %lld, \"p99\": %lld, \"count\": %d}\n",
	       (long long)took[count / 2], (long long)took[count * 99 / 100],
	       count);
	return 0;
}
