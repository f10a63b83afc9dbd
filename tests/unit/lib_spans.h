/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Spans over a capture, as ptap_spans_next() gives them out, for the writer.
 *
 * Every span is a copy in a place of its own, with poison between it and the
 * next, so that a writer that leaves a span does not get the right bytes by
 * accident.  spans_reset() frees all of them.
 */
#ifndef PTAP_UNIT_LIB_SPANS_H
#define PTAP_UNIT_LIB_SPANS_H

#include "lib_capture.h"
#include "ptap.h"

#define SPANS_MAX	16384U
#define SPANS_GAP	7U

static struct iovec spans_pool[SPANS_MAX];
static u32 spans_pool_len;
static u8 spans_bytes[CAPTURE_BYTES_MAX + SPANS_MAX * SPANS_GAP];
static u64 spans_bytes_len;

static inline void spans_reset(void)
{
	spans_pool_len = 0;
	spans_bytes_len = 0;
}

static inline void spans_begin(struct ptap_spans *s)
{
	*s = (struct ptap_spans){ .iov = spans_pool + spans_pool_len };
}

static inline void spans_piece(struct ptap_spans *s, const u8 *at, u64 len)
{
	u8 *to = spans_bytes + spans_bytes_len;

	memcpy(to, at, len);
	memset(to + len, 0xee, SPANS_GAP);
	spans_bytes_len += len + SPANS_GAP;
	spans_pool[spans_pool_len++] = (struct iovec){ to, len };
	s->nr++;
	s->bytes += len;
}

/* Headers [@from, @to) of the capture, in @pieces; before the records. */
static inline void spans_headers(struct ptap_spans *s, const struct capture *c,
				 u64 from, u64 to, u32 pieces)
{
	u64 step = (to - from) / pieces;

	for (; pieces; pieces--, from += step)
		spans_piece(s, c->bytes + from,
			    pieces == 1 ? to - from : step);
	s->nr_headers = s->nr;
	s->header_bytes = s->bytes;
}

/* Records [@first, @end), @per_span in each span. */
static inline void spans_records(struct ptap_spans *s, const struct capture *c,
				 u32 first, u32 end, u32 per_span)
{
	u32 next;

	for (; first < end; first = next) {
		next = end - first < per_span ? end : first + per_span;
		spans_piece(s, c->bytes + c->start[first],
			    capture_end(c, next - 1) - c->start[first]);
		s->records += next - first;
	}
}

#endif /* PTAP_UNIT_LIB_SPANS_H */
