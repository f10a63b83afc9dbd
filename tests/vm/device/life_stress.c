// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Everything at once: threads that call whatever there is on the same sessions,
 * and devices that come and go, under traffic.  The kernel must survive (the VM
 * ends at a warning), and at the end the accounting holds.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include "common.h"
#include "life_test.h"

#define SESSIONS	4
#define THREADS		4
#define STRESS_NS	4000000000ULL

struct stress {
	int fd[SESSIONS];
	uint64_t until;
	unsigned int seed;
};

static void random_mapping(int fd, unsigned int *seed)
{
	struct ptap_info info = session_info(fd);
	uint64_t stride = info.ring_stride ? info.ring_stride : 4096;
	uint32_t page = rand_r(seed) % 3;
	size_t len;
	void *p;

	len = page == 0 ? 4096 : page == 1 ? 4096 + 2 * info.ring_size :
					     info.ring_size;
	if (!len)
		return;
	p = mmap(NULL, len, PROT_READ | (page ? 0 : PROT_WRITE), MAP_SHARED, fd,
		 rand_r(seed) % 2 * stride + page * 4096);
	if (p == MAP_FAILED)
		return;
	if (!page)
		*(volatile uint64_t *)p = rand_r(seed);
	munmap(p, rand_r(seed) % 2 ? len : 4096);
	munmap(p, len);
}

static void random_call(int fd, unsigned int *seed)
{
	static const struct sock_filter half[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_KIND_OFF + 10),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 200),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct ptap_iface_info iface = { .size = sizeof(iface), .id = 0 };
	struct ptap_drain drain = { .size = sizeof(drain), .ring = ~0U };
	struct ptap_sync sync = { .size = sizeof(sync) };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static __thread char buf[70000];

	switch (rand_r(seed) % 40) {
	case 0:
		ioctl(fd, PTAP_IOC_SETUP, &SETUP_COPYBREAK(
			rand_r(seed) % 2 ? 0 : 2048, .snaplen = 2000,
			.ring_size = 65536));
		break;
	case 1:
		ioctl(fd, PTAP_IOC_START);
		break;
	case 2:
		if (rand_r(seed) % 8 == 0)
			ioctl(fd, PTAP_IOC_STOP);
		break;
	case 3 ... 4:
		ioctl(fd, PTAP_IOC_SYNC, &sync);
		break;
	case 5 ... 7:
		session_filter(fd, half, 4);
		break;
	case 8:
		session_filter_remove(fd);
		break;
	case 9 ... 12:
		random_mapping(fd, seed);
		break;
	case 13 ... 16:
		poll(&p, 1, rand_r(seed) % 5);
		break;
	case 17 ... 24:
		ioctl(fd, PTAP_IOC_DRAIN, &drain);
		break;
	case 25:
		ioctl(fd, PTAP_IOC_IFACE, &iface);
		break;
	default:
		if (read(fd, buf, rand_r(seed) % sizeof(buf)) < 0)
			sched_yield();
		break;
	}
}

static void *stress_thread(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = __atomic_add_fetch(&s->seed, 1, __ATOMIC_RELAXED);

	while (mono_ns() < s->until)
		random_call(s->fd[rand_r(&seed) % SESSIONS], &seed);
	return NULL;
}

static void traffic(struct sender *s, pthread_t *threads, bool *stop)
{
	int i;

	for (i = 0; i < 2; i++) {
		s[i] = (struct sender){
			.dev = "d0", .id = i, .nr = UINT64_MAX / 2, .size = 60,
			.size_max = 1500, .cpu = i % nr_cpus() + 1,
			.stop = stop, .pause_us = 500,
		};
		TEST_THREAD(threads[i], sender_thread, &s[i]);
	}
}

void stress_calls(void)
{
	struct stress s = { 0 };
	pthread_t threads[THREADS], sending[2];
	struct sender snd[2];
	bool stop = false;
	int i, round;

	net_dummy("d0");
	traffic(snd, sending, &stop);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < SESSIONS; i++)
			s.fd[i] = session_open(O_RDWR | O_NONBLOCK);
		s.until = mono_ns() + STRESS_NS / 4;
		for (i = 0; i < THREADS; i++)
			TEST_THREAD(threads[i], stress_thread, &s);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (i = 0; i < SESSIONS; i++) {
			session_end(s.fd[i]);
			close(s.fd[i]);
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(sending[i], NULL);
}

/* A wildcard session, one for each device, and devices that last a moment. */
void stress_devices(void)
{
	struct ptap_setup setup = SETUP_COPYBREAK(0, .snaplen = 2000,
						  .ring_size = 4 << 20);
	struct sender s = { .dev = "v0", .nr = 200, .size = 100, .batch = 20 };
	int all = session_start(NULL, setup), one, i;
	struct pollfd p = { .events = POLLIN };
	struct capture c;
	struct tally t;

	tally_init(&t);
	capture_init(&c, all, NULL, NULL);
	for (i = 0; i < 12; i++) {
		net_veth("v0", "v1");
		one = p.fd = session_start("v0", setup);
		s.first = i * s.nr;
		sender_run(&s);
		net_ip("link del v%d", i % 2);
		CHECK(poll(&p, 1, 8000) == 1 && p.revents & POLLHUP,
		      "revents %#x", p.revents);
		tally_reset(&t);
		capture_init(&c, one, tally_packet, &t);
		capture_finish(&c, one);
		tally_expect(&t, 0, s.first, s.nr);
	}
	/* Each device is a new interface, and each frame was seen on both. */
	capture_init(&c, all, NULL, NULL);
	capture_finish(&c, all);
	CHECK_EQ(c.nr_ifaces, 24, "interfaces");
	CHECK_EQ(c.packets, 12 * 2 * s.nr, "packets");
}
