// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * library_test.c - libptap as a program uses it, on the real device: packets
 * one by one and spans of file bytes, in both modes and all formats, a filter
 * that is replaced while running, errors in words, counters that add up.
 *
 * Runs in the VM as root with the module loaded; traffic is UDP over lo, in a
 * network namespace of its own.  Prints TAP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../userspace/libptap/ptap.h"

#define NR_DATAGRAMS	50U
#define SIZE		200U
#define UDP_DATA	42U	/* behind Ethernet, IPv4 and UDP headers */

static unsigned int nr_tests, nr_failed;

static bool result(bool passed, const char *fmt, ...)
{
	va_list args;

	nr_tests++;
	nr_failed += !passed;
	printf("%s %u - ", passed ? "ok" : "not ok", nr_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return passed;
}

/* Datagrams to @port, numbered from @first in their first four bytes. */
static void blast(uint16_t port, uint32_t first, uint32_t nr)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t data[SIZE] = { 0 };
	uint32_t i;

	for (i = first; i < first + nr; i++) {
		memcpy(data, &i, sizeof(i));
		sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to,
		       sizeof(to));
	}
	close(fd);
}

static struct ptap *open_lo(const struct ptap_config *like, const char *filter)
{
	static const char *const ifaces[] = { "lo" };
	struct ptap_config config = *like;
	struct ptap *p = ptap_create();

	config.size = sizeof(config);
	config.ifaces = ifaces;
	config.nr_ifaces = 1;
	if (ptap_open(p, &config) || ptap_filter_set(p, filter) ||
	    ptap_start(p)) {
		printf("# %s\n", ptap_error(p));
		ptap_destroy(p);
		return NULL;
	}
	return p;
}

/* A loaded machine receives what was sent to lo a little later. */
static void wait_captured(struct ptap *p, uint64_t nr)
{
	struct ptap_stats st;
	int tries = 5000;

	while (!ptap_stats_get(p, PTAP_RING_ALL, &st) && st.captured < nr &&
	       tries--)
		poll(NULL, 0, 2);
}

/* Everything seen is captured, filtered or dropped, and everything is taken. */
static bool identity(struct ptap *p, uint64_t taken)
{
	struct ptap_stats st;

	return !ptap_stats_get(p, PTAP_RING_ALL, &st) &&
	       st.seen == st.captured + st.filtered + ptap_stats_dropped(&st) &&
	       st.captured == taken && st.consumed == taken;
}

static bool packet_is(const struct ptap_packet *pkt, uint32_t number,
		      uint64_t after_ns)
{
	uint32_t got;

	if (pkt->len != UDP_DATA + SIZE || pkt->caplen != pkt->len ||
	    pkt->linktype != 1 || pkt->iface || pkt->ts_ns < after_ns)
		return false;
	memcpy(&got, pkt->data + UDP_DATA, sizeof(got));
	return got == number;
}

/* Returns the number of packets that came as they should, or -1. */
static long iterate(struct ptap *p)
{
	struct ptap_packet pkt;
	uint64_t last_ns = 0;
	uint32_t nr = 0;
	int ret;

	for (;;) {
		ret = ptap_packet_next(p, &pkt);
		if (ret == -ENODATA)
			return nr;
		if (ret < 0)
			return -1;
		if (!ret) {
			ptap_wait(p, 1000, NULL);
			continue;
		}
		if (!packet_is(&pkt, nr, last_ns))
			return -1;
		last_ns = pkt.ts_ns;
		if (++nr == NR_DATAGRAMS)
			ptap_stop(p);
	}
}

static void test_packets(uint32_t mode, uint32_t format, bool clone)
{
	struct ptap_config config = {
		.mode = mode, .format = format,
		.flags = clone ? PTAP_CONFIG_COPYBREAK : 0,
	};
	struct ptap *p = open_lo(&config, "udp port 7777");
	long nr;

	if (!result(p, "mode %u, format %u%s: opens", mode, format,
		    clone ? ", cloned" : ""))
		return;
	blast(7777, 0, NR_DATAGRAMS);
	blast(7778, 0, NR_DATAGRAMS);
	nr = iterate(p);
	result(nr == NR_DATAGRAMS, "mode %u, format %u%s: each packet once",
	       mode, format, clone ? ", cloned" : "");
	result(identity(p, NR_DATAGRAMS), "mode %u, format %u%s: identity",
	       mode, format, clone ? ", cloned" : "");
	ptap_destroy(p);
}

