// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * repair.c - where the last whole record of a capture file ends.
 *
 * For files that tapdump wrote on this machine and could not finish: pcap and
 * pcapng in the machine's byte order.  What a lost write leaves behind is a
 * part of a record, or after a power cut a stretch of zeros, which is neither a
 * block nor a record with a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repair.h"

#define WINDOW		(256 * 1024)

#define PCAP_MAGIC_USEC	0xa1b2c3d4U
#define PCAP_MAGIC_NSEC	0xa1b23c4dU
#define PCAP_HEADER	24U
#define PCAP_RECORD	16U
#define PCAP_CAPLEN_MAX	(512U * 1024)

#define PCAPNG_SHB	0x0a0d0d0aU
#define PCAPNG_MAGIC	0x1a2b3c4dU
#define PCAPNG_EPB	6U
#define PCAPNG_BLOCK	12U
#define PCAPNG_LEN_MAX	(16U * 1024 * 1024)

/**
 * struct window - a piece of a file
 * @fd: file
 * @size: bytes of the file
 * @buf: WINDOW bytes
 * @start: offset of @buf in the file
 * @len: bytes in @buf
 */
struct window {
	int fd;
	uint64_t size;
	uint8_t *buf;
	uint64_t start;
	size_t len;
};

/* So many bytes of the file, or NULL if it does not have them. */
static const uint8_t *look(struct window *w, uint64_t off, size_t len)
{
	ssize_t n;

	if (off + len > w->size)
		return NULL;
	if (off < w->start || off + len > w->start + w->len) {
		do {
			n = pread(w->fd, w->buf, WINDOW, off);
		} while (n < 0 && errno == EINTR);
		w->start = off;
		w->len = n < 0 ? 0 : n;
		if (w->len < len)
			return NULL;
	}
	return w->buf + (off - w->start);
}

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Bytes of the record at @off, or 0 if it is none. */
static uint64_t pcap_record(struct window *w, uint64_t off)
{
	const uint8_t *rec = look(w, off, PCAP_RECORD);
	uint64_t len;

	if (!rec || (!u32_at(rec) && !u32_at(rec + 4) && !u32_at(rec + 12)))
		return 0;
	len = PCAP_RECORD + (uint64_t)u32_at(rec + 8);
	if (len > PCAP_CAPLEN_MAX || off + len > w->size)
		return 0;
	return len;
}

/* Bytes of the block at @off, or 0 if it is none. */
static uint64_t pcapng_block(struct window *w, uint64_t off, bool *is_packet)
{
	const uint8_t *block = look(w, off, PCAPNG_BLOCK);
	uint32_t len;

	if (!block)
		return 0;
	*is_packet = u32_at(block) == PCAPNG_EPB;
	len = u32_at(block + 4);
	if (len < PCAPNG_BLOCK || len % 4 || len > PCAPNG_LEN_MAX)
		return 0;
	block = look(w, off + len - 4, 4);
	return block && u32_at(block) == len ? len : 0;
}

static void walk(struct window *w, struct whole *whole, bool ng)
{
	bool is_packet = true;
	uint64_t len;

	for (;;) {
		len = ng ? pcapng_block(w, whole->bytes, &is_packet) :
			   pcap_record(w, whole->bytes);
		if (!len)
			return;
		whole->bytes += len;
		whole->records += is_packet;
	}
}

/**
 * repair_find - find the end of what is whole
 * @fd: file, readable
 * @whole: what is known to be whole, all 0 for nothing; what is, then
 *
 * Return: 0, -EINVAL it is no capture file of this machine, or another negative
 * errno.  With 0 and nothing whole the file does not even have its header.
 */
int repair_find(int fd, struct whole *whole)
{
	struct window w = { .fd = fd };
	const uint8_t *head;
	struct stat st;
	uint32_t magic;
	int err = 0;

	if (fstat(fd, &st))
		return -errno;
	w.size = st.st_size;
	w.buf = malloc(WINDOW);
	if (!w.buf)
		return -ENOMEM;
	head = look(&w, 0, PCAPNG_BLOCK);
	magic = head ? u32_at(head) : 0;
	if (!magic)
		*whole = (struct whole){ 0 };
	else if (magic == PCAPNG_SHB && u32_at(head + 8) == PCAPNG_MAGIC)
		walk(&w, whole, true);
	else if (magic != PCAP_MAGIC_USEC && magic != PCAP_MAGIC_NSEC)
		err = -EINVAL;
	else if (w.size < PCAP_HEADER)
		*whole = (struct whole){ 0 };
	else {
		if (!whole->bytes)
			whole->bytes = PCAP_HEADER;
		walk(&w, whole, false);
	}
	free(w.buf);
	return err;
}

/**
 * repair_cut - cut a file behind its last whole record
 * @fd: file, readable and writable
 * @whole: as repair_find()
 *
 * Return: the number of bytes cut off, or a negative errno.
 */
long long repair_cut(int fd, struct whole *whole)
{
	struct stat st;
	int err = repair_find(fd, whole);

	if (err)
		return err;
	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size <= whole->bytes)
		return 0;
	if (ftruncate(fd, whole->bytes))
		return -errno;
	return st.st_size - whole->bytes;
}
