// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Headers that tell more than the module's: from a stream that comes in pieces,
 * byte by byte, and for any interface that there is.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "../../userspace/libptap/internal.h"
#include "tap.h"

#define HEADERS_LEN	72
#define RECORD_LEN	96

/* A section, the interface lo, a packet of 64 bytes. */
static void make_stream(uint8_t *b)
{
	static const uint32_t shb[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0U, ~0U, 28
	};
	static const uint32_t idb[] = {
		1, 44, 1, 262144, 2 | 2 << 16, 'l' | 'o' << 8,
		9 | 1 << 16, 9, 0, 0, 44
	};
	static const uint32_t epb[] = { 6, 96, 0, 1, 2, 64, 64 };
	static const uint32_t end = 96;

	memcpy(b, shb, 28);
	memcpy(b + 28, idb, 44);
	memset(b + HEADERS_LEN, 7, RECORD_LEN);
	memcpy(b + HEADERS_LEN, epb, 28);
	memcpy(b + HEADERS_LEN + 92, &end, 4);
}

static struct ptap *make_reader(int fd)
{
	struct ptap *p = ptap_create();

	fcntl(fd, F_SETFL, O_NONBLOCK);
	p->fd = fd;
	p->mode = PTAP_MODE_READ;
	p->started = true;
	p->describe = true;
	p->filter = strdup("tcp port 80");
	p->application = strdup("test 1");
	ptap_stream_init(&p->stream, fd, PTAP_FORMAT_PCAPNG);
	return p;
}

static uint32_t word_at(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Blocks with options that end where they say. */
static bool is_whole(const uint8_t *b, size_t len)
{
	size_t at = 0, size, o, fixed;
	uint16_t head[2];

	for (; at + 12 <= len; at += size) {
		size = word_at(b + at + 4);
		if (size < 12 || size % 4 || at + size > len ||
		    word_at(b + at + size - 4) != size)
			return false;
		fixed = word_at(b + at) == 1 ? 16 : 24;
		for (o = at + fixed; o + 4 <= at + size - 4;
		     o += 4 + ((head[1] + 3) & ~3))
			memcpy(head, b + o, sizeof(head));
		if (o != at + size - 4 || head[0] || head[1])
			return false;
	}
	return at == len;
}

static bool has(const uint8_t *b, size_t len, const char *text)
{
	return memmem(b, len, text, strlen(text));
}

/* The stream cut in two at @cut. */
static void cut_at(size_t cut)
{
	uint8_t bytes[HEADERS_LEN + RECORD_LEN], head[4096];
	struct ptap_spans spans;
	size_t got = 0, records = 0;
	struct ptap *p;
	unsigned int i;
	int fds[2], n;

	make_stream(bytes);
	if (!TAP_CHECK(!pipe(fds)))
		return;
	p = make_reader(fds[0]);
	for (n = 0; n < 2; n++) {
		if (write(fds[1], bytes + (n ? cut : 0),
			  n ? sizeof(bytes) - cut : cut) < 0)
			TAP_CHECK(false);
		while (ptap_spans_next(p, 0, &spans) > 0) {
			for (i = 0; i < spans.nr_headers; i++) {
				memcpy(head + got, spans.iov[i].iov_base,
				       spans.iov[i].iov_len);
				got += spans.iov[i].iov_len;
			}
			for (; i < spans.nr; i++)
				TAP_CHECK(!memcmp(spans.iov[i].iov_base,
						  bytes + HEADERS_LEN,
						  RECORD_LEN));
			records += spans.records;
			ptap_spans_release(p);
		}
	}
	TAP_CHECK(records == 1);
	TAP_CHECK(got > HEADERS_LEN && is_whole(head, got));
	TAP_CHECK(ptap_preamble_get(p, NULL, 0) == (long)got);
	TAP_CHECK(has(head, got, "test 1") && has(head, got, "tcp port 80"));
	TAP_CHECK(has(head, got, "Linux "));
	ptap_destroy(p);
	close(fds[1]);
}

static void pieces(void)
{
	size_t cut;

	/* A record is never cut. */
	for (cut = 1; cut <= HEADERS_LEN && !tap_has_failed(); cut++)
		cut_at(cut);
}

/* Whatever comes, what goes out is no shorter, and nothing is read beyond. */
static void nonsense(void)
{
	struct ptap p = { .filter = (char *)"ip" };
	uint8_t bytes[HEADERS_LEN + RECORD_LEN], *more;
	unsigned int i, v;
	uint8_t *own;
	long n;

	for (i = 0; i < HEADERS_LEN; i++) {
		for (v = 0; v < 256; v += 51) {
			make_stream(bytes);
			bytes[i] = v;
			own = malloc(HEADERS_LEN);
			memcpy(own, bytes, HEADERS_LEN);
			more = NULL;
			n = ptap_describe(&p, own, HEADERS_LEN, &more);
			TAP_CHECK(n >= 0);
			free(more);
			free(own);
		}
	}
}

static const struct tap_test tests[] = {
	{ "headers in two pieces, cut at each byte", pieces },
	{ "headers with wrong bytes", nonsense },
};

int main(void)
{
	return TAP_RUN(tests);
}
