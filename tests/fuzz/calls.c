// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The calls.  Each is made from a number alone, as far as the sessions' state
 * allows, so that a program can be made again.
 *
 * Descriptors and mappings are used, closed and replaced by all threads of a
 * process without a lock.  Mappings stand in an arena of their own, in which
 * anything may be missing: who touches it expects to be thrown out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzz.h"

#define PAGE	4096UL

#ifndef MREMAP_DONTUNMAP	/* Linux 5.7 */
#define MREMAP_DONTUNMAP	4
#endif

const char *const call_names[CALL_NR] = {
	"open", "close", "dup", "INFO", "SETUP", "FILTER", "START", "STOP",
	"DRAIN", "SYNC", "IFACE", "PREAMBLE", "STATS", "LOCK", "ioctl", "mmap",
	"munmap", "mremap", "mprotect", "madvise", "touch", "scribble", "read",
	"readv", "other", "poll", "fcntl", "fork", "pass", "take", "pin",
	"send", "proc",
};

/* How often, against each other; seldom what ends things, or is slow. */
static const uint8_t weights[CALL_NR] = {
	[CALL_OPEN] = 10, [CALL_CLOSE] = 5, [CALL_DUP] = 3, [CALL_INFO] = 4,
	[CALL_SETUP] = 14, [CALL_FILTER] = 10, [CALL_START] = 10,
	[CALL_STOP] = 2, [CALL_DRAIN] = 8, [CALL_SYNC] = 2, [CALL_IFACE] = 4,
	[CALL_PREAMBLE] = 5, [CALL_STATS] = 4, [CALL_LOCK] = 1,
	[CALL_IOCTL] = 2, [CALL_MMAP] = 16, [CALL_MUNMAP] = 5,
	[CALL_MREMAP] = 3, [CALL_MPROTECT] = 3, [CALL_MADVISE] = 2,
	[CALL_TOUCH] = 6, [CALL_SCRIBBLE] = 8, [CALL_READ] = 16,
	[CALL_READV] = 3, [CALL_OTHER] = 2, [CALL_POLL] = 6, [CALL_FCNTL] = 2,
	[CALL_FORK] = 1, [CALL_PASS] = 2, [CALL_TAKE] = 2, [CALL_PIN] = 2,
	[CALL_SEND] = 14, [CALL_PROC] = 2,
};

uint64_t call_random(struct rng *r)
{
	uint32_t sum = 0, i, at;

	for (i = 0; i < CALL_NR; i++)
		sum += weights[i];
	at = rng_below(r, sum);
	for (i = 0; at >= weights[i]; i++)
		at -= weights[i];
	return (uint64_t)i << 56 | rng_next(r) >> 8;
}

/* Mostly the one of the call before. */
static int *slot(struct worker *w, struct rng *r)
{
	if (rng_once(r, 8))
		w->slot = rng_below(r, SLOTS);
	return &w->p->slots[w->slot];
}

/* A session, also where that of the slot was closed, seldom none. */
static int slot_fd(struct worker *w, struct rng *r)
{
	int fd = __atomic_load_n(slot(w, r), __ATOMIC_RELAXED);
	uint32_t i;

	for (i = 0; fd < 0 && i < SLOTS && !rng_once(r, 20); i++)
		fd = __atomic_load_n(&w->p->slots[i], __ATOMIC_RELAXED);
	return fd;
}