/* A filter replaced while running: its packets from then on, no others. */
static void test_filter(void)
{
	struct ptap_config config = { .mode = PTAP_MODE_MMAP };
	struct ptap *p = open_lo(&config, "udp port 1111");
	struct ptap_packet pkt;
	bool rest = true;
	uint32_t nr = 0;
	int ret;

	if (!result(p, "filter: opens"))
		return;
	result(ptap_filter_set(p, "udp port port") == -EINVAL &&
	       strstr(ptap_error(p), "syntax"),
	       "filter: a syntax error is one, in words");
	blast(1111, 0, 5);
	wait_captured(p, 5);
	ret = ptap_filter_set(p, "udp port 7777");
	result(!ret, "filter: replaced while running");
	blast(1111, 0, 5);
	blast(7777, 0, 5);
	wait_captured(p, 10);
	ptap_stop(p);
	while ((ret = ptap_packet_next(p, &pkt)) >= 0) {
		if (ret)
			rest = rest && packet_is(&pkt, nr % 5, 0);
		nr += ret;
	}
	result(nr == 10 && rest, "filter: what each accepted, in order");
	ptap_destroy(p);
}

/* Spans to a pipe: a file that begins with its header, and so many records. */
static void test_spans(uint32_t mode)
{
	struct ptap_config config = { .mode = mode };
	struct ptap *p = open_lo(&config, "udp port 7777");
	struct ptap_writer *w;
	struct ptap_spans spans;
	FILE *file = tmpfile();
	bool header = true;
	int ret;

	if (!result(p && file, "mode %u, spans: opens", mode))
		return;
	w = ptap_writer_create(fileno(file), PTAP_FORMAT_PCAPNG);
	blast(7777, 0, NR_DATAGRAMS);
	wait_captured(p, NR_DATAGRAMS);
	ptap_stop(p);
	while ((ret = ptap_spans_next(p, 7, &spans)) != -ENODATA && ret >= 0) {
		if (!ptap_writer_bytes(w) && ret)
			header = spans.nr_headers == 1;
		if (ret && (spans.records > 7 || ptap_writer_put(w, &spans)))
			header = false;
		ptap_spans_release(p);
	}
	result(ret == -ENODATA && header,
	       "mode %u, spans: header first, no more than asked for", mode);
	result(ptap_writer_records(w) == NR_DATAGRAMS &&
	       (long)ptap_writer_bytes(w) == lseek(fileno(file), 0, SEEK_END),
	       "mode %u, spans: the writer's counts are the file's", mode);
	result(ptap_preamble_get(p, NULL, 0) > 28,
	       "mode %u, spans: a header for another file", mode);
	ptap_writer_destroy(w);
	ptap_destroy(p);
	fclose(file);
}

/* A pipe beside the tap. */
static void test_wait_any(void)
{
	struct ptap_config config = {
		.mode = PTAP_MODE_MMAP, .flags = PTAP_CONFIG_IMMEDIATE,
	};
	struct ptap *p = open_lo(&config, "udp port 7777");
	struct pollfd others[PTAP_WAIT_OTHERS_MAX + 1] = { { .fd = -1 } };
	struct ptap_packet pkt;
	int fd[2];

	if (!result(p && !pipe(fd), "other descriptors: opens"))
		return;
	others[1] = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	result(!ptap_wait_any(p, others, 2, 0, NULL) && !others[1].revents,
	       "other descriptors: nothing is ready");
	result(write(fd[1], "x", 1) == 1 &&
	       ptap_wait_any(p, others, 2, -1, NULL) == 1 &&
	       others[1].revents == POLLIN && !others[0].revents,
	       "other descriptors: one is, and says so");
	others[1].fd = -1;
	blast(7777, 0, 1);
	result(ptap_wait_any(p, others, 2, -1, NULL) == 1 &&
	       !others[1].revents && ptap_packet_next(p, &pkt) >= 0,
	       "other descriptors: a packet is");
	result(ptap_wait_any(p, others, PTAP_WAIT_OTHERS_MAX + 1, 0, NULL) ==
	       -EINVAL, "other descriptors: too many");
	close(fd[0]);
	close(fd[1]);
	ptap_destroy(p);
}

static void test_errors(void)
{
	static const char *const none[] = { "nonesuch" };
	struct ptap_config config = {
		.size = sizeof(config), .ifaces = none, .nr_ifaces = 1,
	};
	struct ptap *p = ptap_create();

	result(ptap_open(p, &config) == -ENODEV &&
	       strstr(ptap_error(p), "nonesuch"), "no such interface, in words");
	result(ptap_start(p) == -EBADF, "not open");
	ptap_destroy(p);
}

int main(void)
{
	uint32_t mode, format;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (unshare(CLONE_NEWNET) || system("ip link set lo up")) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(errno));
		return 0;
	}
	for (mode = PTAP_MODE_MMAP; mode <= PTAP_MODE_READ; mode++) {
		for (format = 0; format <= PTAP_FORMAT_PCAP_USEC; format++) {
			test_packets(mode, format, false);
			test_packets(mode, format, true);
		}
		test_spans(mode);
	}
	test_filter();
	test_wait_any();
	test_errors();
	printf("1..%u\n", nr_tests);
	return nr_failed != 0;
}
