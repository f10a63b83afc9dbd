// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * RTM_NEWLINK and RTM_DELLINK, one message and one answer each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link.h"
#include "tap.h"

struct link_request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	char attrs[128];
};

static struct rtattr *attr_add(struct link_request *r, int type,
			       const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_SPACE(len);
	return a;
}

static int link_ask(struct link_request *r)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		char rest[4096];
	} answer;
	ssize_t n;

	r->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	REQUIRE(fd >= 0 && send(fd, r, r->head.nlmsg_len, 0) > 0,
		"netlink: %m");
	n = recv(fd, &answer, sizeof(answer), 0);
	REQUIRE(n >= (ssize_t)(sizeof(answer.head) + sizeof(answer.err)) &&
		answer.head.nlmsg_type == NLMSG_ERROR, "netlink's answer: %m");
	close(fd);
	return answer.err.error;
}

static void link_request(struct link_request *r, int type, const char *name)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_type = type;
	r->head.nlmsg_len = NLMSG_LENGTH(sizeof(r->info));
	attr_add(r, IFLA_IFNAME, name, strlen(name) + 1);
}

int link_dummy(const char *name)
{
	struct link_request r;
	struct rtattr *info;

	link_request(&r, RTM_NEWLINK, name);
	r.head.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	r.info.ifi_flags = IFF_UP;
	r.info.ifi_change = IFF_UP;
	info = attr_add(&r, IFLA_LINKINFO, NULL, 0);
	attr_add(&r, IFLA_INFO_KIND, "dummy", 5);
	info->rta_len = (char *)&r + r.head.nlmsg_len - (char *)info;
	return link_ask(&r);
}

int link_delete(const char *name)
{
	struct link_request r;

	link_request(&r, RTM_DELLINK, name);
	return link_ask(&r);
}

int link_up(const char *name)
{
	struct link_request r;

	link_request(&r, RTM_NEWLINK, name);
	r.info.ifi_flags = IFF_UP;
	r.info.ifi_change = IFF_UP;
	return link_ask(&r);
}
