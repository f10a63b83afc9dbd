// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capcheck.c - count the records of a pcap file and what is wrong with them.
 *
 *	capcheck FILE...
 *
 * Prints one line of JSON for each file: records, bytes, inversions (a record
 * older than the one before), whether the file ends at the end of a record, and
 * the magic.  Only files in this machine's byte order, which is what a capture
 * on it writes.  pcapng files are counted by their Enhanced Packet Blocks.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCAPNG_MAGIC	0x0a0d0d0au
#define PCAP_HEADER	24
#define EPB_TYPE	6

struct totals {
	uint64_t records;
	uint64_t inversions;
	uint64_t last;
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static void count(struct totals *t, uint64_t time)
{
	t->records++;
	t->inversions += time < t->last;
	t->last = time;
}

/* Both return the end of the last whole record. */
static size_t walk_pcap(struct totals *t, const uint8_t *p, size_t size)
{
	size_t at = PCAP_HEADER;
	size_t len;

	while (at + 16 <= size) {
		len = 16 + (size_t)get32(p + at + 8);
		if (at + len > size)
			break;
		/* Seconds above fractions: good for both of pcap's units. */
		count(t, (uint64_t)get32(p + at) << 32 | get32(p + at + 4));
		at += len;
	}
	return at;
}

static size_t walk_pcapng(struct totals *t, const uint8_t *p, size_t size)
{
	size_t at = 0;
	size_t len;

	while (at + 12 <= size) {
		len = get32(p + at + 4);
		if (len < 12 || at + len > size)
			break;
		if (get32(p + at) == EPB_TYPE)
			count(t, (uint64_t)get32(p + at + 12) << 32 |
				 get32(p + at + 16));
		at += len;
	}
	return at;
}

static void check(const char *name)
{
	struct totals t = { 0 };
	struct stat st;
	size_t end;
	uint8_t *p;
	int fd;

	fd = open(name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", name);
	if (st.st_size < PCAP_HEADER)
		errx(1, "%s: too short for a capture file", name);
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(1, "%s", name);
	if (get32(p) == PCAPNG_MAGIC)
		end = walk_pcapng(&t, p, st.st_size);
	else
		end = walk_pcap(&t, p, st.st_size);
	printf("{\"records\": %llu, \"bytes\": %llu, \"inversions\": %llu, \"whole\": %s, \"magic\": \"%08x\"}\n",
	       (unsigned long long)t.records, (unsigned long long)st.st_size,
	       (unsigned long long)t.inversions,
	       end == (size_t)st.st_size ? "true" : "false", get32(p));
	munmap(p, st.st_size);
	close(fd);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		check(argv[i]);
	return 0;
}
