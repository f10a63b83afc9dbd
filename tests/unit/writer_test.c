// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's writer on regular files: what is in the file is byte for byte what
 * the spans hold, and the counts say exactly what is in it, also when a write
 * fails, at any byte.
 *
 * A file's size is limited by RLIMIT_FSIZE, which is in force only during a
 * put, since it is for this program's output as well.  Full file systems are
 * /dev/full and a tmpfs of two pages, which only root can make.  libpcap reads
 * every file that has a header.  Pipes are tested by writer_pipe_test.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_spans.h"
#if LIB_SOURCE
#include "writer.c"
#endif

#define PUTS_MAX	8U

static struct capture capture;
static struct ptap_spans puts_made[PUTS_MAX];
static u32 nr_puts;

static struct ptap_spans *put_begin(void)
{
	struct ptap_spans *s = &puts_made[nr_puts++];

	spans_begin(s);
	return s;
}

static void begin(u32 format)
{
	spans_reset();
	nr_puts = 0;
	capture_begin(&capture, format);
}

/* An empty file that nobody else knows. */
static int file_open(void)
{
	FILE *file = tmpfile();
	int fd = file ? dup(fileno(file)) : -1;

	if (fd < 0) {
		printf("Bail out! cannot make a file: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	fclose(file);
	return fd;
}

/* The same without a disk, to be cut a thousand times. */
static int memory_open(void)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	return fd < 0 ? file_open() : fd;
}

static u64 file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? U64_MAX : (u64)st.st_size;
}

/* From @base on the file holds the first @len bytes of the capture. */
static bool file_is(int fd, u64 base, u64 len)
{
	static u8 buf[CAPTURE_BYTES_MAX];

	return file_size(fd) == base + len &&
	       pread(fd, buf, sizeof(buf), base) == (ssize_t)len &&
	       !memcmp(buf, capture.bytes, len) &&
	       (u64)lseek(fd, 0, SEEK_CUR) == base + len;
}

static void check_packet(u32 n, const struct pcap_pkthdr *h, const u8 *data)
{
	u64 time_ns = h->ts.tv_sec * 1000000000ULL + h->ts.tv_usec;
	u32 i;

	TAP_CHECK(time_ns == capture_time(&capture, n));
	if (!TAP_CHECK(h->caplen == capture.caplen[n] && h->len == h->caplen))
		return;
	for (i = 0; i < h->caplen && data[i] == capture_byte(n, i); i++)
		;
	TAP_CHECK(i == h->caplen);
}

/* What libpcap reads is the first @records packets of the capture. */
static void check_libpcap(int fd, u64 records)
{
	char err[PCAP_ERRBUF_SIZE], name[64];
	struct pcap_pkthdr *h;
	const u8 *data;
	pcap_t *pcap;
	u64 nr = 0;
	int ret;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	pcap = pcap_open_offline_with_tstamp_precision(name,
			PCAP_TSTAMP_PRECISION_NANO, err);
	if (!TAP_CHECK(pcap))
		return;
	while ((ret = pcap_next_ex(pcap, &h, &data)) == 1 && nr < records &&
	       !tap_has_failed())
		check_packet(nr++, h, data);
	TAP_CHECK(ret == PCAP_ERROR_BREAK && nr == records);
	pcap_close(pcap);
}

/* Put until one fails. */
static int put_all(struct ptap_writer *w)
{
	int err = 0;
	u32 i;

	for (i = 0; i < nr_puts && !err; i++)
		err = ptap_writer_put(w, &puts_made[i]);
	return err;
}

/* The same, while files may not be longer than @limit. */
static int put_limited(struct ptap_writer *w, u64 limit)
{
	struct rlimit old, now;
	int err;

	getrlimit(RLIMIT_FSIZE, &old);
	now = old;
	now.rlim_cur = limit;
	setrlimit(RLIMIT_FSIZE, &now);
	err = put_all(w);
	setrlimit(RLIMIT_FSIZE, &old);
	return err;
}

