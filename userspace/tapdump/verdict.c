// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * verdict.c - what --verify says: places where packets are missing, and whether
 * a capture is complete.
 *
 * A capture that ends with its last account and of which nothing is missing is
 * complete.  Otherwise the verdict says what is missing, or what is not known.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tapdump.h"
#include "verdict.h"

#define MAX_PLACES	20	/* unless all are wanted */

static const char *const causes[] = {
	[VERIFY_DROPPED] = "dropped by the kernel",
	[VERIFY_NOT_WRITTEN] = "captured, and not in the files",
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* An array of zeroes that grows to @nr entries. */
static void *grow(void *array, uint32_t *have, uint32_t nr, size_t size)
{
	if (nr <= *have)
		return array;
	array = realloc(array, nr * size);
	if (!array)
		die("no memory");
	memset((char *)array + *have * size, 0, (nr - *have) * size);
	*have = nr;
	return array;
}

struct viface *verify_iface(struct verify *v, uint32_t id)
{
	v->ifaces = grow(v->ifaces, &v->nr_ifaces, id + 1, sizeof(*v->ifaces));
	return &v->ifaces[id];
}

struct vring *verify_ring(struct verify *v, uint32_t ring)
{
	v->rings = grow(v->rings, &v->nr_rings, ring + 1, sizeof(*v->rings));
	return &v->rings[ring];
}

void verify_begin(struct verify *v, const char *file)
{
	v->place.file = file;
	v->in_file = 0;
	v->nr_files++;
}

/* Is this place one that is printed? */
static bool next_place(struct verify *v)
{
	if (++v->places <= MAX_PLACES || v->verbose)
		return true;
	if (v->places == MAX_PLACES + 1)
		puts("... and more places; -v prints all");
	return false;
}

static void print_time(uint64_t ns)
{
	time_t sec = ns / 1000000000;
	char text[64];
	struct tm tm;

	if (!localtime_r(&sec, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return;
	printf("%s.%09u", text, (unsigned int)(ns % 1000000000));
}

/* In front of the packet that is being looked at. */
void verify_missing(struct verify *v, enum verify_cause cause, uint64_t nr)
{
	if (cause == VERIFY_DROPPED)
		v->dropped += nr;
	else
		v->not_written += nr;
	if (!next_place(v))
		return;
	printf("%s: %" PRIu64 " packet%s missing before packet %" PRIu64 " (",
	       v->place.file, nr, plural(nr), v->in_file);
	print_time(v->place.time_ns);
	if (*v->place.iface)
		printf(", %s", v->place.iface);
	if (v->place.ring >= 0)
		printf(", CPU %d", v->place.ring);
	printf("): %s\n", causes[cause]);
}

/* Numbers tell where; without them the account, between it and the last. */
void verify_short(struct verify *v, struct viface *i, uint64_t nr)
{
	i->short_of += nr;
	v->short_of += nr;
	if (v->has_ids || !next_place(v))
		return;
	printf("%s: %" PRIu64 " packet%s of %s missing up to packet %" PRIu64
	       ", by its account: %s\n", v->place.file, nr, plural(nr),
	       *i->name ? i->name : "an interface", v->in_file,
	       causes[VERIFY_NOT_WRITTEN]);
}

void verify_unordered(struct verify *v)
{
	if (!v->unordered++ && next_place(v))
		printf("%s: packet %" PRIu64 " is older than the one before it: the clock was set back, or the files are not in order\n",
		       v->place.file, v->in_file);
}

void verify_unreadable(struct verify *v, const char *file, const char *why)
{
	complain("cannot read %s: %s", file, why);
	v->damage = true;
}

void verify_damaged(struct verify *v, uint64_t off, const char *why)
{
	v->damage = true;
	printf("%s: damaged at byte %" PRIu64 ", behind %" PRIu64 " packet%s: %s\n",
	       v->place.file, off, v->in_file, plural(v->in_file), why);
}

/* Losses that no packet names, because none came after them. */
static void missing_behind(struct verify *v, const struct viface *i)
{
	uint64_t known = i->base_dropped + i->told;
	uint64_t nr;

	if (!i->has_sums || i->sums.dropped <= known)
		return;
	nr = i->sums.dropped - known;
	v->dropped += nr;
	if (!next_place(v))
		return;
	printf("%s: %" PRIu64 " packet%s of %s missing %s: %s\n", v->place.file,
	       nr, plural(nr), *i->name ? i->name : "an interface",
	       i->told ? "behind its last one" :
			 "somewhere; where, --meta drops would tell",
	       causes[VERIFY_DROPPED]);
}

/* What the accounts have and no later number shows. */
static void missing_at_end(struct verify *v)
{
	uint64_t nr = v->short_of - v->not_written;

	if (v->short_of <= v->not_written)
		return;
	v->not_written = v->short_of;
	if (v->has_ids && next_place(v))
		printf("%s: %" PRIu64 " packet%s missing behind the last one of a CPU: %s\n",
		       v->place.file, nr, plural(nr),
		       causes[VERIFY_NOT_WRITTEN]);
}

/* The capture took more than was wanted: -c, or nobody read on. */
static void print_rest(const struct verify *v)
{
	uint64_t rest = 0, written = 0;
	uint32_t n;

	for (n = 0; n < v->nr_ifaces; n++) {
		rest += v->ifaces[n].sums.accepted - v->ifaces[n].sums.dropped;
		written += v->ifaces[n].sums.delivered;
	}
	if (v->ended && rest > written)
		printf("%s: the capture ended with the packet that was its last one by request; %" PRIu64 " more had come\n",
		       v->place.file, rest - written);
}

static void print_end(struct verify *v)
{
	if (v->ended)
		return;
	v->open = true;
	if (!next_place(v))
		return;
	if (v->after_sums)
		printf("%s: the capture goes on in another file, or was cut off here\n",
		       v->place.file);
	else
		printf("%s: ends without an account: the capture was cut off, or keeps none; what is missing behind its last packet is not known\n",
		       v->place.file);
}

/* What is known of the interfaces of a section that was begun. */
static void keep_section(struct verify *v, const struct viface *old,
			 uint32_t nr)
{
	struct viface *i;

	for (; v->nr_section < nr; v->nr_section++) {
		i = verify_iface(v, v->nr_section);
		memcpy(i->name, old[v->nr_section].name, sizeof(i->name));
		i->tsresol = old[v->nr_section].tsresol;
	}
}

/**
 * verify_finish - the files of a capture are over
 * @v: the next one begins with what it has
 */
void verify_finish(struct verify *v)
{
	struct viface *ifaces = v->ifaces;
	uint32_t nr_section = v->nr_section;
	uint64_t base = 0;
	uint32_t n;

	for (n = 0; n < v->nr_ifaces; n++)
		base += v->ifaces[n].base;
	if (v->late)
		printf("the files do not begin with the capture: %" PRIu64 " packet%s of it came before\n",
		       base, plural(base));
	missing_at_end(v);
	for (n = 0; n < v->nr_ifaces; n++)
		missing_behind(v, &v->ifaces[n]);
	print_rest(v);
	print_end(v);
	v->all_packets += v->packets;
	v->all_dropped += v->dropped;
	v->all_missing += v->dropped + v->not_written;
	free(v->rings);
	*v = (struct verify){
		.verbose = v->verbose,
		.place = v->place,
		.unordered = v->unordered,
		.places = v->places,
		.nr_files = v->nr_files,
		.in_file = v->in_file,
		.all_packets = v->all_packets,
		.all_missing = v->all_missing,
		.all_dropped = v->all_dropped,
		.open = v->open,
		.damage = v->damage,
	};
	keep_section(v, ifaces, nr_section);
	free(ifaces);
}

/* The verdict; returns the exit status. */
int verify_end(struct verify *v)
{
	uint64_t written;

	if (v->nr_files)
		verify_finish(v);
	written = v->all_missing - v->all_dropped;
	printf("%s: %" PRIu64 " packet%s in %u file%s",
	       v->damage ? "damaged" :
	       v->all_missing || v->open ? "incomplete" : "complete",
	       v->all_packets, plural(v->all_packets), v->nr_files,
	       plural(v->nr_files));
	if (v->all_missing)
		printf(", %" PRIu64 " missing: %" PRIu64 " %s, %" PRIu64 " %s",
		       v->all_missing, v->all_dropped, causes[VERIFY_DROPPED],
		       written, causes[VERIFY_NOT_WRITTEN]);
	else if (v->open)
		printf(", none missing between them");
	putchar('\n');
	return v->damage ? 2 : v->all_missing || v->open;
}

void verify_free(struct verify *v)
{
	free(v->ifaces);
	free(v->rings);
}
