// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's writer on pipes: short writes at any byte, a descriptor that does
 * not block, interrupted calls, a reader that goes away.
 *
 * A thread reads the other end in random pieces, with pauses.  Signals are for
 * the writing thread only.  Regular files are tested by writer_test.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_spans.h"
#if LIB_SOURCE
#include "writer.c"
#endif

#define PIPE_BYTES	4096

/* The thread at the other end. */
struct reader {
	pthread_t thread;
	int fd;
	u64 max;		/* closes the pipe after so many bytes */
	u64 len;
	u8 bytes[CAPTURE_BYTES_MAX];
};

static struct capture capture;
static struct ptap_spans spans;
static struct reader reader;
static u32 nr_signals;

static void *reader_run(void *arg)
{
	struct reader *r = arg;
	u64 random = 1;
	ssize_t n;
	u64 size;
	u32 i;

	for (i = 0; r->len < r->max; i++) {
		random = random * 6364136223846793005ULL + 1;
		size = 1 + (random >> 33) % 3000;
		if (size > r->max - r->len)
			size = r->max - r->len;
		n = read(r->fd, r->bytes + r->len, size);
		if (n <= 0)
			break;
		r->len += n;
		if (i % 3 == 0)
			usleep(300);
	}
	close(r->fd);
	return NULL;
}

/* Returns the end to write to. */
static int reader_start(u64 max, int flags)
{
	sigset_t all, old;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[1], F_SETFL, flags)) {
		printf("Bail out! no pipe: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	reader.fd = fds[0];
	reader.max = max;
	reader.len = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_create(&reader.thread, NULL, reader_run, &reader);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return fds[1];
}

static void capture_make(u32 format)
{
	u32 i;

	spans_reset();
	capture_begin(&capture, format);
	for (i = 0; i < 1300; i++)
		capture_add(&capture, i * 41 % 400);
	spans_begin(&spans);
	spans_headers(&spans, &capture, 0, capture.marks[1].at, 1);
	spans_records(&spans, &capture, 0, 1100, 1);
	spans_records(&spans, &capture, 1100, capture.nr, 9);
}

static void write_all(u32 format, int flags)
{
	struct ptap_writer *w;
	int fd;

	capture_make(format);
	fd = reader_start(CAPTURE_BYTES_MAX, flags);
	w = ptap_writer_create(fd, format);
	TAP_CHECK(!ptap_writer_put(w, &spans));
	close(fd);
	pthread_join(reader.thread, NULL);
	TAP_CHECK(ptap_writer_records(w) == capture.nr);
	TAP_CHECK(ptap_writer_bytes(w) == capture.len);
	TAP_CHECK(reader.len == capture.len &&
		  !memcmp(reader.bytes, capture.bytes, capture.len));
	ptap_writer_destroy(w);
}

static void test_slow(void)
{
	u32 format;

	for (format = 0; format < 3; format++)
		write_all(format, 0);
}

static void test_nonblock(void)
{
	u32 format;

	for (format = 0; format < 3; format++)
		write_all(format, O_NONBLOCK);
}

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&nr_signals, 1, __ATOMIC_RELAXED);
}

static void write_interrupted(int flags)
{
	/* Without SA_RESTART, so that calls end with EINTR. */
	struct sigaction act = { .sa_handler = on_signal };
	struct itimerval timer = {
		.it_interval.tv_usec = 211, .it_value.tv_usec = 211,
	};

	nr_signals = 0;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	write_all(PTAP_FORMAT_PCAPNG, flags);
	write_all(PTAP_FORMAT_PCAP_USEC, flags);
	timer = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &timer, NULL);
	TAP_CHECK(__atomic_load_n(&nr_signals, __ATOMIC_RELAXED) > 0);
}

static void test_interrupted(void)
{
	write_interrupted(0);
}

static void test_interrupted_nonblock(void)
{
	write_interrupted(O_NONBLOCK);
}

static void test_closed(void)
{
	struct ptap_writer *w;
	int fds[2];

	capture_make(PTAP_FORMAT_PCAP_NSEC);
	if (!TAP_CHECK(!pipe2(fds, O_CLOEXEC)))
		return;
	close(fds[0]);
	w = ptap_writer_create(fds[1], PTAP_FORMAT_PCAP_NSEC);
	TAP_CHECK(ptap_writer_put(w, &spans) == -EPIPE);
	TAP_CHECK(ptap_writer_put(w, &spans) == -EPIPE);
	TAP_CHECK(ptap_writer_records(w) == 0 && ptap_writer_bytes(w) == 0);
	ptap_writer_destroy(w);
	close(fds[1]);
}

/* The reader goes after @max bytes; the pipe had room for some more. */
static void write_broken(u64 max, int flags)
{
	struct capture_mark least, most, is;
	int fd = reader_start(max, flags);
	struct ptap_writer *w;

	w = ptap_writer_create(fd, capture.format);
	TAP_CHECK(ptap_writer_put(w, &spans) == -EPIPE);
	pthread_join(reader.thread, NULL);
	TAP_CHECK(reader.len == max &&
		  !memcmp(reader.bytes, capture.bytes, max));
	least = capture_whole(&capture, max);
	most = capture_whole(&capture, max + fcntl(fd, F_GETPIPE_SZ));
	is = capture_whole(&capture, ptap_writer_bytes(w));
	TAP_CHECK(is.at == ptap_writer_bytes(w));
	TAP_CHECK(is.records == ptap_writer_records(w));
	TAP_CHECK(is.at >= least.at && is.at <= most.at);
	ptap_writer_destroy(w);
	close(fd);
}

static void test_broken(void)
{
	u32 format;
	u64 max;

	for (format = 0; format < 3; format++) {
		capture_make(format);
		for (max = 1; max < 60000; max += 5557) {
			write_broken(max, 0);
			write_broken(max, O_NONBLOCK);
		}
	}
}

/* A file descriptor that others made full: the put waits for them. */
static void test_full_at_first(void)
{
	static u8 junk[1 << 20];
	struct ptap_writer *w;
	ssize_t filled, n;
	int fd;

	capture_make(PTAP_FORMAT_PCAPNG);
	fd = reader_start(CAPTURE_BYTES_MAX, O_NONBLOCK);
	filled = write(fd, junk, sizeof(junk));
	if (!TAP_CHECK(filled > 0))
		return;
	while ((n = write(fd, junk, 1)) > 0)
		filled += n;
	w = ptap_writer_create(fd, PTAP_FORMAT_PCAPNG);
	TAP_CHECK(!ptap_writer_put(w, &spans));
	TAP_CHECK(ptap_writer_bytes(w) == capture.len);
	close(fd);
	pthread_join(reader.thread, NULL);
	TAP_CHECK(reader.len == filled + capture.len &&
		  !memcmp(reader.bytes + filled, capture.bytes, capture.len));
	ptap_writer_destroy(w);
}

static const struct tap_test tests[] = {
	{ "slow reader", test_slow },
	{ "slow reader, not blocking", test_nonblock },
	{ "interrupted", test_interrupted },
	{ "interrupted, not blocking", test_interrupted_nonblock },
	{ "full at first, not blocking", test_full_at_first },
	{ "nobody reads", test_closed },
	{ "the reader goes away", test_broken },
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return TAP_RUN(tests);
}
