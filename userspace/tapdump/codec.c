// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * codec.c - zstd, lz4 and gzip, by their libraries, a frame at a time.
 *
 * Frames behind one another are a valid file in each of the three formats.
 */
#include <errno.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "compress.h"

#define GZIP_WINDOW	(15 + 16)	/* with gzip's header */
#define GZIP_MEMORY	9
#define GZIP_FRAME	64		/* header and trailer, at most */

static const struct {
	const char *name;
	const char *suffix;
	int level;
	int min;
	int max;
} codecs[] = {
	[CODEC_NONE] = { "none", "", 0, 0, 0 },
	[CODEC_ZSTD] = { "zstd", ".zst", 1, 1, 19 },
	[CODEC_LZ4] = { "lz4", ".lz4", 0, 0, LZ4HC_CLEVEL_MAX },
	[CODEC_GZIP] = { "gzip", ".gz", 1, 1, 9 },
};

/**
 * codec_parse - NAME or NAME:LEVEL
 * @text: what the user wrote
 * @codec: set
 * @level: set
 *
 * Return: 0, or -EINVAL.
 */
int codec_parse(const char *text, enum codec *codec, int *level)
{
	size_t len = strcspn(text, ":");
	char *end;
	long v;
	int i;

	for (i = CODEC_GZIP; i > CODEC_NONE; i--)
		if (strlen(codecs[i].name) == len &&
		    !strncmp(codecs[i].name, text, len))
			break;
	if (i == CODEC_NONE)
		return -EINVAL;
	*codec = i;
	*level = codecs[i].level;
	if (!text[len])
		return 0;
	v = strtol(text + len + 1, &end, 10);
	if (*end || end == text + len + 1 || v < codecs[i].min ||
	    v > codecs[i].max)
		return -EINVAL;
	*level = (int)v;
	return 0;
}

const char *codec_suffix(enum codec codec)
{
	return codecs[codec].suffix;
}

static void lz4_preferences(LZ4F_preferences_t *pref, int level, size_t len)
{
	memset(pref, 0, sizeof(*pref));
	pref->frameInfo.blockSizeID = LZ4F_max4MB;
	pref->frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	pref->frameInfo.contentSize = len;
	pref->compressionLevel = level;
}

/* The longest that a frame of @len bytes can be. */
size_t codec_bound(enum codec codec, size_t len)
{
	LZ4F_preferences_t pref;

	switch (codec) {
	case CODEC_ZSTD:
		return ZSTD_compressBound(len);
	case CODEC_LZ4:
		lz4_preferences(&pref, LZ4HC_CLEVEL_MAX, len);
		return LZ4F_compressFrameBound(len, &pref);
	case CODEC_GZIP:
		return compressBound(len) + GZIP_FRAME;
	case CODEC_NONE:
		break;
	}
	return len;
}

static size_t gzip_frame(int level, void *out, size_t room, const void *in,
			 size_t len)
{
	z_stream z = {
		.next_in = (void *)in,
		.avail_in = len,
		.next_out = out,
		.avail_out = room,
	};
	int ret;

	if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	ret = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return ret == Z_STREAM_END ? room - z.avail_out : 0;
}

/* With a checksum, as the other two have. */
static size_t zstd_frame(int level, void *out, size_t room, const void *in,
			 size_t len)
{
	static ZSTD_CCtx *ctx;
	size_t ret;

	if (!ctx)
		ctx = ZSTD_createCCtx();
	if (!ctx)
		return 0;
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	ret = ZSTD_compress2(ctx, out, room, in, len);
	return ZSTD_isError(ret) ? 0 : ret;
}

/* Bytes of the frame, or 0 without memory. */
size_t codec_frame(enum codec codec, int level, void *out, size_t room,
		   const void *in, size_t len)
{
	LZ4F_preferences_t pref;
	size_t ret = 0;

	switch (codec) {
	case CODEC_ZSTD:
		return zstd_frame(level, out, room, in, len);
	case CODEC_LZ4:
		lz4_preferences(&pref, level, len);
		ret = LZ4F_compressFrame(out, room, in, len, &pref);
		return LZ4F_isError(ret) ? 0 : ret;
	case CODEC_GZIP:
		return gzip_frame(level, out, room, in, len);
	case CODEC_NONE:
		break;
	}
	return ret;
}
