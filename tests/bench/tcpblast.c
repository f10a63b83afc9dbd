// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tcpblast.c - one TCP connection at full speed.
 *
 *	tcpblast -l PORT		receive one connection to its end
 *	tcpblast ADDRESS PORT MIB	send so many MiB, wait until all arrived
 *
 * The sender prints {"bytes": N, "seconds": S} when the receiver has confirmed
 * with a byte of its own, so that S covers the whole way.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
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

static int receive(const char *port)
{
	struct sockaddr_in at = address("0.0.0.0", port);
	int one = 1, fd, s = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 1))
		err(1, "port %s", port);
	fprintf(stderr, "ready\n");
	fd = accept(s, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		;
	if (n < 0 || write(fd, "!", 1) != 1)
		err(1, "connection");
	close(fd);
	return 0;
}

static int send_all(const char *host, const char *port, uint64_t bytes)
{
	struct sockaddr_in at = address(host, port);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t left = bytes;
	double start;
	ssize_t n;

	if (connect(s, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s port %s", host, port);
	start = now_s();
	while (left) {
		n = write(s, chunk, left < CHUNK ? left : CHUNK);
		if (n <= 0)
			err(1, "write");
		left -= n;
	}
	shutdown(s, SHUT_WR);
	if (read(s, chunk, 1) != 1)
		err(1, "the receiver did not confirm");
	printf("{\"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)bytes, now_s() - start);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-l"))
		return receive(argv[2]);
	if (argc == 4)
		return send_all(argv[1], argv[2],
				strtoull(argv[3], NULL, 10) << 20);
	fprintf(stderr, "usage: tcpblast -l PORT | ADDRESS PORT MIB\n");
	return 2;
}
