// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which parts of the rings can be mapped, and that nobody gets to write where
 * only the kernel writes: not by mmap(), mprotect(), mremap(), /proc/PID/mem,
 * process_vm_writev() or ptrace().
 */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/uio.h>
#include "common.h"
#include "mmap_test.h"

static struct ptap_info info;
static int fd;

static void open_ring(void)
{
	net_dummy("d0");
	fd = session_setup("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	info = session_info(fd);
}

static void *map(uint64_t page, uint64_t pages, int prot, int flags)
{
	return mmap(NULL, pages * info.page_size, prot, flags, fd,
		    ring_offset(&info, 0, page));
}

static void maps(uint64_t page, uint64_t pages, int prot)
{
	void *p = map(page, pages, prot, MAP_SHARED);

	CHECK(p != MAP_FAILED, "page %llu, %llu pages, prot %d: %m",
	      (unsigned long long)page, (unsigned long long)pages, prot);
	if (p != MAP_FAILED)
		munmap(p, pages * info.page_size);
}

static void refuses(uint64_t page, uint64_t pages, int prot, int flags,
		    int want)
{
	char what[64];

	snprintf(what, sizeof(what), "page %llu, %llu pages, prot %d, flags %d",
		 (unsigned long long)page, (unsigned long long)pages, prot,
		 flags);
	CHECK_ERRNO(map(page, pages, prot, flags), want, what);
}

static void ranges(void)
{
	uint64_t n, stride;
	uint32_t last;

	open_ring();
	n = info.ring_size / info.page_size;
	stride = info.ring_stride / info.page_size;
	last = info.nr_rings - 1;
	maps(0, 1, PROT_READ | PROT_WRITE);
	maps(0, 1, PROT_READ);
	maps(1, 1, PROT_READ);
	maps(1, 1 + 2 * n, PROT_READ);
	maps(2, n, PROT_READ);
	maps(2, 2 * n, PROT_READ);
	maps(last * stride, 1, PROT_READ | PROT_WRITE);
	maps(last * stride + 1, 1 + 2 * n, PROT_READ);

	refuses(0, 2, PROT_READ, MAP_SHARED, EINVAL);
	refuses(0, 2 + 2 * n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1, 2, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1, 1 + n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1, 2 * n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1, 2 + 2 * n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2, 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2, n - 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2, n + 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2, 2 * n + 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(3, n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2 + n, n, PROT_READ, MAP_SHARED, EINVAL);
	refuses(2 + 2 * n, 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(stride - 1, 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(info.nr_rings * stride, 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1ULL << 40, 1, PROT_READ, MAP_SHARED, EINVAL);
	refuses(1ULL << 50, 1, PROT_READ, MAP_SHARED, EINVAL);
	close(fd);
}

static void protections(void)
{
	uint64_t n;

	open_ring();
	n = info.ring_size / info.page_size;
	refuses(1, 1, PROT_READ | PROT_WRITE, MAP_SHARED, EPERM);
	refuses(1, 1, PROT_WRITE, MAP_SHARED, EPERM);
	refuses(1, 1 + 2 * n, PROT_READ | PROT_WRITE, MAP_SHARED, EPERM);
	refuses(2, n, PROT_READ | PROT_WRITE, MAP_SHARED, EPERM);
	refuses(2, 2 * n, PROT_READ | PROT_WRITE, MAP_SHARED, EPERM);
	refuses(0, 1, PROT_READ | PROT_EXEC, MAP_SHARED, EPERM);
	refuses(1, 1, PROT_READ | PROT_EXEC, MAP_SHARED, EPERM);
	refuses(2, 2 * n, PROT_READ | PROT_EXEC, MAP_SHARED, EPERM);
	refuses(0, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, EINVAL);
	refuses(0, 1, PROT_READ, MAP_PRIVATE, EINVAL);
	refuses(1, 1 + 2 * n, PROT_READ, MAP_PRIVATE, EINVAL);
	refuses(2, n, PROT_READ, MAP_PRIVATE, EINVAL);
	CHECK(!ioctl(fd, PTAP_IOC_START), "START after refused mappings: %m");
	close(fd);
}

static void protect_later(void)
{
	uint64_t n, size;
	uint8_t *data, *con;

	open_ring();
	n = info.ring_size / info.page_size;
	size = (1 + 2 * n) * info.page_size;
	data = map(1, 1 + 2 * n, PROT_READ, MAP_SHARED);
	con = map(0, 1, PROT_READ, MAP_SHARED);
	REQUIRE(data != MAP_FAILED && con != MAP_FAILED, "mmap: %m");
	CHECK_ERRNO(mprotect(data, size, PROT_READ | PROT_WRITE), EACCES,
		    "mprotect of the data to writable");
	CHECK_ERRNO(mprotect(data, info.page_size, PROT_READ | PROT_WRITE),
		    EACCES, "mprotect of the control page to writable");
	CHECK_ERRNO(mprotect(data + size - info.page_size, info.page_size,
			     PROT_WRITE), EACCES, "mprotect of the last page");
	CHECK_ERRNO(mprotect(data, size, PROT_READ | PROT_EXEC), EACCES,
		    "mprotect of the data to executable");
	CHECK_ERRNO(mprotect(con, info.page_size, PROT_READ | PROT_EXEC),
		    EACCES, "mprotect of the consumer page to executable");
	CHECK(!mprotect(con, info.page_size, PROT_READ | PROT_WRITE),
	      "mprotect of the consumer page to writable: %m");
	*(volatile uint64_t *)con = 0;
	close(fd);
}

static void read_only_file(void)
{
	uint64_t n;

	net_dummy("d0");
	fd = session_open(O_RDONLY);
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &SETUP()), "SETUP: %m");
	info = session_info(fd);
	n = info.ring_size / info.page_size;
	maps(1, 1, PROT_READ);
	maps(1, 1 + 2 * n, PROT_READ);
	maps(2, 2 * n, PROT_READ);
	refuses(0, 1, PROT_READ | PROT_WRITE, MAP_SHARED, EACCES);
	close(fd);
}

static void data_twice(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	uint64_t sent = 0, i, size;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	size = rs.info.ring_size;
	CHECK(!memcmp(rs.r[0].data, rs.r[0].data + size, size), "empty ring");
	/* Frames of a length that does not divide the ring: all wrap places. */
	for (i = 0; i < 200; i++) {
		send_frames("d0", sent, 20, 1500 + i % 4);
		sent += 20;
		if (i % 50 == 0)
			CHECK(!memcmp(rs.r[0].data, rs.r[0].data + size, size),
			      "the halves of the data differ");
		rings_merge(&rs, &c, false);
	}
	CHECK(ring_head(&rs.r[0]) > 40 * size, "the ring was not used often");
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, sent);
}

static void no_growth(void)
{
	uint64_t n, size;
	void *data, *con, *moved;

	open_ring();
	n = info.ring_size / info.page_size;
	size = n * info.page_size;
	data = map(2, n, PROT_READ, MAP_SHARED);
	con = map(0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	REQUIRE(data != MAP_FAILED && con != MAP_FAILED, "mmap: %m");
	CHECK(mremap(data, size, size + 4096, MREMAP_MAYMOVE) == MAP_FAILED,
	      "the data mapping grew");
	CHECK(mremap(con, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED,
	      "the consumer page's mapping grew");
	CHECK(mremap(data, 0, size, MREMAP_MAYMOVE) == MAP_FAILED,
	      "the data mapping was doubled");
	/* Moving and shrinking are harmless. */
	moved = mremap(data, size, size - 4096, MREMAP_MAYMOVE);
	if (moved != MAP_FAILED)
		CHECK(((volatile char *)moved)[size - 4097] == 0, "moved data");
	close(fd);
}

static void poke(const char *what, void *addr)
{
	char byte = 0x5a;
	struct iovec from = { &byte, 1 }, to = { addr, 1 };
	char path[] = "/proc/self/mem";
	int mem = open(path, O_RDWR | O_CLOEXEC);

	REQUIRE(mem >= 0, "%s: %m", path);
	CHECK(pwrite(mem, &byte, 1, (off_t)(uintptr_t)addr) != 1,
	      "%s is writable by %s", what, path);
	close(mem);
	CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 1,
	      "%s is writable by process_vm_writev", what);
	mem = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CHECK(read(mem, addr, 1) != 1, "read() into %s", what);
	close(mem);
}

/* A child stops and is poked by us; its mapping is its own. */
static void ptrace_poke(void)
{
	uint64_t n = info.ring_size / info.page_size;
	volatile uint64_t **shared;
	int status;
	pid_t pid;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		shared[0] = map(1, 1 + 2 * n, PROT_READ, MAP_SHARED);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "child");
	REQUIRE(shared[0] != MAP_FAILED, "the child has no mapping");
	CHECK(ptrace(PTRACE_POKEDATA, pid, shared[0], 1L) == -1,
	      "ptrace writes the control page");
	CHECK(ptrace(PTRACE_POKEDATA, pid, (char *)shared[0] + 4096, 1L) == -1,
	      "ptrace writes data");
	errno = 0;
	ptrace(PTRACE_PEEKDATA, pid, shared[0], 0);
	CHECK(!errno, "ptrace reads the control page: %m");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void no_poking(void)
{
	uint64_t n;
	uint8_t *p;

	open_ring();
	n = info.ring_size / info.page_size;
	p = map(1, 1 + 2 * n, PROT_READ, MAP_SHARED);
	REQUIRE(p != MAP_FAILED, "mmap: %m");
	poke("the control page", p + 200);
	poke("data", p + info.page_size);
	poke("the second data", p + info.page_size + info.ring_size);
	CHECK(!p[200] && !p[info.page_size], "something was written");
	ptrace_poke();
	close(fd);
}

static const struct test tests[] = {
	{ "ranges that can be mapped, and no others", ranges },
	{ "protections: writable, executable, private", protections },
	{ "mprotect to what mmap refuses", protect_later },
	{ "a file that is open for reading only", read_only_file },
	{ "the data is mapped twice in a row", data_twice },
	{ "mremap does not grow or double a mapping", no_growth },
	{ "proc mem, process_vm_writev, ptrace cannot write", no_poking },
	{ "read after mmap and mmap after read are EBUSY", read_or_mmap },
	{ "mmap in each state", mmap_in_states },
	{ "a mapping survives STOP", mapping_survives_stop },
	{ "a mapping survives close, and the hooks do", mapping_survives_close },
	{ "a part is unmapped", unmap_a_part },
	{ "a forked child has no mapping", mapping_not_inherited },
	{ "O_DIRECT writes straight from the ring", direct_io },
	{ "write() to a pipe straight from the ring", pipe_from_ring },
	{ "madvise, mlock, remap_file_pages under traffic", mapping_abused },
	{ "pages in a pipe outlive the session", pages_outlive_session },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
