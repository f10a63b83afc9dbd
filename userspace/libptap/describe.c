// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * describe.c - what a pcapng file's headers say beside the necessary: machine,
 * system, application; of each interface its description, addresses, speed, the
 * filter.
 *
 * The blocks of the module are rewritten, with more options, when they are
 * given out for the first time.  What cannot be learned is left out.
 *
 * Format: draft-ietf-opsawg-pcapng, sections 4.1 and 4.2.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "internal.h"

#define BLOCK_SHB		0x0a0d0d0aU
#define BLOCK_IDB		1U
#define BLOCK_MIN_LEN		12U
#define SHB_LEN			24U	/* up to its options */
#define IDB_LEN			16U

#define OPT_SHB_HARDWARE	2
#define OPT_SHB_OS		3
#define OPT_SHB_USERAPPL	4
#define OPT_IF_NAME		2
#define OPT_IF_DESCRIPTION	3
#define OPT_IF_IPV4		4
#define OPT_IF_IPV6		5
#define OPT_IF_MAC		6
#define OPT_IF_EUI		7
#define OPT_IF_SPEED		8
#define OPT_IF_FILTER		11
#define OPT_IF_OS		12

/* Bytes that come together; without memory, none. */
struct bytes {
	u8 *data;
	size_t len;
	size_t room;
	bool failed;
};