static void slot_put(struct worker *w, struct rng *r, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = __atomic_exchange_n(slot(w, r), fd, __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
}

static long do_open(struct worker *w, struct rng *r)
{
	int fd = open(PTAP_DEVICE, O_CLOEXEC |
		      (rng_once(r, 8) ? O_RDONLY : O_RDWR) |
		      (rng_once(r, 8) ? 0 : O_NONBLOCK));

	slot_put(w, r, fd);
	return fd;
}

static long do_dup(struct worker *w, struct rng *r)
{
	int fd = dup(slot_fd(w, r));

	slot_put(w, r, fd);
	return fd;
}

static long do_close(struct worker *w, struct rng *r)
{
	int fd = __atomic_exchange_n(slot(w, r), -1, __ATOMIC_RELAXED);

	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	return close(fd);
}

/* The commands whose argument is a structure that says what it wants. */
static long do_ask(struct worker *w, struct rng *r, enum call what)
{
	const uint32_t rings[] = { 0, 0, 1, 2, PTAP_RING_ALL };
	uint32_t some = arg_u32(r, rings, ARRAY_SIZE(rings));
	struct ptap_info info = { .size = sizeof(info) };
	struct ptap_drain drain = { .ring = some };
	struct ptap_sync sync = { .flags = rng_once(r, 20) };
	struct ptap_iface_info iface = { .id = some };
	struct ptap_stats stats = { .ring = some };
	struct ptap_preamble pre = {
		.flags = !rng_once(r, 3) + 2 * rng_once(r, 30),
		.first_iface = rng_once(r, 2) ? 0 : some,
		.len = rng_once(r, 3) ? some * 24 : 65536,
		.reserved = rng_once(r, 40),
		.buf = arg_pointer(w, r, w->buf + 8192),
	};
	int fd = slot_fd(w, r);

	switch (what) {
	case CALL_INFO:
		return ioctl(fd, PTAP_IOC_INFO,
			     arg_sized(w, r, &info, sizeof(info)));
	case CALL_DRAIN:
		return ioctl(fd, PTAP_IOC_DRAIN,
			     arg_sized(w, r, &drain, sizeof(drain)));
	case CALL_SYNC:
		return ioctl(fd, PTAP_IOC_SYNC,
			     arg_sized(w, r, &sync, sizeof(sync)));
	case CALL_IFACE:
		return ioctl(fd, PTAP_IOC_IFACE,
			     arg_sized(w, r, &iface, sizeof(iface)));
	case CALL_PREAMBLE:
		return ioctl(fd, PTAP_IOC_PREAMBLE,
			     arg_sized(w, r, &pre, sizeof(pre)));
	default:
		return ioctl(fd, PTAP_IOC_STATS,
			     arg_sized(w, r, &stats, sizeof(stats)));
	}
}

/* Mostly the one that was mapped last. */
static uint8_t *cell(struct worker *w, struct rng *r)
{
	if (rng_once(r, 4))
		w->cell = rng_below(r, CELLS);
	return ARENA + w->cell * CELL;
}

/* A mapping as it should be, or nearly. */
static long do_mmap(struct worker *w, struct rng *r)
{
	struct ptap_info info = { .size = sizeof(info) };
	uint32_t page = rng_below(r, 3), at = rng_below(r, CELLS - 4);
	int fd = slot_fd(w, r), prot = PROT_READ, flags = MAP_SHARED;
	uint64_t offset;
	size_t len;
	void *p;

	ioctl(fd, PTAP_IOC_INFO, &info);
	len = page == 0 ? PAGE : page == 1 ? PAGE + 2 * info.ring_size :
					     info.ring_size;
	if (page && rng_once(r, 3))
		len = page == 1 ? PAGE : 2 * info.ring_size;
	if (page == 0)
		prot |= PROT_WRITE;
	offset = rng_below(r, 2) * info.ring_stride + page * PAGE;
	if (rng_once(r, 12))
		len = rng_below(r, 70) * PAGE;
	if (rng_once(r, 12))
		offset = (uint64_t)rng_below(r, 300) * PAGE;
	if (rng_once(r, 30))
		offset = rng_next(r) & ~(PAGE - 1);
	if (rng_once(r, 12))
		prot = rng_below(r, 8);
	if (rng_once(r, 12))
		flags = MAP_PRIVATE;
	if (rng_once(r, 12))
		flags |= MAP_POPULATE;
	if (rng_once(r, 30))
		flags |= MAP_LOCKED;
	if (len > 4 * CELL)
		len = 4 * CELL;
	p = mmap(ARENA + at * CELL, len, prot, flags | MAP_FIXED, fd, offset);
	if (p == MAP_FAILED)
		return -1;
	w->p->offsets[at] = page;
	w->cell = at;
	return 0;
}

static long do_mremap(struct worker *w, struct rng *r)
{
	uint8_t *from = cell(w, r), *to = ARENA + rng_below(r, CELLS) * CELL;
	size_t len = PAGE << rng_below(r, 6), new = PAGE << rng_below(r, 6);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (rng_once(r, 3))
		from += PAGE * rng_below(r, 4);
	if (rng_once(r, 3))
		new = len;
	if (rng_once(r, 6))
		len = 0;
	if (rng_once(r, 4))
		flags |= MREMAP_DONTUNMAP;
	return mremap(from, len, new, flags, to) == MAP_FAILED ? -1 : 0;
}

static long do_madvise(struct worker *w, struct rng *r)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DODUMP,
		MADV_MERGEABLE, MADV_FREE, MADV_REMOVE, MADV_WILLNEED,
	};

	return madvise(cell(w, r), PAGE << rng_below(r, 8),
		       advice[rng_below(r, ARRAY_SIZE(advice))]);
}

static void touch(struct rng *r, uint8_t *at)
{
	volatile uint8_t *p = at;
	uint32_t i;

	for (i = 0; i < 64; i++)
		(void)p[rng_below(r, 131072)];
}