/* Whole captures ----------------------------------------------------------- */

static void check_whole(u32 nr_spans)
{
	struct ptap_writer *w;
	int fd = file_open();

	w = ptap_writer_create(fd, capture.format);
	TAP_CHECK(!put_all(w));
	TAP_CHECK(ptap_writer_records(w) == capture.nr);
	TAP_CHECK(ptap_writer_bytes(w) == capture.len);
	TAP_CHECK(file_is(fd, 0, capture.len));
	ptap_writer_destroy(w);
	check_libpcap(fd, capture.nr);
	if (tap_has_failed())
		tap_note("format %u, %u spans", capture.format, nr_spans);
	close(fd);
}

/* One put of @nr_spans spans with one or several records in each. */
static void one_put(u32 format, u32 nr_spans, u32 per_span)
{
	struct ptap_spans *s;
	u32 i;

	begin(format);
	for (i = 0; i < (nr_spans - 1) * per_span; i++)
		capture_add(&capture, i * 37 % 211);
	s = put_begin();
	spans_headers(s, &capture, 0, capture.marks[1].at, 1);
	spans_records(s, &capture, 0, capture.nr, per_span);
	if (TAP_CHECK(s->nr == nr_spans && s->bytes == capture.len))
		check_whole(nr_spans);
}

static void test_whole(void)
{
	static const u32 nr_spans[] = { 1, 2, 3, 1023, 1024, 1025, 2048, 5000 };
	u32 format, i;

	for (format = 0; format < 3; format++)
		for (i = 0; i < sizeof(nr_spans) / sizeof(*nr_spans); i++) {
			one_put(format, nr_spans[i], 1);
			one_put(format, nr_spans[i], 3);
		}
}

/* Headers in pieces and in the middle, empty puts and empty spans. */
static void test_puts(void)
{
	struct ptap_spans *s;
	u64 more;
	u32 format, i;

	for (format = 0; format < 3; format++) {
		begin(format);
		put_begin();
		s = put_begin();
		spans_headers(s, &capture, 0, capture.len, 5);
		s = put_begin();
		for (i = 0; i < 1500; i++)
			capture_add(&capture, i % 100);
		spans_records(s, &capture, 0, 700, 1);
		spans_piece(s, capture.bytes, 0);
		spans_records(s, &capture, 700, 1500, 7);
		more = capture.len;
		capture_more(&capture);
		s = put_begin();
		if (capture.len > more)
			spans_headers(s, &capture, more, capture.len, 2);
		capture_add(&capture, 60000);
		spans_records(s, &capture, 1500, 1501, 1);
		check_whole(0);
	}
}

/* Places in memory --------------------------------------------------------- */

#define PLACE_RECORD	1000U
#define PLACE_RECORDS	700U

static u8 place[2 * 4096 + PLACE_RECORDS * PLACE_RECORD]
	__attribute__((aligned(4096)));

/*
 * A header of @ahead bytes, and records from the beginning of a page on, in a
 * file of at most @limit bytes.  Where they come to lie only decides which of
 * them are copied.
 */
static void one_place(u32 ahead, u64 limit)
{
	u64 len = PLACE_RECORDS * PLACE_RECORD;
	u64 fit = (limit - ahead) / PLACE_RECORD;
	u8 *records = place + 4096;
	struct iovec iov[2] = { { place, ahead }, { records, len } };
	struct ptap_spans *s = &puts_made[0];
	static u8 buf[sizeof(place)];
	int fd = memory_open();
	struct ptap_writer *w = ptap_writer_create(fd, PTAP_FORMAT_PCAP_NSEC);

	nr_puts = 1;
	*s = (struct ptap_spans){
		.iov = iov, .nr = 2, .nr_headers = 1, .header_bytes = ahead,
		.bytes = ahead + len, .records = PLACE_RECORDS,
	};
	if (fit > PLACE_RECORDS)
		fit = PLACE_RECORDS;
	TAP_CHECK(!put_limited(w, limit) == (fit == PLACE_RECORDS));
	TAP_CHECK(ptap_writer_records(w) == fit);
	len = fit * PLACE_RECORD;
	TAP_CHECK(file_size(fd) == ahead + len);
	TAP_CHECK(pread(fd, buf, sizeof(buf), 0) == (ssize_t)(ahead + len));
	TAP_CHECK(!memcmp(buf, place, ahead));
	TAP_CHECK(!memcmp(buf + ahead, records, len));
	if (tap_has_failed())
		tap_note("%u bytes ahead", ahead);
	ptap_writer_destroy(w);
	close(fd);
}

