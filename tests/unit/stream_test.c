// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's stream: file bytes from a descriptor, told apart into headers and
 * records, put together again, and compared with the file.
 *
 * A datagram socket stands for the device: each of its messages is what one
 * read() gives, whole records and pieces of headers, and one without bytes is
 * the end.  A pipe and a memfd are read as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_capture.h"
#include "source.h"
#if LIB_SOURCE
#include "stream.c"
#endif

/* Bytes of a pcapng block that have to come in one read. */
#define BLOCK_MIN	1U

static struct capture capture;
static u8 damaged[CAPTURE_BYTES_MAX];

/* What came out of a stream. */
static struct {
	u64 len;
	u64 records;
	u64 header_bytes;
	u32 calls;
	u8 bytes[CAPTURE_BYTES_MAX];
} out;

static void out_add(const struct iovec *iov)
{
	if (!TAP_CHECK(out.len + iov->iov_len <= sizeof(out.bytes)))
		return;
	memcpy(out.bytes + out.len, iov->iov_base, iov->iov_len);
	out.len += iov->iov_len;
}

/* Take all of what was read.  Return: 0 or the error. */
static int take(struct ptap_stream *s, u64 max_records)
{
	struct iovec iov;
	u64 records;
	int n;

	while (s->pos < s->end && !s->torn && !tap_has_failed()) {
		n = ptap_stream_headers(s, &iov);
		if (n < 0)
			return n;
		if (n) {
			out.header_bytes += iov.iov_len;
			out_add(&iov);
		}
		records = 12345;
		n = ptap_stream_records(s, max_records, &iov, &records);
		if (n < 0)
			return n;
		TAP_CHECK(records <= max_records && !n == !records);
		if (n)
			out_add(&iov);
		out.records += records;
		out.calls++;
	}
	return 0;
}

/* Until the end: -ENODATA, or another error. */
static int take_all(int fd, u64 max_records)
{
	struct ptap_stream s;
	int ret;

	out.len = 0;
	out.records = 0;
	out.header_bytes = 0;
	out.calls = 0;
	if (!TAP_CHECK(!ptap_stream_init(&s, fd, capture.format)))
		return 0;
	do {
		ret = ptap_stream_fill(&s);
		if (ret == 1)
			ret = take(&s, max_records);
	} while (!ret && !tap_has_failed());
	if (ret == -ENODATA)
		TAP_CHECK(ptap_stream_fill(&s) == -ENODATA && s.ended);
	ptap_stream_exit(&s);
	TAP_CHECK(!s.buf);
	return ret;
}

static void check_whole(void)
{
	TAP_CHECK(out.len == capture.len &&
		  !memcmp(out.bytes, capture.bytes, capture.len));
	TAP_CHECK(out.records == capture.nr);
}

