// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cut.c - spans of a capture file, cut between records.
 *
 * Files with a limit end with the record that makes them too large, which may
 * be in the middle of what the library gives out at once.  Only then are the
 * records looked at, one after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <ptap.h>
#include "merge.h"
#include "tapdump.h"

int cut_init(struct cut *cut, const struct ptap_spans *spans, uint32_t format)
{
	*cut = (struct cut){ .spans = spans, .format = format };
	cut->iov = calloc(spans->nr + 1, sizeof(*cut->iov));
	return cut->iov ? 0 : -ENOMEM;
}

void cut_exit(struct cut *cut)
{
	free(cut->iov);
}

bool cut_is_done(const struct cut *cut)
{
	return cut->span >= cut->spans->nr;
}

/* The next file begins with the headers of all, these included. */
void cut_skip_headers(struct cut *cut)
{
	if (cut->span < cut->spans->nr_headers) {
		cut->span = cut->spans->nr_headers;
		cut->off = 0;
	}
}

static void take_headers(struct cut *cut, struct ptap_spans *part)
{
	while (cut->span < cut->spans->nr_headers) {
		cut->iov[part->nr] = cut->spans->iov[cut->span++];
		part->bytes += cut->iov[part->nr++].iov_len;
	}
	part->nr_headers = part->nr;
	part->header_bytes = part->bytes;
}

/* Bytes of the span's next records, up to the one that exceeds @room. */
static size_t take_records(struct cut *cut, uint64_t room, uint64_t records,
			   struct ptap_spans *part)
{
	const struct iovec *span = &cut->spans->iov[cut->span];
	const uint8_t *at = span->iov_base;
	size_t start = cut->off;
	uint64_t len;

	while (cut->off < span->iov_len && part->bytes <= room &&
	       part->records < records) {
		len = ptap_record_size(cut->format, at + cut->off,
				       span->iov_len - cut->off);
		if (!len)
			break;
		cut->off += len;
		part->bytes += len;
		part->records++;
	}
	return cut->off - start;
}

/**
 * cut_next - the next part
 * @cut: being cut
 * @room: the part ends with the record that makes it larger than this
 * @records: or with this one
 * @part: set; valid until the next call
 *
 * Return: false if there is no more, or no whole record.
 */
bool cut_next(struct cut *cut, uint64_t room, uint64_t records,
	      struct ptap_spans *part)
{
	const struct iovec *span;
	size_t start, len;

	*part = (struct ptap_spans){ .iov = cut->iov };
	take_headers(cut, part);
	while (cut->span < cut->spans->nr && part->bytes <= room &&
	       part->records < records) {
		span = &cut->spans->iov[cut->span];
		start = cut->off;
		len = take_records(cut, room, records, part);
		if (!len)
			break;
		cut->iov[part->nr++] = (struct iovec){
			(uint8_t *)span->iov_base + start, len
		};
		if (cut->off == span->iov_len) {
			cut->span++;
			cut->off = 0;
		}
	}
	return part->nr != 0;
}
