/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * compress.h - compressed capture files (compress.c, codec.c).
 */
#ifndef TAPDUMP_COMPRESS_H
#define TAPDUMP_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ptap_spans;
struct whole;

/* --compress */
enum codec { CODEC_NONE, CODEC_ZSTD, CODEC_LZ4, CODEC_GZIP };

/* codec.c: a frame is what the format can read on its own */
int codec_parse(const char *text, enum codec *codec, int *level);
const char *codec_suffix(enum codec codec);
size_t codec_bound(enum codec codec, size_t len);
size_t codec_frame(enum codec codec, int level, void *out, size_t room,
		   const void *in, size_t len);

/* frames.c */
long long frames_cut(int fd, enum codec codec, struct whole *whole);

/**
 * struct packer - a file being written in frames
 * @fd: the file
 * @regular: it can be cut
 * @format: enum ptap_format of what it is made of
 * @codec: how it is compressed
 * @level: how well
 * @in: records of the frame that is being filled
 * @in_len: their bytes
 * @in_records: their number
 * @out: a frame
 * @out_room: bytes at @out
 * @bytes: bytes of the frames in the file, which ends with a whole one
 * @raw: what is in them
 * @records: whole records in them
 * @since_ms: when the first byte came to @in
 */
struct packer {
	int fd;
	bool regular;
	uint32_t format;
	enum codec codec;
	int level;
	uint8_t *in;
	size_t in_len;
	uint64_t in_records;
	uint8_t *out;
	size_t out_room;
	uint64_t bytes;
	uint64_t raw;
	uint64_t records;
	int64_t since_ms;
};

struct packer *packer_create(int fd, uint32_t format, enum codec codec,
			     int level);
void packer_destroy(struct packer *p);
int packer_put(struct packer *p, const struct ptap_spans *spans,
	       bool (*again)(void *arg, int err), void *arg);
int packer_flush(struct packer *p, bool (*again)(void *arg, int err),
		 void *arg);

#endif /* TAPDUMP_COMPRESS_H */