/* A position: near the head, out of the ring, or anything. */
static void scribble(struct worker *w, struct rng *r)
{
	volatile uint64_t *con = (volatile uint64_t *)cell(w, r);
	uint32_t i;

	if (w->p->offsets[w->cell] != 0 && !rng_once(r, 8))
		return;
	switch (rng_below(r, 5)) {
	case 0:
		con[0] = rng_next(r);
		break;
	case 1:
		con[0] += rng_below(r, 70000);
		break;
	case 2:
		con[0] -= rng_below(r, 70000);
		break;
	case 3:
		((volatile uint32_t *)con)[2] = rng_below(r, 3);
		break;
	default:
		for (i = 0; i < PAGE / 8; i++)
			con[i] = rng_next(r);
	}
}

static long do_memory(struct worker *w, struct rng *r, enum call what)
{
	if (sigsetjmp(w->jump, 1)) {
		errno = EFAULT;
		return -1;
	}
	w->jumping = true;
	if (what == CALL_TOUCH)
		touch(r, cell(w, r));
	else
		scribble(w, r);
	w->jumping = false;
	return 0;
}

static bool is_new(int fd)
{
	struct ptap_info info = { .size = sizeof(info) };

	return !ioctl(fd, PTAP_IOC_INFO, &info) &&
	       info.state == PTAP_STATE_NEW;
}

static long do_read(struct worker *w, struct rng *r)
{
	static const uint32_t sizes[] = {
		1, 16, 100, 4096, 65536, 131072, BUF_SIZE,
	};
	uint32_t size = arg_u32(r, sizes, ARRAY_SIZE(sizes));
	int fd = slot_fd(w, r);

	if (size > 2 * BUF_SIZE && !rng_once(r, 4))
		size = BUF_SIZE;
	/* Not all sessions should be what read() makes of them. */
	if (is_new(fd) && !rng_once(r, 5))
		return ioctl(fd, PTAP_IOC_SETUP, arg_setup(w, r));
	return read(fd, (void *)(uintptr_t)arg_pointer(w, r, w->buf),
		    size);
}

static long do_readv(struct worker *w, struct rng *r)
{
	struct iovec v[4];
	uint32_t i;

	for (i = 0; i < 4; i++)
		v[i] = (struct iovec){
			(void *)(uintptr_t)arg_pointer(w, r, w->buf +
							     i * 60000),
			rng_below(r, rng_once(r, 2) ? 200 : 60000),
		};
	return preadv2(slot_fd(w, r), v, rng_below(r, 5), -1,
		       rng_once(r, 4) ? RWF_NOWAIT : 0);
}

/* What the device does not have, or has from the kernel. */
static long do_other(struct worker *w, struct rng *r)
{
	int fd = slot_fd(w, r), null;
	long ret;

	switch (rng_below(r, 5)) {
	case 0:
		return write(fd, w->buf, rng_below(r, 5000));
	case 1:
		return lseek(fd, rng_next(r), rng_below(r, 3));
	case 2:
		return pread(fd, w->buf, 4096, rng_below(r, 3));
	case 3:
		return ftruncate(fd, rng_below(r, 5000));
	default:
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		ret = sendfile(null, fd, NULL, rng_below(r, 100000));
		close(null);
		return ret;
	}
}

static long do_poll(struct worker *w, struct rng *r)
{
	struct pollfd p[2] = {
		{ .fd = slot_fd(w, r), .events = POLLIN },
		{ .fd = slot_fd(w, r), .events = rng_next(r) },
	};
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	long ret;
	int fd;

	if (!rng_once(r, 4))
		return poll(p, 1 + rng_below(r, 2), rng_below(r, 3));
	fd = epoll_create1(EPOLL_CLOEXEC);
	ret = epoll_ctl(fd, EPOLL_CTL_ADD, p[0].fd, &ev);
	if (!ret)
		ret = epoll_wait(fd, &ev, 1, rng_below(r, 3));
	close(fd);
	return ret;
}

/* A child with the descriptors, and without the mappings. */
static long do_fork(struct worker *w, struct rng *r)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		alarm(1);	/* nobody wakes it */
		ioctl(slot_fd(w, r), PTAP_IOC_START);
		if (read(slot_fd(w, r), w->buf, 4096) < 0)
			touch(r, cell(w, r));
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

static long do_pass(struct worker *w, struct rng *r)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { 0 };
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.room,
		.msg_controllen = sizeof(c.room),
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int fd = slot_fd(w, r);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	return sendmsg(w->p->mate, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static long do_take(struct worker *w, struct rng *r)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = sizeof(room),
	};
	struct cmsghdr *h;
	int fd;

	if (recvmsg(w->p->mate, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return 0;
	memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	slot_put(w, r, fd);
	return 0;
}

/* Pages of a ring that are held by a pipe, while the ring goes. */
static long do_pin(struct worker *w, struct rng *r)
{
	struct iovec v = { cell(w, r) + PAGE * rng_below(r, 20), 4 * PAGE };
	char buf[PAGE];
	long ret;
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK))
		return -1;
	ret = vmsplice(p[1], &v, 1, SPLICE_F_NONBLOCK);
	munmap(v.iov_base, v.iov_len);
	if (ret > 0 && read(p[0], buf, sizeof(buf)) < 0)
		ret = -1;
	close(p[0]);
	close(p[1]);
	return ret;
}

