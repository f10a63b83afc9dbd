// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Network namespaces and devices for the tests, by ip(8); CPUs and clocks.
 *
 * A test's namespace has no IPv6, so that no device sends anything by itself
 * and every count is exact.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "net.h"
#include "tap.h"

static void net_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	REQUIRE(write(fd, value, strlen(value)) > 0, "%s: %m", path);
	close(fd);
}

void net_private(void)
{
	REQUIRE(!unshare(CLONE_NEWNET), "unshare: %m");
	net_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	net_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

static bool net_ip_run(const char *fmt, va_list ap, bool quiet)
{
	char args[256], cmd[320];

	vsnprintf(args, sizeof(args), fmt, ap);
	snprintf(cmd, sizeof(cmd), "ip %s%s", args,
		 quiet ? " >/dev/null 2>&1" : " 1>&2");
	return system(cmd) == 0;
}

void net_ip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	REQUIRE(net_ip_run(fmt, ap, false), "ip %s failed", fmt);
	va_end(ap);
}

bool net_ip_try(const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = net_ip_run(fmt, ap, true);
	va_end(ap);
	return ok;
}

void net_dummy(const char *name)
{
	net_ip("link add %s mtu 9000 up type dummy", name);
}

void net_veth(const char *a, const char *b)
{
	net_ip("link add %s mtu 9000 up type veth peer name %s mtu 9000", a, b);
	net_ip("link set %s up", b);
	net_wait_running(a);
	net_wait_running(b);
}

/*
 * A veth gets its queue from a work item some time after its peer came up, and
 * drops what is sent to it before.  That is done in one go with IFF_RUNNING,
 * under RTNL, which setting flags waits for.
 */
void net_wait_running(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	for (i = 0; i < 5000 && !(ifr.ifr_flags & IFF_RUNNING); i++) {
		sleep_us(i ? 1000 : 0);
		REQUIRE(!ioctl(fd, SIOCGIFFLAGS, &ifr), "%s: %m", name);
	}
	REQUIRE(ifr.ifr_flags & IFF_RUNNING && !ioctl(fd, SIOCSIFFLAGS, &ifr),
		"%s does not come up: %m", name);
	close(fd);
}

int net_tun(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	/* Where it is built in, there is nothing to load. */
	fd = system("modprobe -q tun 2>/dev/null");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	REQUIRE(!ioctl(fd, TUNSETIFF, &ifr), "TUNSETIFF: %m");
	net_ip("link set %s up", name);
	return fd;
}

uint32_t net_index(const char *name)
{
	uint32_t index = if_nametoindex(name);

	REQUIRE(index, "%s: %m", name);
	return index;
}

void net_mac(const char *name, uint8_t *mac)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	REQUIRE(fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &ifr), "%s: %m", name);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

int net_promiscuity(const char *name)
{
	char cmd[128], line[1024], *at;
	int value = -1;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ip -d link show dev %s 2>/dev/null", name);
	f = popen(cmd, "r");
	REQUIRE(f, "popen: %m");
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "promiscuity ");
		if (at)
			value = atoi(at + strlen("promiscuity "));
	}
	pclose(f);
	return value;
}

void pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE(!sched_setaffinity(0, sizeof(set), &set), "CPU %d: %m", cpu);
}

int nr_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

void need_cpus(int nr)
{
	if (nr_cpus() < nr)
		SKIP("needs %d CPUs", nr);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void sleep_us(uint64_t us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}
