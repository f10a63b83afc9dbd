// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Test frames: made, sent and recognised.
 *
 * Layout, big endian: Ethernet header, magic (4), sender (1), kind (1), zero
 * (2), number (8), then a pattern.  The size is in the source address, so that
 * it is known as soon as the header is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net.h"
#include "tap.h"

#define FRAME_MAGIC	0x70746170U
#define SIZE_OFF	8U
#define MAGIC_OFF	14U
#define SENDER_OFF	18U
#define SEQ_OFF		22U
#define PATTERN_OFF	30U

static void put32(uint8_t *dst, uint32_t v)
{
	v = htobe32(v);
	memcpy(dst, &v, sizeof(v));
}

static uint32_t get32(const uint8_t *src)
{
	uint32_t v;

	memcpy(&v, src, sizeof(v));
	return be32toh(v);
}

void frame_make(uint8_t *dst, const struct frame *f)
{
	uint32_t step = f->sender * 101 + f->kind * 57 + f->seq * 13;
	uint64_t seq = htobe64(f->seq);
	uint32_t i;

	memset(dst, 0xff, 6);
	dst[6] = 0x02;
	dst[7] = 0;
	put32(dst + SIZE_OFF, f->size);
	dst[12] = FRAME_TYPE >> 8;
	dst[13] = FRAME_TYPE & 0xff;
	put32(dst + MAGIC_OFF, FRAME_MAGIC);
	dst[SENDER_OFF] = f->sender;
	dst[FRAME_KIND_OFF] = f->kind;
	dst[20] = 0;
	dst[21] = 0;
	memcpy(dst + SEQ_OFF, &seq, sizeof(seq));
	for (i = PATTERN_OFF; i < f->size; i++)
		dst[i] = step + i * 7 + (i >> 8);
}

bool frame_check(const uint8_t *data, uint32_t len, uint32_t skipped,
		 struct frame *f)
{
	static __thread uint8_t want[FRAME_MAX];
	const uint8_t *frame = data - skipped;
	uint64_t seq;

	if (len + skipped < PATTERN_OFF ||
	    get32(frame + MAGIC_OFF) != FRAME_MAGIC)
		return false;
	memcpy(&seq, frame + SEQ_OFF, sizeof(seq));
	f->seq = be64toh(seq);
	f->sender = frame[SENDER_OFF];
	f->kind = frame[FRAME_KIND_OFF];
	f->size = skipped ? len + skipped : get32(frame + SIZE_OFF);
	if (f->size > FRAME_MAX || f->size < len + skipped)
		return false;
	frame_make(want, f);
	return !memcmp(data, want + skipped, len);
}

struct frame sender_frame(const struct sender *s, uint64_t seq)
{
	uint32_t range = s->size_max ? s->size_max - s->size + 1 : 1;

	return (struct frame){
		.sender = s->id,
		.kind = s->kinds ? seq % s->kinds : 0,
		.size = s->size + seq * 7919 % range,
		.seq = seq,
	};
}

int frame_socket(const char *dev)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = net_index(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int size = 8 << 20;

	REQUIRE(fd >= 0, "packet socket: %m");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	REQUIRE(!bind(fd, (void *)&to, sizeof(to)), "bind to %s: %m", dev);
	return fd;
}

/* Send all of a batch. */
static void sender_send(int fd, struct mmsghdr *msgs, unsigned int nr)
{
	unsigned int done = 0;
	int ret;

	while (done < nr) {
		ret = sendmmsg(fd, msgs + done, nr - done, 0);
		if (ret > 0)
			done += ret;
		else if (errno == ENOBUFS || errno == EINTR)
			sched_yield();
		else
			REQUIRE(false, "sendmmsg: %m");
	}
}

#define BATCH_MAX	64U

void sender_run(struct sender *s)
{
	uint32_t batch = s->batch ? s->batch : 32, room, n;
	struct mmsghdr msgs[BATCH_MAX] = { 0 };
	struct iovec iov[BATCH_MAX];
	int fd = frame_socket(s->dev);
	struct frame f;
	uint8_t *buf;

	REQUIRE(batch <= BATCH_MAX, "batch of %u", batch);
	room = s->size_max > s->size ? s->size_max : s->size;
	buf = malloc((size_t)batch * room);
	REQUIRE(buf, "no memory");
	if (s->cpu)
		pin_cpu(s->cpu - 1);
	s->sent = 0;
	while (s->sent < s->nr &&
	       !(s->stop && __atomic_load_n(s->stop, __ATOMIC_RELAXED))) {
		for (n = 0; n < batch && s->sent + n < s->nr; n++) {
			f = sender_frame(s, s->first + s->sent + n);
			frame_make(buf + (size_t)n * room, &f);
			iov[n].iov_base = buf + (size_t)n * room;
			iov[n].iov_len = f.size;
			msgs[n].msg_hdr.msg_iov = &iov[n];
			msgs[n].msg_hdr.msg_iovlen = 1;
		}
		sender_send(fd, msgs, n);
		s->sent += n;
		if (s->pause_us)
			sleep_us(s->pause_us);
	}
	free(buf);
	close(fd);
}

void *sender_thread(void *sender)
{
	sender_run(sender);
	return NULL;
}

void send_frames(const char *dev, uint64_t first, uint64_t nr, uint32_t size)
{
	struct sender s = {
		.dev = dev, .first = first, .nr = nr, .size = size,
	};

	sender_run(&s);
}

void frame_send(int sock, const struct frame *f)
{
	static __thread uint8_t bytes[FRAME_MAX];

	frame_make(bytes, f);
	while (send(sock, bytes, f->size, 0) != (ssize_t)f->size)
		REQUIRE(errno == ENOBUFS || errno == EINTR, "send: %m");
}

void send_raw(const char *dev, const void *frame, uint32_t size)
{
	int fd = frame_socket(dev);

	REQUIRE(send(fd, frame, size, 0) == (ssize_t)size, "send: %m");
	close(fd);
}
