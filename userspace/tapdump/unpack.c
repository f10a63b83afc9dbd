// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unpack.c - what is in a compressed file, as a stream.
 *
 * The first bytes tell how it is compressed; what is none of the formats is
 * passed on as it is.  Frames behind one another are one stream, and all of
 * them have to be whole.  Needs no more memory than their windows, and no
 * seeking.  Needs no device.
 */
#include <errno.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "compress.h"
#include "unpack.h"

#define IN_BYTES	(64 * 1024)
#define STREAM_BYTES	(256 * 1024)
#define GZIP_ONLY	(15 + 16)

/**
 * struct unpack - a file being unpacked
 * @raw: it
 * @stream: what is in it
 * @codec: how it is compressed
 * @known: @codec is
 * @in: bytes of @raw
 * @in_off: those before were used
 * @in_len: bytes at @in
 * @in_frame: the last frame is not over
 * @why: what is wrong with it, or NULL
 * @zstd: decoder of that format, or NULL
 * @lz4: the same
 * @gzip: the same, if @codec says so
 */
struct unpack {
	FILE *raw;
	FILE *stream;
	enum codec codec;
	bool known;
	uint8_t in[IN_BYTES];
	size_t in_off;
	size_t in_len;
	bool in_frame;
	const char *why;
	ZSTD_DStream *zstd;
	LZ4F_dctx *lz4;
	z_stream gzip;
};

static int fail(struct unpack *u, const char *why)
{
	u->why = why;
	errno = EIO;
	return -1;
}

/* Each of these takes and gives what it can: 0, or -1. */
static int step_plain(struct unpack *u, uint8_t *out, size_t *len)
{
	size_t n = u->in_len - u->in_off;

	if (n > *len)
		n = *len;
	memcpy(out, u->in + u->in_off, n);
	u->in_off += n;
	*len = n;
	return 0;
}

static int step_zstd(struct unpack *u, uint8_t *out, size_t *len)
{
	ZSTD_inBuffer in = { u->in, u->in_len, u->in_off };
	ZSTD_outBuffer to = { out, *len, 0 };
	size_t ret = ZSTD_decompressStream(u->zstd, &to, &in);

	u->in_off = in.pos;
	*len = to.pos;
	u->in_frame = ret != 0;
	return ZSTD_isError(ret) ? fail(u, "it is no sound zstd file") : 0;
}

static int step_lz4(struct unpack *u, uint8_t *out, size_t *len)
{
	size_t n = u->in_len - u->in_off;
	size_t ret = LZ4F_decompress(u->lz4, out, len, u->in + u->in_off, &n,
				     NULL);

	u->in_off += n;
	u->in_frame = ret != 0;
	return LZ4F_isError(ret) ? fail(u, "it is no sound lz4 file") : 0;
}

static int step_gzip(struct unpack *u, uint8_t *out, size_t *len)
{
	int ret;

	u->gzip.next_in = u->in + u->in_off;
	u->gzip.avail_in = u->in_len - u->in_off;
	u->gzip.next_out = out;
	u->gzip.avail_out = *len;
	ret = inflate(&u->gzip, Z_NO_FLUSH);
	u->in_off = u->in_len - u->gzip.avail_in;
	*len -= u->gzip.avail_out;
	u->in_frame = ret != Z_STREAM_END;
	if (ret == Z_STREAM_END)
		ret = inflateReset(&u->gzip);
	return ret == Z_OK || ret == Z_BUF_ERROR ?
	       0 : fail(u, "it is no sound gzip file");
}

static int step(struct unpack *u, uint8_t *out, size_t *len)
{
	switch (u->codec) {
	case CODEC_ZSTD:
		return step_zstd(u, out, len);
	case CODEC_LZ4:
		return step_lz4(u, out, len);
	case CODEC_GZIP:
		return step_gzip(u, out, len);
	case CODEC_NONE:
		break;
	}
	return step_plain(u, out, len);
}

static enum codec codec_of(const uint8_t *at, size_t len)
{
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t lz4[] = { 0x04, 0x22, 0x4d, 0x18 };
	static const uint8_t gzip[] = { 0x1f, 0x8b, 0x08 };

	if (len >= sizeof(zstd) && !memcmp(at, zstd, sizeof(zstd)))
		return CODEC_ZSTD;
	if (len >= sizeof(lz4) && !memcmp(at, lz4, sizeof(lz4)))
		return CODEC_LZ4;
	if (len >= sizeof(gzip) && !memcmp(at, gzip, sizeof(gzip)))
		return CODEC_GZIP;
	return CODEC_NONE;
}

static int begin(struct unpack *u)
{
	bool good = true;

	u->codec = codec_of(u->in, u->in_len);
	if (u->codec == CODEC_ZSTD)
		good = (u->zstd = ZSTD_createDStream());
	else if (u->codec == CODEC_LZ4)
		good = !LZ4F_isError(LZ4F_createDecompressionContext(
				&u->lz4, LZ4F_VERSION));
	else if (u->codec == CODEC_GZIP)
		good = inflateInit2(&u->gzip, GZIP_ONLY) == Z_OK;
	if (!good) {
		u->codec = CODEC_NONE;
		return fail(u, "no memory to unpack it");
	}
	u->known = true;
	return 0;
}

/* 1 there is something at @in, 0 the file is over, -1 */
static int fill(struct unpack *u)
{
	if (u->in_off < u->in_len)
		return 1;
	u->in_off = 0;
	u->in_len = fread(u->in, 1, IN_BYTES, u->raw);
	if (!u->in_len && ferror(u->raw))
		return fail(u, "it cannot be read");
	if (!u->in_len)
		return 0;
	return u->known || !begin(u) ? 1 : -1;
}

static ssize_t read_some(void *cookie, char *buf, size_t size)
{
	struct unpack *u = cookie;
	size_t len;
	int ret;

	for (;;) {
		ret = fill(u);
		if (ret < 0)
			return ret;
		/* Decoders may hold something back, also at the end. */
		if (!ret && !u->in_frame)
			return 0;
		len = size;
		if (step(u, (uint8_t *)buf, &len))
			return -1;
		if (len)
			return len;
		if (!ret && u->in_frame)
			return fail(u, "it ends in the middle of a compressed part");
	}
}

/* NULL without memory. */
struct unpack *unpack_create(FILE *raw)
{
	static const cookie_io_functions_t io = { .read = read_some };
	struct unpack *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->raw = raw;
	u->stream = fopencookie(u, "r", io);
	if (!u->stream) {
		free(u);
		return NULL;
	}
	setvbuf(u->stream, NULL, _IOFBF, STREAM_BYTES);
	return u;
}

FILE *unpack_stream(const struct unpack *u)
{
	return u->stream;
}

/* What is wrong, or NULL. */
const char *unpack_why(const struct unpack *u)
{
	return u->why;
}

/* The file itself stays open. */
void unpack_destroy(struct unpack *u)
{
	fclose(u->stream);
	ZSTD_freeDStream(u->zstd);
	LZ4F_freeDecompressionContext(u->lz4);
	if (u->codec == CODEC_GZIP)
		inflateEnd(&u->gzip);
	free(u);
}