static void test_places(void)
{
	u32 record[4] = { 1, 2, PLACE_RECORD - 16, PLACE_RECORD - 16 };
	u32 i;

	for (i = 0; i < sizeof(place); i++)
		place[i] = i * 7 + i / 256;
	for (i = 0; i < PLACE_RECORDS; i++)
		memcpy(place + 4096 + i * PLACE_RECORD, record, sizeof(record));
	for (i = 0; i < 130 && !tap_has_failed(); i++) {
		one_place(i, UINT32_MAX);
		one_place(i, 500000 + 37 * i);
	}
}

/* Failures at every byte --------------------------------------------------- */

/* Headers and records in three puts: a few hundred bytes. */
static void small_capture(u32 format)
{
	struct ptap_spans *s;
	u64 more;
	u32 i;

	begin(format);
	s = put_begin();
	spans_headers(s, &capture, 0, capture.len, 2);
	for (i = 0; i < 7; i++)
		capture_add(&capture, i * 5);
	spans_records(s, &capture, 0, 3, 2);
	s = put_begin();
	spans_records(s, &capture, 3, 7, 3);
	s = put_begin();
	more = capture.len;
	capture_more(&capture);
	if (capture.len > more)
		spans_headers(s, &capture, more, capture.len, 1);
	capture_add(&capture, 0);
	capture_add(&capture, 14);
	spans_records(s, &capture, 7, 9, 2);
}

static void check_failed(struct ptap_writer *w, int fd, u64 base, u64 limit,
			 int want)
{
	struct capture_mark mark = capture_whole(&capture, limit);
	int round;

	/* Afterwards nothing changes any more. */
	for (round = 0; round < 2; round++) {
		TAP_CHECK(ptap_writer_records(w) == mark.records);
		TAP_CHECK(ptap_writer_bytes(w) == mark.at);
		TAP_CHECK(file_is(fd, base, mark.at));
		if (want)
			TAP_CHECK(put_all(w) == want);
	}
	if (!base && mark.at)
		check_libpcap(fd, mark.records);
	if (!base && !mark.at)
		TAP_CHECK(file_size(fd) == 0);
	if (tap_has_failed())
		tap_note("format %u, %llu bytes fit behind %llu",
			 capture.format, (unsigned long long)limit,
			 (unsigned long long)base);
}

static void fail_everywhere(u32 format, u64 base, int flags)
{
	struct ptap_writer *w;
	int fd = memory_open(), want;
	u64 limit;

	small_capture(format);
	fcntl(fd, F_SETFL, flags);
	for (limit = 0; limit <= capture.len && !tap_has_failed(); limit++) {
		TAP_CHECK(!ftruncate(fd, base));
		lseek(fd, flags & O_APPEND ? 0 : base, SEEK_SET);
		want = limit < capture.len ? -EFBIG : 0;
		w = ptap_writer_create(fd, format);
		TAP_CHECK(put_limited(w, base + limit) == want);
		/* Nothing was written: it stands where it stood. */
		if (flags & O_APPEND)
			lseek(fd, 0, SEEK_END);
		check_failed(w, fd, base, limit, want);
		ptap_writer_destroy(w);
	}
	close(fd);
}

static void test_fail(void)
{
	u32 format;

	for (format = 0; format < 3; format++)
		fail_everywhere(format, 0, 0);
}

static void test_fail_behind(void)
{
	u32 format;

	for (format = 0; format < 3; format++)
		fail_everywhere(format, 100, 0);
}

