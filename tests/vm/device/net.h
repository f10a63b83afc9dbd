/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Networks to test in, and test frames.
 *
 * A test frame is an Ethernet frame of the local experimental EtherType.  It
 * tells its sender, kind, number and size, and every further byte follows from
 * these, so that a captured frame can be checked without knowing what was
 * sent.
 */
#ifndef PTAP_TEST_NET_H
#define PTAP_TEST_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A network namespace of our own in which nothing sends by itself. */
void net_private(void);

/* Run ip(8) with these arguments; the test ends if it fails. */
void net_ip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, but tell whether it worked, and be quiet. */
bool net_ip_try(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* A dummy device: frames that are sent to it are seen by taps and vanish. */
void net_dummy(const char *name);
/* A pair: what is sent to one is received by the other. */
void net_veth(const char *a, const char *b);
/* Wait until what is sent to a device gets out; needed for veth only. */
void net_wait_running(const char *name);
/* A tun device (no link layer header), up; -1 where there is no tun. */
int net_tun(const char *name);
uint32_t net_index(const char *name);
void net_mac(const char *name, uint8_t *mac);
/* Promiscuity counter of a device; -1 if there is no such device. */
int net_promiscuity(const char *name);

#define FRAME_TYPE		0x88b5
#define FRAME_HEAD		14U	/* Ethernet header */
#define FRAME_KIND_OFF		19U	/* where a filter finds the kind */
#define FRAME_MIN		34U
#define FRAME_MAX		65535U

/**
 * struct frame - what a test frame tells about itself
 * @sender: 0 .. 255
 * @kind: any
 * @size: bytes, Ethernet header included
 * @seq: number
 */
struct frame {
	uint8_t sender;
	uint8_t kind;
	uint32_t size;
	uint64_t seq;
};

/* Write a frame; @dst has room for f->size bytes. */
void frame_make(uint8_t *dst, const struct frame *f);
/*
 * Is this the beginning of a test frame without its first @skipped bytes, at
 * most an Ethernet header?  @len bytes of it are at @data; @f is set.
 */
bool frame_check(const uint8_t *data, uint32_t len, uint32_t skipped,
		 struct frame *f);

/**
 * struct sender - a stream of test frames
 * @dev: where to
 * @id: frame.sender
 * @kinds: frame.kind is seq % @kinds; 0 for kind 0
 * @first: number of the first frame
 * @nr: number of frames
 * @size: size of a frame
 * @size_max: if not 0, sizes vary from @size to this
 * @batch: frames of one system call, 0 for 32
 * @pause_us: sleep after each batch
 * @cpu: CPU to send on, plus one; 0 for any
 * @stop: if set, ends the stream early when true
 * @sent: out: number of frames sent
 */
struct sender {
	const char *dev;
	uint8_t id;
	uint8_t kinds;
	uint64_t first;
	uint64_t nr;
	uint32_t size;
	uint32_t size_max;
	uint32_t batch;
	uint32_t pause_us;
	int cpu;
	const bool *stop;
	uint64_t sent;
};

struct frame sender_frame(const struct sender *s, uint64_t seq);
void sender_run(struct sender *s);
/* For pthread_create(). */
void *sender_thread(void *sender);
/* Send @nr frames of @size bytes with sender id 0, numbers from @first. */
void send_frames(const char *dev, uint64_t first, uint64_t nr, uint32_t size);
/* Frames one by one, without the cost of a new socket for each. */
int frame_socket(const char *dev);
void frame_send(int sock, const struct frame *f);
/* Send one frame as it is. */
void send_raw(const char *dev, const void *frame, uint32_t size);

void pin_cpu(int cpu);
/* CPUs that this process may run on; a test that needs more skips. */
int nr_cpus(void);
void need_cpus(int nr);

uint64_t now_ns(void);		/* CLOCK_REALTIME */
uint64_t mono_ns(void);		/* CLOCK_MONOTONIC */
void sleep_us(uint64_t us);

#endif /* PTAP_TEST_NET_H */
