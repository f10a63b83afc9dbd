// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * refilter.c - a filter that changes while capturing.
 *
 *	refilter IFACE
 *
 * Each line of standard input is the filter from then on; the end of the input
 * is the end of the capture.  Prints the length of each packet.  Waits for
 * both, input and packets, with poll().
 *
 *	cc -o refilter refilter.c $(pkg-config --cflags --libs ptap)
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <ptap.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What has been captured; false when there will be no more. */
static bool print_packets(struct ptap *p)
{
	struct ptap_packet pkt;
	int ret;

	while ((ret = ptap_packet_next(p, &pkt)) > 0)
		printf("%u bytes\n", pkt.len);
	fflush(stdout);
	if (ret < 0 && ret != -ENODATA && ret != -EINTR)
		errx(1, "%s", ptap_error(p));
	return ret != -ENODATA;
}

/* A wrong filter is told, and the old one stays. */
static bool change_filter(struct ptap *p)
{
	char line[1024];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (ptap_filter_set(p, line))
		warnx("%s", ptap_error(p));
	else
		printf("filter: %s\n", line);
	return true;
}

int main(int argc, char **argv)
{
	struct ptap_config config = {
		.size = sizeof(config),
		.flags = PTAP_CONFIG_IMMEDIATE,
		.nr_ifaces = 1,
	};
	struct ptap *p = ptap_create();
	struct pollfd wait[2];
	const char *iface;

	if (argc != 2 || !p)
		errx(2, "usage: refilter IFACE < FILTERS");
	iface = argv[1];
	config.ifaces = &iface;
	if (ptap_open(p, &config) || ptap_start(p))
		errx(1, "%s", ptap_error(p));
	setvbuf(stdin, NULL, _IONBF, 0);	/* poll() sees all of it */
	wait[0] = (struct pollfd){ .fd = ptap_fd(p), .events = POLLIN };
	wait[1] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };

	while (print_packets(p)) {
		if (poll(wait, 2, -1) < 0)
			err(1, "poll");
		if (wait[1].revents && !change_filter(p)) {
			ptap_stop(p);
			wait[1].fd = -1;
		} else if (wait[0].revents) {
			ptap_wait(p, 0, NULL);
		}
	}
	ptap_destroy(p);
	return 0;
}
