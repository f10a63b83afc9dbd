// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tapdump's compressed files: a frame ends with a record or a header, never in
 * the middle of one; what cannot be written leaves the file as it was, also
 * what others have put there; and a pipe that does not block is waited for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include "lib_source.h"
#include "../../userspace/tapdump/compress.c"
#include "../../userspace/tapdump/codec.c"

#define RECORD_BYTES	1400U
#define RECORD_HEAD	16U
#define NR_RECORDS	2000U
#define HEADER_BYTES	4000U
#define BEFORE_BYTES	100000U
#define ALL_BYTES	((size_t)NR_RECORDS * RECORD_BYTES)

static uint8_t *records;
static uint8_t header[HEADER_BYTES];

/* Records of noise, which no compression makes smaller. */
static void make_records(void)
{
	uint32_t caplen = RECORD_BYTES - RECORD_HEAD;
	size_t i;

	records = malloc(ALL_BYTES);
	for (i = 0; i < ALL_BYTES; i++)
		records[i] = random();
	for (i = 0; i < NR_RECORDS; i++) {
		memcpy(records + i * RECORD_BYTES + 8, &caplen, sizeof(caplen));
		memcpy(records + i * RECORD_BYTES + 12, &caplen,
		       sizeof(caplen));
	}
}

static bool never(void *arg, int err)
{
	(void)arg;
	(void)err;
	return false;
}

/* @nr records from @first on, behind a header if that is wanted. */
static int put(struct packer *p, bool with_header, size_t first, size_t nr)
{
	struct iovec iov[] = {
		{ header, sizeof(header) },
		{ records + first * RECORD_BYTES, nr * RECORD_BYTES },
	};
	struct ptap_spans spans = {
		.iov = iov + !with_header,
		.nr = with_header + (nr != 0),
		.nr_headers = with_header,
		.records = nr,
	};

	return packer_put(p, &spans, never, NULL);
}

/* The length of what is in the first frame of the file. */
static size_t first_frame(int fd)
{
	static uint8_t in[2 * FRAME_BYTES], out[2 * FRAME_BYTES];
	ssize_t len = pread(fd, in, sizeof(in), 0);
	z_stream z = { .next_in = in, .avail_in = len, .next_out = out,
		       .avail_out = sizeof(out) };

	if (len <= 0 || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return 0;
	inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return sizeof(out) - z.avail_out;
}

static int temporary(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void test_whole_headers(void)
{
	const size_t fit = (FRAME_BYTES - HEADER_BYTES) / RECORD_BYTES;
	int fd = temporary();
	struct packer *p = packer_create(fd, PTAP_FORMAT_PCAP_USEC, CODEC_GZIP,
					 1);

	/* One header in front, and another where the frame is nearly full. */
	TAP_CHECK(!put(p, true, 0, fit));
	TAP_CHECK(!put(p, true, fit, 1));
	TAP_CHECK(!packer_flush(p, never, NULL));
	TAP_CHECK(first_frame(fd) == HEADER_BYTES + fit * RECORD_BYTES);
	TAP_CHECK(p->records == fit + 1);
	packer_destroy(p);
	close(fd);
}

/* Behind what others wrote there, by O_APPEND or because it stands there. */
static void failing(int flags)
{
	static uint8_t before[BEFORE_BYTES], after[BEFORE_BYTES];
	struct rlimit limit = { BEFORE_BYTES + 5000, RLIM_INFINITY };
	int fd = temporary();
	struct packer *p;
	struct stat st;
	int err;

	memset(before, 'x', sizeof(before));
	if (!TAP_CHECK(write(fd, before, sizeof(before)) == BEFORE_BYTES))
		return;
	fcntl(fd, F_SETFL, flags);
	p = packer_create(fd, PTAP_FORMAT_PCAP_USEC, CODEC_ZSTD, 1);
	TAP_CHECK(!put(p, true, 0, 100));
	setrlimit(RLIMIT_FSIZE, &limit);
	err = packer_flush(p, never, NULL);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	TAP_CHECK(err == -EFBIG);
	TAP_CHECK(!p->records && !p->bytes);
	TAP_CHECK(!fstat(fd, &st) && st.st_size == BEFORE_BYTES);
	TAP_CHECK(pread(fd, after, sizeof(after), 0) == BEFORE_BYTES &&
		  !memcmp(before, after, sizeof(before)));
	packer_destroy(p);
	close(fd);
}

static void test_failing(void)
{
	failing(0);
}

static void test_failing_append(void)
{
	failing(O_APPEND);
}

struct slow_reader {
	int fd;
	size_t len;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	char buf[10000];
	ssize_t n;

	while ((n = read(r->fd, buf, sizeof(buf))) > 0) {
		r->len += n;
		usleep(100);
	}
	return NULL;
}

static void test_nonblock(void)
{
	struct slow_reader reader = { 0 };
	struct packer *p;
	pthread_t thread;
	int fds[2];

	if (!TAP_CHECK(!pipe(fds)))
		return;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	reader.fd = fds[0];
	pthread_create(&thread, NULL, read_slowly, &reader);
	p = packer_create(fds[1], PTAP_FORMAT_PCAP_USEC, CODEC_LZ4, 0);
	TAP_CHECK(!put(p, true, 0, NR_RECORDS));
	TAP_CHECK(!packer_flush(p, never, NULL));
	TAP_CHECK(p->records == NR_RECORDS);
	close(fds[1]);
	pthread_join(thread, NULL);
	TAP_CHECK(reader.len == p->bytes);
	packer_destroy(p);
	close(fds[0]);
}

static const struct tap_test tests[] = {
	{ "headers are not cut", test_whole_headers },
	{ "no room", test_failing },
	{ "no room, appending", test_failing_append },
	{ "a pipe that does not block", test_nonblock },
};

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	make_records();
	return TAP_RUN(tests);
}