static void bytes_add(struct bytes *b, const void *data, size_t len)
{
	size_t room = 2 * (b->len + len);
	u8 *more;

	if (b->failed || !len)
		return;
	if (b->len + len > b->room) {
		more = realloc(b->data, room);
		if (!more) {
			b->failed = true;
			return;
		}
		b->data = more;
		b->room = room;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void option_add(struct bytes *b, u16 code, const void *data, size_t len)
{
	u16 head[2] = { code, len };

	if (len > UINT16_MAX - 3U)
		return;
	bytes_add(b, head, sizeof(head));
	bytes_add(b, data, len);
	bytes_add(b, "\0\0\0", -len & 3);
}

static void text_add(struct bytes *b, u16 code, const char *text)
{
	if (text && *text)
		option_add(b, code, text, strlen(text));
}

/* The rest of a block that begins at @start, whose options are complete. */
static void block_end(struct bytes *b, size_t start)
{
	u32 len;

	option_add(b, 0, NULL, 0);
	len = b->len - start + sizeof(len);
	bytes_add(b, &len, sizeof(len));
	if (!b->failed)
		memcpy(b->data + start + 4, &len, sizeof(len));
}

/* The first line of a file, of which it tells what comes after @key. */
static bool line_of(const char *path, const char *key, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char *colon;

	if (!f)
		return false;
	while (!found && fgets(text, (int)size, f)) {
		text[strcspn(text, "\n")] = '\0';
		if (!key) {
			found = true;
		} else if (!strncmp(text, key, strlen(key))) {
			colon = strchr(text, ':');
			found = colon && colon[1] == ' ';
			if (found)
				memmove(text, colon + 2, strlen(colon + 2) + 1);
		}
	}
	fclose(f);
	return found && *text;
}

static void os_name(char *text, size_t size)
{
	struct utsname u;

	*text = '\0';
	if (!uname(&u))
		snprintf(text, size, "%s %s", u.sysname, u.release);
}

static void describe_shb(const struct ptap *p, struct bytes *b, const u8 *block)
{
	size_t start = b->len;
	char text[256];
	struct utsname u;

	bytes_add(b, block, SHB_LEN);
	if (line_of("/proc/cpuinfo", "model name", text, sizeof(text)))
		text_add(b, OPT_SHB_HARDWARE, text);
	else if (!uname(&u))
		text_add(b, OPT_SHB_HARDWARE, u.machine);
	os_name(text, sizeof(text));
	text_add(b, OPT_SHB_OS, text);
	text_add(b, OPT_SHB_USERAPPL,
		 p->application ? p->application : "libptap " PTAP_VERSION);
	block_end(b, start);
}

static void add_ipv4(struct bytes *b, const struct ifaddrs *a)
{
	u8 both[8] = { 0 };

	memcpy(both, &((struct sockaddr_in *)a->ifa_addr)->sin_addr, 4);
	if (a->ifa_netmask)
		memcpy(both + 4,
		       &((struct sockaddr_in *)a->ifa_netmask)->sin_addr, 4);
	option_add(b, OPT_IF_IPV4, both, sizeof(both));
}

static void add_ipv6(struct bytes *b, const struct ifaddrs *a)
{
	const struct sockaddr_in6 *addr = (struct sockaddr_in6 *)a->ifa_addr;
	const struct sockaddr_in6 *mask = (struct sockaddr_in6 *)a->ifa_netmask;
	u8 both[17] = { 0 };
	unsigned int i;

	memcpy(both, &addr->sin6_addr, 16);
	for (i = 0; mask && i < 16; i++)
		both[16] += __builtin_popcount(mask->sin6_addr.s6_addr[i]);
	option_add(b, OPT_IF_IPV6, both, sizeof(both));
}

static void add_mac(struct bytes *b, const struct ifaddrs *a)
{
	const struct sockaddr_ll *ll = (struct sockaddr_ll *)a->ifa_addr;

	if (ll->sll_halen == 6)
		option_add(b, OPT_IF_MAC, ll->sll_addr, 6);
	else if (ll->sll_halen == 8)
		option_add(b, OPT_IF_EUI, ll->sll_addr, 8);
}

/* An address may be of a label, which is name, colon, more. */
static bool is_of(const struct ifaddrs *a, const char *name)
{
	size_t len = strlen(name);

	return a->ifa_addr && !strncmp(a->ifa_name, name, len) &&
	       (!a->ifa_name[len] || a->ifa_name[len] == ':');
}

static void add_addresses(struct bytes *b, const char *name)
{
	struct ifaddrs *list, *a;

	if (getifaddrs(&list))
		return;
	for (a = list; a; a = a->ifa_next) {
		if (!is_of(a, name))
			continue;
		switch (a->ifa_addr->sa_family) {
		case AF_INET:
			add_ipv4(b, a);
			break;
		case AF_INET6:
			add_ipv6(b, a);
			break;
		case AF_PACKET:
			add_mac(b, a);
			break;
		}
	}
	freeifaddrs(list);
}

static void add_attributes(struct bytes *b, const char *name)
{
	char path[64 + IFNAMSIZ], text[256];
	long long mbit;
	u64 speed;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifalias", name);
	if (line_of(path, NULL, text, sizeof(text)))
		text_add(b, OPT_IF_DESCRIPTION, text);
	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", name);
	if (!line_of(path, NULL, text, sizeof(text)))
		return;
	mbit = strtoll(text, NULL, 10);
	if (mbit <= 0)
		return;		/* it has none, or no link */
	speed = (u64)mbit * 1000000;
	option_add(b, OPT_IF_SPEED, &speed, sizeof(speed));
}

static void add_filter(struct bytes *b, const char *filter)
{
	size_t len = filter ? strlen(filter) : 0;
	char *text;

	if (!len)
		return;
	text = malloc(len + 1);
	if (!text)
		return;
	text[0] = 0;		/* what follows is libpcap's language */
	memcpy(text + 1, filter, len);
	option_add(b, OPT_IF_FILTER, text, len + 1);
	free(text);
}

/* The module's options, but for their end; returns the interface's name. */
static void copy_options(struct bytes *b, const u8 *block, size_t len,
			 char *name)
{
	size_t at = IDB_LEN, end = len - sizeof(u32), n;
	u16 head[2];

	*name = '\0';
	while (at + sizeof(head) <= end) {
		memcpy(head, block + at, sizeof(head));
		n = sizeof(head) + ((head[1] + 3U) & ~3U);
		if (!head[0] || at + n > end)
			break;
		if (head[0] == OPT_IF_NAME && head[1] < IFNAMSIZ) {
			memcpy(name, block + at + sizeof(head), head[1]);
			name[head[1]] = '\0';
		}
		bytes_add(b, block + at, n);
		at += n;
	}
}

static void describe_idb(const struct ptap *p, struct bytes *b,
			 const u8 *block, size_t len)
{
	char name[IFNAMSIZ], text[256];
	size_t start = b->len;

	bytes_add(b, block, IDB_LEN);
	copy_options(b, block, len, name);
	if (*name && !strchr(name, '/')) {
		add_addresses(b, name);
		add_attributes(b, name);
	}
	add_filter(b, p->filter);
	os_name(text, sizeof(text));
	text_add(b, OPT_IF_OS, text);
	block_end(b, start);
}

/**
 * ptap_describe - rewrite header blocks, with more options
 * @p: handle
 * @data: whole blocks, as the module makes them
 * @len: their bytes
 * @more: set to the new ones, which the caller frees
 *
 * Return: the number of new bytes, or -ENOMEM.
 */
long ptap_describe(const struct ptap *p, const u8 *data, size_t len, u8 **more)
{
	struct bytes b = { 0 };
	size_t at = 0, size;
	u32 type;

	while (len - at >= BLOCK_MIN_LEN) {
		type = get_unaligned_u32(data + at);
		size = get_unaligned_u32(data + at + 4);
		if (size > len - at || size < BLOCK_MIN_LEN)
			break;
		if (type == BLOCK_SHB && size >= SHB_LEN + sizeof(u32))
			describe_shb(p, &b, data + at);
		else if (type == BLOCK_IDB && size >= IDB_LEN + sizeof(u32))
			describe_idb(p, &b, data + at, size);
		else
			bytes_add(&b, data + at, size);
		at += size;
	}
	bytes_add(&b, data + at, len - at);
	if (b.failed) {
		free(b.data);
		return -ENOMEM;
	}
	*more = b.data;
	return (long)b.len;
}
