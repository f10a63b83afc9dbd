// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sums.c - Interface Statistics Blocks: a pcapng file's own account.
 *
 * One for each interface at the end of a file, at the beginning of the next
 * one with the same numbers, at intervals if that is wanted.  Delivered is what
 * is in the files before the block, exactly; everything else are the tap's
 * counters.  The last ones of a capture have an end time, and only these: a
 * file without it goes on in another one, or was cut off.
 *
 * A capture of one interface needs no counters of each, and its records need
 * not be looked at.  Others have no blocks unless the module counts for them.
 *
 * Format: draft-ietf-opsawg-pcapng, section 4.6.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <ptap.h>
#include "merge.h"
#include "tapdump.h"

#define NSEC_PER_MSEC	1000000

#define BLOCK_IDB	1
#define BLOCK_ISB	5
#define BLOCK_MIN_LEN	12

enum {
	ISB_STARTTIME	= 2,
	ISB_ENDTIME	= 3,
	ISB_IFRECV	= 4,
	ISB_IFDROP	= 5,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP	= 7,
	ISB_USRDELIV	= 8,
};

/* Seven options, their end, the block around them. */
#define ISB_WORDS	(5 + 7 * 3 + 1 + 1)

/**
 * struct sum - what is known of an interface
 * @delivered: its records in the files
 * @missed_before: the interface's own losses when it was met
 * @missed: and since then
 */
struct sum {
	uint64_t delivered;
	uint32_t missed_before;
	uint32_t missed;
};

/* The numbers of a block. */
struct account {
	uint64_t received;
	uint64_t missed;
	uint64_t accepted;
	uint64_t dropped;
	uint64_t delivered;
};

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static bool is_wanted(const struct sums *s)
{
	return s->opt && s->opt->write && s->opt->sums &&
	       s->opt->format == PTAP_FORMAT_PCAPNG;
}

static bool is_single(const struct sums *s)
{
	return s->opt->nr_ifaces == 1;
}

/*
 * What the device lost before anybody could see it; false if it is not there
 * any more.
 */
static bool missed_by(const char *name, uint32_t *missed)
{
	const struct rtnl_link_stats *st;
	struct ifaddrs *list, *a;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (a = list; a; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_PACKET ||
		    !a->ifa_data || strcmp(a->ifa_name, name) != 0)
			continue;
		st = a->ifa_data;
		*missed = st->rx_missed_errors + st->rx_fifo_errors;
		found = true;
	}
	freeifaddrs(list);
	return found;
}

