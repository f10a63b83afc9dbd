// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * frames.c - how much of a compressed file is whole frames.
 *
 * For files that were left off: all of it is read, which takes as long as
 * decompressing it.
 */
#include <errno.h>
#include <lz4frame.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "compress.h"
#include "repair.h"

#define SCRATCH	(256 * 1024)

static uint8_t scratch[SCRATCH];

/* Bytes of the frame at @at, or 0 if it is not whole. */
static size_t zstd_frame(const uint8_t *at, size_t len)
{
	ZSTD_DStream *ctx = ZSTD_createDStream();
	ZSTD_inBuffer in = { at, len, 0 };
	ZSTD_outBuffer out;
	size_t more, before;

	if (!ctx)
		return 0;
	do {
		before = in.pos;
		out = (ZSTD_outBuffer){ scratch, SCRATCH, 0 };
		more = ZSTD_decompressStream(ctx, &out, &in);
	} while (!ZSTD_isError(more) && more && (in.pos > before || out.pos));
	ZSTD_freeDStream(ctx);
	return more ? 0 : in.pos;
}

static size_t lz4_frame(const uint8_t *at, size_t len)
{
	size_t used = 0, in, out, more;
	LZ4F_dctx *ctx;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return 0;
	do {
		in = len - used;
		out = SCRATCH;
		more = LZ4F_decompress(ctx, scratch, &out, at + used, &in,
				       NULL);
		used += in;
	} while (!LZ4F_isError(more) && more && (in || out));
	LZ4F_freeDecompressionContext(ctx);
	return more ? 0 : used;
}

static size_t gzip_member(const uint8_t *at, size_t len)
{
	z_stream z = { .next_in = (void *)at };
	size_t used = 0, step;
	int ret;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return 0;
	do {
		step = len - used < SCRATCH ? len - used : SCRATCH;
		z.next_in = (void *)(at + used);
		z.avail_in = step;
		z.next_out = scratch;
		z.avail_out = SCRATCH;
		ret = inflate(&z, Z_NO_FLUSH);
		used += step - z.avail_in;
	} while (ret == Z_OK);
	inflateEnd(&z);
	return ret == Z_STREAM_END ? used : 0;
}

/* Bytes of the whole frames. */
static size_t whole_frames(enum codec codec, const uint8_t *at, size_t len)
{
	size_t done = 0, n;

	do {
		n = codec == CODEC_ZSTD ? zstd_frame(at + done, len - done) :
		    codec == CODEC_LZ4 ? lz4_frame(at + done, len - done) :
					 gzip_member(at + done, len - done);
		done += n;
	} while (n && done < len);
	return done;
}

/**
 * frames_cut - cut a compressed file behind its last whole frame
 * @fd: file, readable and writable
 * @codec: how it is compressed
 * @whole: its bytes are set; records are not counted
 *
 * Return: the number of bytes cut off, or a negative errno.
 */
long long frames_cut(int fd, enum codec codec, struct whole *whole)
{
	struct stat st;
	void *map;

	*whole = (struct whole){ 0 };
	if (fstat(fd, &st))
		return -errno;
	if (!st.st_size)
		return 0;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	whole->bytes = whole_frames(codec, map, st.st_size);
	munmap(map, st.st_size);
	if (whole->bytes < (uint64_t)st.st_size && ftruncate(fd, whole->bytes))
		return -errno;
	return st.st_size - whole->bytes;
}
