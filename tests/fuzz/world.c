// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The network around a round's sessions: lo, a dummy device and a veth pair,
 * which stay, devices that come and go, and what is sent through all of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

/**
 * struct request - a message of rtnetlink that is being put together
 * @h: its head
 * @link: what it is about
 * @room: attributes
 */
struct request {
	struct nlmsghdr h;
	struct ifinfomsg link;
	char room[512];
};

static void *put(struct request *q, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void close_nest(struct request *q, struct rtattr *nest)
{
	nest->rta_len = (char *)q + q->h.nlmsg_len - (char *)nest;
}

static struct request request(uint16_t type, uint16_t flags)
{
	return (struct request){
		.h = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		},
	};
}

/* Whether it could be done is of no interest: names and devices collide. */
static int talk(int fd, struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char more[1024];
	} answer;

	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	if (recv(fd, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.e.error;
}

static int link_add(int fd, const char *kind, const char *name,
		    const char *peer)
{
	struct request q = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg down = { 0 };	/* until it has a peer */
	struct rtattr *info, *data, *side;

	q.link.ifi_flags = q.link.ifi_change = IFF_UP;
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, kind, strlen(kind));
	if (peer) {
		data = put(&q, IFLA_INFO_DATA, NULL, 0);
		side = put(&q, VETH_INFO_PEER, &down, sizeof(down));
		put(&q, IFLA_IFNAME, peer, strlen(peer) + 1);
		close_nest(&q, side);
		close_nest(&q, data);
	}
	close_nest(&q, info);
	return talk(fd, &q);
}

static int link_set(int fd, const char *name, bool up, uint32_t mtu, int netns,
		    const char *rename)
{
	struct request q = request(RTM_NEWLINK, 0);

	q.link.ifi_index = if_nametoindex(name);
	q.link.ifi_change = IFF_UP;
	q.link.ifi_flags = up ? IFF_UP : 0;
	if (mtu)
		put(&q, IFLA_MTU, &mtu, sizeof(mtu));
	if (netns >= 0)
		put(&q, IFLA_NET_NS_FD, &netns, sizeof(netns));
	if (rename)
		put(&q, IFLA_IFNAME, rename, strlen(rename) + 1);
	return talk(fd, &q);
}

static int link_del(int fd, const char *name)
{
	struct request q = request(RTM_DELLINK, 0);

	q.link.ifi_index = if_nametoindex(name);
	return q.link.ifi_index ? talk(fd, &q) : -ENODEV;
}

static int netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* Indices: lo 1, d0 2, v1 3, v0 4. */
void world_make(void)
{
	int fd = netlink(), err;

	link_set(fd, "lo", true, 0, -1, NULL);
	err = link_add(fd, "dummy", "d0", NULL);
	if (!err)
		err = link_add(fd, "veth", "v0", "v1");
	if (err)
		fuzz_broken("no dummy and veth devices: %s", strerror(-err));
	link_set(fd, "v1", true, 9000, -1, NULL);
	link_set(fd, "d0", true, 9000, -1, NULL);
	close(fd);
}

int world_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

/* A frame of some type and size, perhaps tagged, to some device. */
long world_send(int sock, struct rng *r)
{
	static const uint16_t types[] = {
		0x88b5, ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD,
		ETH_P_ARP,
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = rng_once(r, 4) ? 1 + rng_below(r, 12) :
						1 + rng_below(r, 4),
	};
	static __thread uint8_t frame[9014];
	uint32_t size = rng_once(r, 3) ? rng_below(r, sizeof(frame)) :
					 rng_below(r, 200), i;
	uint16_t type = types[rng_below(r, ARRAY_SIZE(types))];

	for (i = 0; i < 64; i++)
		frame[i] = rng_next(r);
	if (rng_once(r, 2))
		memset(frame, 0xff, 6);
	frame[12] = type >> 8;
	frame[13] = type;
	if (rng_once(r, 2)) {
		frame[14] = 0x45 + rng_below(r, 3);
		frame[23] = rng_once(r, 3) ? 132 : 17;
	}
	return sendto(sock, frame, size, MSG_DONTWAIT, (void *)&to, sizeof(to));
}

/* A connection over lo, whose packets are large and made of pages. */
static void tcp_pair(int pair[2])
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&at, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&at, &len) ||
	    connect(pair[0], (void *)&at, len))
		fprintf(stderr, "# no connection: %s\n", strerror(errno));
	pair[1] = accept(listener, NULL, NULL);
	close(listener);
}

void world_traffic(uint64_t seed)
{
	static char buf[65536];
	struct timespec pause = { 0, 200000 };
	struct rng r = { seed };
	int sock = world_socket(), pair[2], i;

	tcp_pair(pair);
	for (;;) {
		for (i = rng_below(&r, 40); i > 0; i--)
			world_send(sock, &r);
		if (send(pair[0], buf, rng_below(&r, sizeof(buf)),
			 MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			while (recv(pair[1], buf, sizeof(buf),
				    MSG_DONTWAIT) > 0)
				;
		nanosleep(&pause, NULL);
	}
}

/* A namespace that nobody is in, for devices to be moved to. */
static int other_netns(void)
{
	int pipefd[2], fd = -1;
	char path[64];
	pid_t pid;

	if (pipe(pipefd))
		return -1;
	pid = fork();
	if (!pid) {
		close(pipefd[1]);
		if (!unshare(CLONE_NEWNET))
			kill(getpid(), SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, NULL, WUNTRACED) == pid) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(pipefd[0]);
	close(pipefd[1]);
	return fd;
}

void world_devices(uint64_t seed)
{
	struct timespec pause = { 0, 1000000 };
	struct rng r = { seed };
	int fd = netlink(), other = other_netns();
	char name[16], peer[16];

	for (;;) {
		snprintf(name, sizeof(name), "x%u", rng_below(&r, 6));
		snprintf(peer, sizeof(peer), "x%u", rng_below(&r, 6));
		switch (rng_below(&r, 8)) {
		case 0 ... 1:
			link_add(fd, "dummy", name, NULL);
			break;
		case 2 ... 3:
			link_add(fd, "veth", name, peer);
			break;
		case 4:
			link_set(fd, name, rng_once(&r, 2), 0, -1, NULL);
			break;
		case 5:
			link_set(fd, name, false, 0, -1, peer);
			break;
		case 6:
			link_set(fd, name, true, 0, other, NULL);
			break;
		default:
			link_del(fd, name);
		}
		nanosleep(&pause, NULL);
	}
}