static int memory_file(const u8 *bytes, u64 len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	TAP_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len &&
		  lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Records, and with pcapng headers between them. */
static void capture_make(u32 format, u32 nr)
{
	u32 i;

	capture_begin(&capture, format);
	for (i = 0; i < nr; i++) {
		capture_add(&capture, i * 29 % 300);
		if (i % 97 == 5)
			capture_more(&capture);
	}
}

static u64 first_headers_len(void)
{
	return capture.marks[1].at;
}

static void test_file(void)
{
	static const u64 max_records[] = { 1, 2, 10, 97, 1000, U64_MAX };
	u32 format, i;
	u64 bytes;
	int fd;

	for (format = 0; format < 3; format++) {
		capture_make(format, 1000);
		bytes = capture.len;
		for (i = 0; i < capture.nr; i++)
			bytes -= record_len(format, capture.caplen[i]);
		fd = memory_file(capture.bytes, capture.len);
		for (i = 0; i < sizeof(max_records) / sizeof(*max_records);
		     i++) {
			lseek(fd, 0, SEEK_SET);
			TAP_CHECK(take_all(fd, max_records[i]) == -ENODATA);
			check_whole();
			TAP_CHECK(out.header_bytes == bytes);
			if (max_records[i] == 1)
				TAP_CHECK(out.calls == capture.nr);
		}
		close(fd);
	}
}

/* Headers alone, and nothing at all. */
static void test_ends(void)
{
	u32 format;
	int fd;

	for (format = 0; format < 3; format++) {
		capture_make(format, 0);
		fd = memory_file(capture.bytes, capture.len);
		TAP_CHECK(take_all(fd, U64_MAX) == -ENODATA);
		check_whole();
		TAP_CHECK(take_all(fd, U64_MAX) == -ENODATA);
		TAP_CHECK(out.len == 0 && out.records == 0);
		close(fd);
	}
}

static void sockets(int fds[2])
{
	int size = 1 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		printf("Bail out! no socket: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* The file in reads that end at @at and @next, and where they have to. */
static void read_split(u64 at, u64 next)
{
	int fds[2];

	sockets(fds);
	TAP_CHECK(send(fds[1], capture.bytes, at, 0) == (ssize_t)at);
	TAP_CHECK(send(fds[1], capture.bytes + at, next - at, 0) ==
		  (ssize_t)(next - at));
	if (next < capture.len)
		TAP_CHECK(send(fds[1], capture.bytes + next,
			       capture.len - next, 0) ==
			  (ssize_t)(capture.len - next));
	close(fds[1]);
	TAP_CHECK(take_all(fds[0], U64_MAX) == -ENODATA);
	check_whole();
	if (tap_has_failed())
		tap_note("format %u, reads end at %llu and %llu",
			 capture.format, (unsigned long long)at,
			 (unsigned long long)next);
	close(fds[0]);
}

/* May a read end here, within the headers?  Blocks: 28 and 32 bytes. */
static bool may_split(u64 at)
{
	if (capture.format != PTAP_FORMAT_PCAPNG)
		return true;
	if (at > 28)
		at -= 28;
	return at >= BLOCK_MIN;
}

static void test_split(void)
{
	u64 at, next, len;
	u32 format;

	for (format = 0; format < 3; format++) {
		capture_make(format, 20);
		len = first_headers_len();
		for (at = 1; at <= len; at++)
			for (next = at + 1; next <= len + 1; next++) {
				if (!may_split(at) || tap_has_failed())
					continue;
				if (next == len + 1)
					read_split(at, capture_end(&capture,
								   3));
				else if (may_split(next))
					read_split(at, next);
			}
	}
}

/* An interface block behind records, split, in reads of its own. */
static void test_split_later(void)
{
	u64 start, at;

	capture_make(PTAP_FORMAT_PCAPNG, 9);
	start = capture_end(&capture, 5);
	for (at = BLOCK_MIN; at < 32 && !tap_has_failed(); at++) {
		read_split(start + at, start + 32);
		read_split(start, start + at);
	}
}

/* Each read ends behind a record, as the kernel's do. */
static void test_reads(void)
{
	u32 format, i, step;
	u64 at, next;
	int fds[2];

	for (format = 0; format < 3; format++) {
		for (step = 1; step < 40 && !tap_has_failed(); step += 6) {
			capture_make(format, 150);
			sockets(fds);
			for (i = 1, at = 0; at < capture.len; at = next) {
				i = i + step < capture.nr_marks ?
				    i + step : capture.nr_marks - 1;
				next = capture.marks[i].at;
				send(fds[1], capture.bytes + at, next - at, 0);
			}
			close(fds[1]);
			TAP_CHECK(take_all(fds[0], step) == -ENODATA);
			check_whole();
			close(fds[0]);
		}
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Nothing there, interrupted, a pipe, and a descriptor that cannot be read. */
static void test_errors(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct itimerval timer = {
		.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000,
	};
	struct ptap_stream s;
	int fds[2];

	capture_make(PTAP_FORMAT_PCAP_USEC, 30);
	if (!TAP_CHECK(!pipe2(fds, O_CLOEXEC)))
		return;
	TAP_CHECK(!ptap_stream_init(&s, fds[0], capture.format));
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	TAP_CHECK(ptap_stream_fill(&s) == -EINTR);
	timer = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &timer, NULL);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	TAP_CHECK(ptap_stream_fill(&s) == 0 && !s.ended);
	TAP_CHECK(write(fds[1], capture.bytes, capture.len) ==
		  (ssize_t)capture.len);
	TAP_CHECK(ptap_stream_fill(&s) == 1);
	/* Nothing is read as long as something is left. */
	TAP_CHECK(s.end == capture.len && ptap_stream_fill(&s) == 1);
	out.len = out.records = 0;
	TAP_CHECK(take(&s, 7) == 0);
	check_whole();
	TAP_CHECK(ptap_stream_fill(&s) == 0);
	close(fds[1]);
	TAP_CHECK(ptap_stream_fill(&s) == -ENODATA);
	ptap_stream_exit(&s);
	close(fds[0]);
	TAP_CHECK(take_all(-1, 1) == -EBADF);
}

/* Damage ------------------------------------------------------------------- */

/* What a stream over damaged bytes says: all before record @good is there. */
static void check_damage(u64 len, u32 good)
{
	int fd = memory_file(damaged, len);

	TAP_CHECK(take_all(fd, 1) == -EIO);
	TAP_CHECK(out.records == good);
	TAP_CHECK(out.len <= len && !memcmp(out.bytes, damaged, out.len));
	lseek(fd, 0, SEEK_SET);
	TAP_CHECK(take_all(fd, U64_MAX) == -EIO);
	TAP_CHECK(out.records == good);
	close(fd);
	if (tap_has_failed())
		tap_note("format %u, %llu bytes, record %u", capture.format,
			 (unsigned long long)len, good);
}

static void test_cut(void)
{
	u32 format, n;
	u64 at;

	for (format = 0; format < 3; format++) {
		capture_begin(&capture, format);
		for (n = 0; n < 4; n++)
			capture_add(&capture, n * 9);
		memcpy(damaged, capture.bytes, capture.len);
		for (n = 0; n < capture.nr; n++)
			for (at = capture.start[n] + 1;
			     at < capture_end(&capture, n) &&
			     !tap_has_failed(); at++)
				check_damage(at, n);
	}
}

/* The length of record @n becomes @value. */
static void damage_length(u32 n, u32 value)
{
	u32 off = capture.format == PTAP_FORMAT_PCAPNG ? 4 : 8;

	memcpy(damaged, capture.bytes, capture.len);
	put_u32(damaged + capture.start[n] + off, value);
	check_damage(capture.len, n);
}

static void test_length(void)
{
	static const u32 large[] = {
		5000, 0x7fffffff, 0xfffffff0, 0xfffffff4, 0xffffffff,
	};
	static const u32 small[] = { 0, 4, 11, 12, 28, 31 };
	u32 format, n, i;

	for (format = 0; format < 3; format++) {
		capture_begin(&capture, format);
		for (n = 0; n < 6; n++)
			capture_add(&capture, n * 11);
		for (n = 0; n < capture.nr; n++) {
			for (i = 0; i < sizeof(large) / sizeof(*large); i++)
				damage_length(n, large[i]);
			if (format != PTAP_FORMAT_PCAPNG)
				continue;
			for (i = 0; i < sizeof(small) / sizeof(*small); i++)
				damage_length(n, small[i]);
		}
	}
}

/* A block that is no record and shorter than a block can be. */
static void test_block(void)
{
	u32 len, n;

	capture_begin(&capture, PTAP_FORMAT_PCAPNG);
	for (n = 0; n < 3; n++)
		capture_add(&capture, 20);
	for (n = 0; n < capture.nr; n++)
		for (len = 0; len < 12; len++) {
			memcpy(damaged, capture.bytes, capture.len);
			put_u32(damaged + capture.start[n], 5);
			put_u32(damaged + capture.start[n] + 4, len);
			check_damage(capture.len, n);
		}
}

static const struct tap_test tests[] = {
	{ "a file, any number of records at a time", test_file },
	{ "headers alone, and nothing", test_ends },
	{ "headers split over reads", test_split },
	{ "later headers split over reads", test_split_later },
	{ "reads of whole records", test_reads },
	{ "nothing there, interrupted, no descriptor", test_errors },
	{ "record that is cut", test_cut },
	{ "record of an impossible length", test_length },
	{ "block of an impossible length", test_block },
};

int main(void)
{
	return TAP_RUN(tests);
}