static void test_fail_append(void)
{
	fail_everywhere(PTAP_FORMAT_PCAPNG, 0, O_APPEND);
	fail_everywhere(PTAP_FORMAT_PCAP_NSEC, 100, O_APPEND);
}

/* Behind more spans than one writev() takes. */
static void test_fail_late(void)
{
	struct ptap_writer *w;
	struct ptap_spans *s;
	int fd = file_open();
	u64 limit;
	u32 i;

	begin(PTAP_FORMAT_PCAPNG);
	for (i = 0; i < 4000; i++)
		capture_add(&capture, i % 90);
	s = put_begin();
	spans_headers(s, &capture, 0, capture.marks[1].at, 1);
	spans_records(s, &capture, 0, capture.nr, 1);
	for (limit = 1; limit < capture.len && !tap_has_failed();
	     limit += 9001) {
		TAP_CHECK(!ftruncate(fd, 0));
		lseek(fd, 0, SEEK_SET);
		w = ptap_writer_create(fd, PTAP_FORMAT_PCAPNG);
		TAP_CHECK(put_limited(w, limit) == -EFBIG);
		check_failed(w, fd, 0, limit, -EFBIG);
		ptap_writer_destroy(w);
	}
	close(fd);
}

/* Full devices ------------------------------------------------------------- */

static void check_no_room(const char *name, int flags, int want)
{
	int fd = open(name, flags);
	struct ptap_writer *w;

	if (fd < 0) {
		tap_note("no %s here", name);
		return;
	}
	small_capture(PTAP_FORMAT_PCAPNG);
	w = ptap_writer_create(fd, PTAP_FORMAT_PCAPNG);
	TAP_CHECK(put_all(w) == want && put_all(w) == want);
	TAP_CHECK(ptap_writer_records(w) == 0 && ptap_writer_bytes(w) == 0);
	ptap_writer_destroy(w);
	close(fd);
}

static void test_devices(void)
{
	check_no_room("/dev/full", O_WRONLY, -ENOSPC);
	check_no_room("/dev/null", O_RDONLY, -EBADF);
}

/* A file in a file system of @bytes that is mounted nowhere. */
static int tmpfs_file(const char *bytes)
{
	int fs = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), dir, fd;

	if (fs < 0)
		return -1;
	syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", bytes, 0);
	syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	dir = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	if (dir < 0)
		return -1;
	fd = openat(dir, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
	close(dir);
	return fd;
}

static void test_full(void)
{
	struct ptap_writer *w;
	struct ptap_spans *s;
	u32 i, size;
	int fd;

	for (size = 900; size < 1600 && !tap_has_failed(); size += 23) {
		fd = tmpfs_file("8192");
		if (fd < 0) {
			tap_note("skipped: only root can mount a tmpfs");
			return;
		}
		begin(PTAP_FORMAT_PCAP_NSEC);
		s = put_begin();
		spans_headers(s, &capture, 0, capture.len, 1);
		for (i = 0; i < 12; i++)
			capture_add(&capture, size);
		spans_records(s, &capture, 0, capture.nr, 2);
		w = ptap_writer_create(fd, PTAP_FORMAT_PCAP_NSEC);
		TAP_CHECK(put_all(w) == -ENOSPC);
		check_failed(w, fd, 0, 8192, -ENOSPC);
		ptap_writer_destroy(w);
		close(fd);
	}
}

static const struct tap_test tests[] = {
	{ "files of 1 to 5000 spans", test_whole },
	{ "headers and records in several puts", test_puts },
	{ "records at any distance from their place in the file", test_places },
	{ "failure at every byte", test_fail },
	{ "failure at every byte, not at the file's start", test_fail_behind },
	{ "failure at every byte, appending", test_fail_append },
	{ "failure behind more spans than IOV_MAX", test_fail_late },
	{ "device that is full, descriptor to read from", test_devices },
	{ "file system that is full", test_full },
};

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	return TAP_RUN(tests);
}
