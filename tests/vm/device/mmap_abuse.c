// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Mappings that are treated as nobody should: every advice of madvise(), pages
 * that are dropped, moved by remap_file_pages(), locked, or given away to a
 * pipe that outlives the session.  Whoever does it may die of it; the kernel
 * stays, the capture goes on, and no byte of the rings is written.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/uio.h>
#include "common.h"
#include "mmap_test.h"

#define ADVICE_MAX	32

struct abused {
	struct ptap_info info;
	int fd;
	uint8_t *con;
	uint8_t *data;		/* control page, data twice */
	size_t len;
};

/* Of the calling process, for the session @fd. */
static void abused_map(struct abused *a, int fd)
{
	a->fd = fd;
	a->info = session_info(fd);
	a->len = a->info.page_size + 2 * a->info.ring_size;
	a->con = mmap(NULL, a->info.page_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, ring_offset(&a->info, 1, 0));
	a->data = mmap(NULL, a->len, PROT_READ, MAP_SHARED, fd,
		       ring_offset(&a->info, 1, 1));
	REQUIRE(a->con != MAP_FAILED && a->data != MAP_FAILED, "mmap: %m");
}

static uint64_t touch(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < len; i += 1024)
		sum += ((volatile const uint8_t *)p)[i];
	return sum;
}

static void advise(struct abused *a, int advice)
{
	pid_t pid;

	/* Refused or not: both are fine. */
	madvise(a->con, a->info.page_size, advice);
	madvise(a->data, a->len, advice);
	madvise(a->data + a->info.page_size, a->info.page_size, advice);
	pid = fork();
	if (!pid) {
		touch(a->data, a->len);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	touch(a->con, a->info.page_size);
	touch(a->data, a->len);
}

static void lock_and_protect(struct abused *a, int unused)
{
	(void)unused;
	mlock(a->data, a->len);
	mlock2(a->con, a->info.page_size, MLOCK_ONFAULT);
	munlock(a->data, a->info.page_size);
	CHECK(!mprotect(a->data, a->len, PROT_NONE), "PROT_NONE: %m");
	CHECK(!mprotect(a->data, a->len, PROT_READ), "PROT_READ: %m");
	touch(a->data, a->len);
	CHECK(msync(a->data, a->len, MS_SYNC) != 2, "msync");
}

/* The consumer's page is writable: no other may come to its place. */
static void remap(struct abused *a, int page)
{
	CHECK(syscall(SYS_remap_file_pages, a->con, a->info.page_size, 0,
		      page, 0) == -1 || page == 0,
	      "the consumer's page became page %d", page);
}

/* In a process of its own, which has the descriptor only. */
static void abuse(int fd, void (*how)(struct abused *, int), int arg)
{
	struct abused a;
	int status;
	pid_t pid;

	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		abused_map(&a, fd);
		how(&a, arg);
		_exit(tap_failures() ? 1 : 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	CHECK(!WIFEXITED(status) || !WEXITSTATUS(status),
	      "arg %d: failed", arg);
	CHECK(!WIFSIGNALED(status) || WTERMSIG(status) == SIGBUS ||
	      WTERMSIG(status) == SIGSEGV, "arg %d: signal %d", arg,
	      WTERMSIG(status));
}

void mapping_abused(void)
{
	struct sender snd = { .dev = "d0", .nr = 8000, .size = 60,
			      .size_max = 1500, .pause_us = 2000, .batch = 10 };
	pthread_t sending;
	struct capture c;
	struct rings rs;
	struct tally t;
	int fd, i;

	need_cpus(2);
	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(700, .snaplen = 2000,
						 .ring_size = 16 << 20));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	TEST_THREAD(sending, sender_thread, &snd);
	for (i = 0; i < ADVICE_MAX; i++)
		abuse(fd, advise, i);
	abuse(fd, lock_and_protect, 0);
	for (i = 0; i < 4; i++)
		abuse(fd, remap, i);
	pthread_join(sending, NULL);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, snd.nr);
}

/* A pipe takes the pages themselves, and has them when all else is gone. */
void pages_outlive_session(void)
{
	struct ptap_info info;
	struct iovec iov;
	uint8_t *p, *copy, *back;
	int fd, pipes[2];

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	info = session_info(fd);
	send_frames("d0", 0, 30, 1000);
	p = mmap(NULL, info.ring_size, PROT_READ, MAP_SHARED, fd,
		 ring_offset(&info, 0, 2));
	copy = malloc(32768);
	back = malloc(32768);
	REQUIRE(p != MAP_FAILED && copy && back && !pipe(pipes), "mmap: %m");
	memcpy(copy, p, 32768);
	iov = (struct iovec){ p, 32768 };
	if (vmsplice(pipes[1], &iov, 1, 0) != 32768)
		SKIP("vmsplice: %s", strerror(errno));
	munmap(p, info.ring_size);
	close(fd);
	/* Whoever gets freed memory next writes to it. */
	p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED, "mmap: %m");
	memset(p, 0xa5, 64 << 20);
	CHECK(read(pipes[0], back, 32768) == 32768 &&
	      !memcmp(back, copy, 32768), "the pipe's bytes are others now");
}