/* Interfaces @s->nr .. @nr - 1 are new. */
static int learn(struct sums *s, uint32_t nr)
{
	struct ptap_iface_info info;
	struct sum *more;

	if (nr <= s->nr)
		return 0;
	more = realloc(s->sum, nr * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->sum = more;
	for (; s->nr < nr; s->nr++) {
		more[s->nr] = (struct sum){ 0 };
		if (!ptap_iface_get(s->tap, s->nr, &info))
			missed_by(info.name, &more[s->nr].missed_before);
	}
	return 0;
}

void sums_init(struct sums *s, const struct options *opt, struct ptap *tap)
{
	struct ptap_info info;

	*s = (struct sums){
		.opt = opt,
		.tap = tap,
		.start_ns = now(CLOCK_REALTIME),
		.due_ns = now(CLOCK_MONOTONIC) +
			  (uint64_t)opt->sums_seconds * NSEC_PER_SEC,
	};
	if (is_wanted(s) && !ptap_info_get(tap, &info))
		learn(s, info.nr_ifaces);
}

void sums_free(struct sums *s)
{
	free(s->sum);
	s->sum = NULL;
	s->nr = 0;
}

static int count_record(struct sums *s, uint32_t iface)
{
	int err = iface < s->nr ? 0 : learn(s, iface + 1);

	if (!err)
		s->sum[iface].delivered++;
	return err;
}

/**
 * sums_count - records have been written
 * @s: sums
 * @spans: they
 *
 * Return: 0 or a negative errno.
 */
int sums_count(struct sums *s, const struct ptap_spans *spans)
{
	const uint8_t *at;
	uint64_t len, off;
	unsigned int i;
	int err = 0;

	s->records += spans->records;
	if (!is_wanted(s) || is_single(s))
		return 0;
	for (i = spans->nr_headers; i < spans->nr && !err; i++) {
		at = spans->iov[i].iov_base;
		for (off = 0; off < spans->iov[i].iov_len && !err; off += len) {
			len = ptap_record_size(s->opt->format, at + off,
					       spans->iov[i].iov_len - off);
			if (!len)
				break;
			err = count_record(s, get_unaligned_u32(at + off + 8));
		}
	}
	return err;
}

/*
 * How many interfaces the file describes; -EAGAIN if it does not say yet, or is
 * in the middle of it.
 */
static int described(const struct sums *s)
{
	long len = ptap_preamble_get(s->tap, NULL, 0), at = 0;
	int nr = -EAGAIN;
	uint32_t size;
	uint8_t *buf;

	if (len < BLOCK_MIN_LEN)
		return nr;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	len = ptap_preamble_get(s->tap, buf, len);
	while (len - at >= BLOCK_MIN_LEN) {
		if (nr < 0)
			nr = 0;
		nr += get_unaligned_u32(buf + at) == BLOCK_IDB;
		size = get_unaligned_u32(buf + at + 4);
		if (size < BLOCK_MIN_LEN || size > (uint64_t)(len - at))
			break;
		at += size;
	}
	free(buf);
	return at == len ? nr : -EAGAIN;
}

static int account_single(const struct sums *s, struct account *a)
{
	struct ptap_stats st;
	int err = ptap_stats_get(s->tap, PTAP_RING_ALL, &st);

	if (err)
		return err;
	a->received = st.seen;
	a->dropped = ptap_stats_dropped(&st);
	a->accepted = st.captured + a->dropped;
	a->delivered = s->records;
	return 0;
}

static int account_of(const struct sums *s, uint32_t id, bool single,
		      struct account *a)
{
	struct ptap_iface_info info;
	int err = ptap_iface_get(s->tap, id, &info);
	struct sum *sum = &s->sum[id];
	uint32_t missed;

	if (err)
		return err;
	if (missed_by(info.name, &missed))
		sum->missed = missed - sum->missed_before;
	a->missed = sum->missed;
	if (single)
		return account_single(s, a);
	a->dropped = info.dropped;
	a->accepted = info.captured + info.dropped;
	a->received = a->accepted + info.filtered;
	a->delivered = sum->delivered;
	return 0;
}

static uint32_t *put_option(uint32_t *w, uint16_t code, uint64_t v, bool time)
{
	uint16_t head[2] = { code, sizeof(v) };

	if (time)
		v = v >> 32 | v << 32;	/* the upper half stands first */
	memcpy(w, head, sizeof(head));
	memcpy(w + 1, &v, sizeof(v));
	return w + 3;
}

static uint32_t make_block(uint32_t *w, uint32_t id, uint64_t start_ns,
			   bool last, const struct account *a)
{
	uint64_t ns = now(CLOCK_REALTIME);
	uint32_t *first = w;

	*w++ = BLOCK_ISB;
	*w++ = 0;
	*w++ = id;
	*w++ = ns >> 32;
	*w++ = (uint32_t)ns;
	w = put_option(w, ISB_STARTTIME, start_ns, true);
	if (last)
		w = put_option(w, ISB_ENDTIME, ns, true);
	w = put_option(w, ISB_IFRECV, a->received, false);
	w = put_option(w, ISB_IFDROP, a->missed, false);
	w = put_option(w, ISB_FILTERACCEPT, a->accepted, false);
	w = put_option(w, ISB_OSDROP, a->dropped, false);
	w = put_option(w, ISB_USRDELIV, a->delivered, false);
	*w++ = 0;
	first[1] = (w + 1 - first) * sizeof(*w);
	*w++ = first[1];
	return first[1];
}

static int put_blocks(struct sums *s, struct files *f, uint32_t nr,
		      bool last)
{
	bool single = is_single(s) && nr == 1;
	struct ptap_spans spans = { .nr = 1, .nr_headers = 1 };
	uint32_t *words = calloc(nr, ISB_WORDS * sizeof(*words));
	struct iovec iov = { .iov_base = words };
	struct account a = { 0 };
	uint32_t id;
	int err = words ? learn(s, nr) : -ENOMEM;

	for (id = 0; id < nr && !err; id++) {
		err = account_of(s, id, single, &a);
		if (!err)
			iov.iov_len += make_block(words + iov.iov_len / 4, id,
						  s->start_ns, last, &a);
	}
	spans.iov = &iov;
	spans.header_bytes = iov.iov_len;
	spans.bytes = iov.iov_len;
	if (!err)
		err = file_put(f, &spans);
	free(words);
	return err;
}

/**
 * sums_put - write the account of all interfaces that the file describes
 * @s: sums
 * @f: the file; it has its headers, or gets nothing
 * @last: the capture is over
 *
 * Return: 0 or a negative errno.
 */
int sums_put(struct sums *s, struct files *f, bool last)
{
	int nr;

	if (!is_wanted(s) || f->fd < 0 || !file_bytes(f))
		return 0;
	nr = described(s);
	if (nr <= 0)
		return nr == -EAGAIN ? 0 : nr;
	if ((!is_single(s) || nr > 1) && !(s->opt->meta & PTAP_META_COUNTS))
		return 0;
	return put_blocks(s, f, nr, last);
}

/* Milliseconds until sums_tick() has something to do, or -1 for never. */
int sums_wait_ms(const struct sums *s)
{
	uint64_t ns;

	if (!is_wanted(s) || !s->opt->sums_seconds)
		return -1;
	ns = now(CLOCK_MONOTONIC);
	if (ns >= s->due_ns)
		return 0;
	return (s->due_ns - ns) / NSEC_PER_MSEC + 1;
}

/* At intervals: write the account.  Returns 0 or a negative errno. */
int sums_tick(struct sums *s, struct files *f)
{
	if (sums_wait_ms(s))
		return 0;
	s->due_ns = now(CLOCK_MONOTONIC) +
		    (uint64_t)s->opt->sums_seconds * NSEC_PER_SEC;
	return sums_put(s, f, false);
}
