// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tcpblast.c - one TCP connection at full speed.
 *
 *	tcpblast -l PORT		receive one connection to its end
 *	tcpblast ADDRESS PORT MIB TIMES PAUSE
 *
 * The sender sends MIB MiB TIMES times, with PAUSE milliseconds between.  The
 * receiver is told the length of each and confirms its end with a byte of its
 * own, so that the time covers the whole way.  One more before them is not
 * timed: it is there for the connection's window to grow.  Prints {"bytes": N,
 * "seconds": [S, ...]}, the bytes of one time.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	(256 << 10)

static char chunk[CHUNK];

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};

	if (inet_pton(AF_INET, host, &at.sin_addr) != 1)
		errx(2, "%s is no address", host);
	return at;
}

/* False at the end of the connection. */
static bool read_all(int fd, void *to, size_t len)
{
	ssize_t n;

	for (; len; to = (char *)to + n, len -= n) {
		n = read(fd, to, len);
		if (n < 0)
			err(1, "read");
		if (!n)
			return false;
	}
	return true;
}

static int receive(const char *port)
{
	struct sockaddr_in at = address("0.0.0.0", port);
	int one = 1, fd, s = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t left;
	ssize_t n;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 1))
		err(1, "port %s", port);
	fprintf(stderr, "ready\n");
	fd = accept(s, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	while (read_all(fd, &left, sizeof(left))) {
		for (; left; left -= n) {
			n = read(fd, chunk, left < CHUNK ? left : CHUNK);
			if (n <= 0)
				err(1, "connection");
		}
		if (write(fd, "!", 1) != 1)
			err(1, "connection");
	}
	close(fd);
	return 0;
}

/* Seconds until the receiver had them. */
static double send_once(int s, uint64_t bytes)
{
	double start = now_s();
	ssize_t n;
	char c;

	if (write(s, &bytes, sizeof(bytes)) != sizeof(bytes))
		err(1, "write");
	for (; bytes; bytes -= n) {
		n = write(s, chunk, bytes < CHUNK ? bytes : CHUNK);
		if (n <= 0)
			err(1, "write");
	}
	if (read(s, &c, 1) != 1)
		err(1, "the receiver did not confirm");
	return now_s() - start;
}

static int send_all(const char *host, const char *port, uint64_t bytes,
		    int times, int pause_ms)
{
	struct sockaddr_in at = address(host, port);
	int i, s = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(s, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s port %s", host, port);
	send_once(s, bytes);
	printf("{\"bytes\": %llu, \"seconds\": [", (unsigned long long)bytes);
	for (i = 0; i < times; i++) {
		poll(NULL, 0, pause_ms);
		printf("%s%.7f", i ? ", " : "", send_once(s, bytes));
	}
	printf("]}\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-l"))
		return receive(argv[2]);
	if (argc == 6)
		return send_all(argv[1], argv[2],
				strtoull(argv[3], NULL, 10) << 20,
				atoi(argv[4]), atoi(argv[5]));
	fprintf(stderr, "usage: tcpblast -l PORT | ADDRESS PORT MIB TIMES PAUSE\n");
	return 2;
}