static long do_proc(struct worker *w, struct rng *r)
{
	int fd = open("/proc/net/ptap", O_RDONLY | O_CLOEXEC);
	long ret = read(fd, w->buf, 1 + rng_below(r, 8000));

	close(fd);
	return ret;
}

static long call_do(struct worker *w, struct rng *r, enum call what)
{
	switch (what) {
	case CALL_OPEN:
		return do_open(w, r);
	case CALL_CLOSE:
		return do_close(w, r);
	case CALL_DUP:
		return do_dup(w, r);
	case CALL_SETUP:
		return ioctl(slot_fd(w, r), PTAP_IOC_SETUP, arg_setup(w, r));
	case CALL_FILTER:
		return ioctl(slot_fd(w, r), PTAP_IOC_FILTER, arg_filter(w, r));
	case CALL_START:
		return ioctl(slot_fd(w, r), PTAP_IOC_START, rng_next(r));
	case CALL_STOP:
		return ioctl(slot_fd(w, r), PTAP_IOC_STOP, rng_next(r));
	case CALL_LOCK:
		return ioctl(slot_fd(w, r), PTAP_IOC_LOCK, rng_next(r));
	case CALL_IOCTL:
		return ioctl(slot_fd(w, r), rng_once(r, 2) ? rng_next(r) :
			     _IO(PTAP_IOC_MAGIC, rng_below(r, 20)),
			     arg_pointer(w, r, w->buf));
	case CALL_MMAP:
		return do_mmap(w, r);
	case CALL_MUNMAP:
		return munmap(cell(w, r) + PAGE * rng_below(r, 3),
			      PAGE << rng_below(r, 8));
	case CALL_MREMAP:
		return do_mremap(w, r);
	case CALL_MPROTECT:
		return mprotect(cell(w, r), PAGE << rng_below(r, 7),
				rng_below(r, 8));
	case CALL_MADVISE:
		return do_madvise(w, r);
	case CALL_TOUCH:
	case CALL_SCRIBBLE:
		return do_memory(w, r, what);
	case CALL_READ:
		return do_read(w, r);
	case CALL_READV:
		return do_readv(w, r);
	case CALL_OTHER:
		return do_other(w, r);
	case CALL_POLL:
		return do_poll(w, r);
	case CALL_FCNTL:
		return fcntl(slot_fd(w, r), F_SETFL,
			     rng_once(r, 4) ? 0 : O_NONBLOCK);
	case CALL_FORK:
		return do_fork(w, r);
	case CALL_PASS:
		return do_pass(w, r);
	case CALL_TAKE:
		return do_take(w, r);
	case CALL_PIN:
		return do_pin(w, r);
	case CALL_SEND:
		return world_send(w->p->sock, r);
	case CALL_PROC:
		return do_proc(w, r);
	default:
		return do_ask(w, r, what);
	}
}

/* Now and then an allocation fails. */
static bool fault_wanted(const struct worker *w, struct rng *r, enum call what)
{
	return w->nth_fd >= 0 && what != CALL_FORK && what != CALL_TOUCH &&
	       what != CALL_SCRIBBLE && rng_once(r, 24);
}

void call_make(struct worker *w, uint64_t call)
{
	enum call what = (call >> 56) % CALL_NR;
	struct rng r = { call };
	volatile bool armed;
	long ret;

	armed = fault_wanted(w, &r, what);
	errno = 0;
	/* An allocation may also be that of a page that we touch. */
	if (armed && sigsetjmp(w->jump, 1)) {
		errno = EFAULT;
		ret = -1;
	} else {
		w->jumping = armed;
		if (armed)
			armed = fault_arm(w, &r);
		ret = call_do(w, &r, what);
	}
	if (armed)
		fault_disarm(w);
	w->jumping = false;
	w->calls++;
	__atomic_add_fetch(&state->count[what], 1, __ATOMIC_RELAXED);
	if (ret >= 0) {
		__atomic_add_fetch(&state->good[what], 1, __ATOMIC_RELAXED);
		return;
	}
	if (errno <= 0 || errno >= (int)ERRNO_MAX || errno > 133) {
		fuzz_broken("%s: errno %d", call_names[what], errno);
		return;
	}
	__atomic_add_fetch(&state->errnos[what][errno], 1, __ATOMIC_RELAXED);
}
