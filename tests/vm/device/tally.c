// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which test frames came: each at most once, each byte as it was sent.
 */
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "net.h"
#include "tap.h"

void tally_init(struct tally *t)
{
	uint32_t i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < TALLY_SENDERS; i++) {
		t->seen[i] = calloc(1, TALLY_SEQ_MAX / 8);
		REQUIRE(t->seen[i], "no memory");
	}
}

void tally_reset(struct tally *t)
{
	uint32_t i;

	for (i = 0; i < TALLY_SENDERS; i++) {
		t->nr[i] = 0;
		memset(t->seen[i], 0, TALLY_SEQ_MAX / 8);
	}
	memset(t->kinds, 0, sizeof(t->kinds));
}

bool tally_has(const struct tally *t, uint8_t sender, uint64_t seq)
{
	return t->seen[sender][seq / 8] >> (seq % 8) & 1;
}

void tally_packet(void *tally, const struct packet *p)
{
	struct tally *t = tally;
	struct frame f;

	if (p->caplen < t->skipped ||
	    !frame_check(p->data + t->skipped, p->caplen - t->skipped, t->cut,
			 &f)) {
		CHECK(false, "packet of %u bytes is not as it was sent",
		      p->caplen);
		return;
	}
	if (!t->cut)
		CHECK_EQ(p->len, f.size + t->skipped, "length of a frame");
	if (f.sender >= TALLY_SENDERS || f.seq >= TALLY_SEQ_MAX) {
		CHECK(false, "frame of an unknown sender");
		return;
	}
	CHECK(!tally_has(t, f.sender, f.seq), "frame %llu of sender %u again",
	      (unsigned long long)f.seq, f.sender);
	t->seen[f.sender][f.seq / 8] |= 1 << (f.seq % 8);
	t->nr[f.sender]++;
	t->kinds[f.kind & 7]++;
}

void tally_expect(const struct tally *t, uint8_t sender, uint64_t first,
		  uint64_t nr)
{
	uint64_t i;

	CHECK(t->nr[sender] == nr, "%llu frames of sender %u, not %llu",
	      (unsigned long long)t->nr[sender], sender,
	      (unsigned long long)nr);
	for (i = first; i < first + nr; i++)
		CHECK(tally_has(t, sender, i), "frame %llu of sender %u is missing",
		      (unsigned long long)i, sender);
}
