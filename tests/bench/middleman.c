// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * middleman.c - taps that stand in the way: every packet is handed to a
 * process, which has to hand it back.  What ptap is not, measured.
 *
 *	middleman queue NUMBER		verdicts for a netfilter queue
 *	middleman tun NAME PID NAME2	packets between a tun device here and
 *					one in PID's namespace, both ways
 *
 * Both pass what the stack would not have cut up in one piece (GSO), so that
 * they are measured at their best.  Print "ready" on standard error; end at
 * SIGINT or SIGTERM.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netfilter.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t packets;
static char buf[256 << 10] __attribute__((aligned(8)));

static void on_signal(int sig)
{
	(void)sig;
	printf("{\"captured\": %llu, \"dropped\": 0}\n",
	       (unsigned long long)packets);
	fflush(stdout);
	_exit(0);
}

static int verdict(struct nfq_q_handle *q, struct nfgenmsg *msg,
		   struct nfq_data *data, void *unused)
{
	struct nfqnl_msg_packet_hdr *h = nfq_get_msg_packet_hdr(data);

	(void)msg;
	(void)unused;
	packets++;
	return nfq_set_verdict(q, ntohl(h->packet_id), NF_ACCEPT, 0, NULL);
}

static int queue(int number)
{
	struct nfq_handle *h = nfq_open();
	struct nfq_q_handle *q;
	int size = 8 << 20;
	ssize_t n;
	int fd;

	q = h ? nfq_create_queue(h, number, verdict, NULL) : NULL;
	if (!q || nfq_set_mode(q, NFQNL_COPY_PACKET, 0xffff) < 0)
		err(1, "netfilter queue %d", number);
	nfq_set_queue_flags(q, NFQA_CFG_F_GSO, NFQA_CFG_F_GSO);
	nfq_set_queue_maxlen(q, 8192);
	fd = nfq_fd(h);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	fprintf(stderr, "ready\n");
	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0 || errno == ENOBUFS)
		if (n > 0)
			nfq_handle_packet(h, buf, n);
	err(1, "netfilter queue %d", number);
}

static int tun_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6))
		err(1, "tun %s", name);
	return fd;
}

static void move(int from, int to)
{
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		packets++;
		if (write(to, buf, n) != n && errno != EIO)
			warn("write");
	}
}

static int tun(const char *here, const char *pid, const char *there)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char path[64];
	int ns;

	p[0].fd = tun_open(here);
	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		err(1, "namespace of %s", pid);
	p[1].fd = tun_open(there);
	fprintf(stderr, "ready\n");
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents & POLLIN)
			move(p[0].fd, p[1].fd);
		if (p[1].revents & POLLIN)
			move(p[1].fd, p[0].fd);
	}
	err(1, "poll");
}

int main(int argc, char **argv)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (argc == 3 && !strcmp(argv[1], "queue"))
		return queue(atoi(argv[2]));
	if (argc == 5 && !strcmp(argv[1], "tun"))
		return tun(argv[2], argv[3], argv[4]);
	fprintf(stderr, "usage: middleman queue NUMBER | tun NAME PID NAME2\n");
	return 2;
}
