// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Mappings and the life of a session: a mapping keeps the session, its hooks
 * and the module, whatever happens to the file descriptor; and the ring's pages
 * are good for direct I/O.
 */
#define _GNU_SOURCE
#include <sys/statfs.h>
#include "common.h"
#include "mmap_test.h"

#define EXT4_MAGIC	0xef53

int module_refcount(void)
{
	FILE *f = fopen("/sys/module/ptap/refcnt", "re");
	int nr = -1;

	REQUIRE(f && fscanf(f, "%d", &nr) == 1, "refcnt of the module: %m");
	fclose(f);
	return nr;
}

void read_or_mmap(void)
{
	struct ptap_info info;
	char buf[4096];
	void *p;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	info = session_info(fd);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
		 ring_offset(&info, 0, 1));
	REQUIRE(p != MAP_FAILED, "mmap: %m");
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EBUSY, "read after mmap");
	munmap(p, 4096);
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EBUSY, "read after munmap");
	session_stop(fd);
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EBUSY, "read after STOP");
	close(fd);

	fd = session_start("d0", SETUP());
	CHECK(read(fd, buf, sizeof(buf)) > 0, "read of the preamble: %m");
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
			 ring_offset(&info, 0, 1)), EBUSY, "mmap after read");
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		    EBUSY, "mmap of the consumer page after read");
	close(fd);
}

void mmap_in_states(void)
{
	struct ptap_info info;
	char buf[64];
	int fd;

	net_dummy("d0");
	fd = session_open(O_RDWR);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096), EBUSY,
		    "mmap in state NEW");
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &SETUP()), "SETUP: %m");
	info = session_info(fd);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096) != MAP_FAILED,
	      "mmap in state SETUP: %m");
	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
		   ring_offset(&info, info.nr_rings - 1, 1)) != MAP_FAILED,
	      "mmap in state RUNNING: %m");
	session_stop(fd);
	CHECK(mmap(NULL, 2 * info.ring_size, PROT_READ, MAP_SHARED, fd,
		   ring_offset(&info, 0, 2)) != MAP_FAILED,
	      "mmap in state STOPPED: %m");
	close(fd);

	fd = session_setup("d0", SETUP());
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EBUSY, "read before START");
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096) != MAP_FAILED,
	      "mmap after a refused read: %m");
	close(fd);
}

void mapping_survives_stop(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 500, 300);
	session_stop(fd);
	CHECK(!c.packets, "read too early");
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 500);
}

void mapping_survives_close(void)
{
	int before = module_refcount(), i, fd;
	struct capture c;
	struct rings rs;
	struct tally t;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.flags = PTAP_SETUP_PROMISC,
				       .snaplen = 2000));
	CHECK_EQ(module_refcount(), before + 1, "users of the module");
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	rings_ifaces(&rs, &c);
	close(fd);
	CHECK_EQ(module_refcount(), before + 1, "users after close");
	CHECK_EQ(net_promiscuity("d0"), 1, "promiscuity after close");
	/* More than a ring full: the hook sees what we release. */
	for (i = 0; i < 100; i++) {
		send_frames("d0", i * 100, 100, 1000);
		rings_merge(&rs, &c, true);
	}
	tally_expect(&t, 0, 0, 10000);
	CHECK(ring_head(&rs.r[0]) > rs.info.ring_size, "the ring was not full");
	rings_unmap(&rs);
	CHECK_EQ(module_refcount(), before, "users after munmap");
	CHECK_EQ(net_promiscuity("d0"), 0, "promiscuity after munmap");
}

void unmap_a_part(void)
{
	struct ptap_info info;
	uint64_t size;
	uint8_t *p;
	int fd;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	info = session_info(fd);
	size = info.page_size + 2 * info.ring_size;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd,
		 ring_offset(&info, 0, 1));
	REQUIRE(p != MAP_FAILED, "mmap: %m");
	/* A hole in the middle, then the start. */
	CHECK(!munmap(p + 4 * info.page_size, 3 * info.page_size), "munmap: %m");
	CHECK(!munmap(p, 2 * info.page_size), "munmap: %m");
	close(fd);
	send_frames("d0", 0, 100, 1000);
	/* The second copy of the first data page is still there. */
	CHECK(p[info.page_size + info.ring_size] == 6, "no record in the ring");
	CHECK(module_refcount() > 0, "the module has no user");
	CHECK(!munmap(p, size), "munmap of the rest: %m");
}

void mapping_not_inherited(void)
{
	struct ptap_info info;
	int fd, status;
	uint8_t *p, *con;
	pid_t pid;

	net_dummy("d0");
	fd = session_setup("d0", SETUP());
	info = session_info(fd);
	con = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = mmap(NULL, 2 * info.ring_size, PROT_READ, MAP_SHARED, fd,
		 ring_offset(&info, 0, 2));
	REQUIRE(p != MAP_FAILED && con != MAP_FAILED, "mmap: %m");
	pid = fork();
	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		unsigned char vec;

		/* ENOMEM: nothing is mapped there. */
		_exit(mincore(p, 4096, &vec) != -1 || errno != ENOMEM ||
		      mincore(con, 4096, &vec) != -1 || errno != ENOMEM);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	CHECK(!status, "the child has the mapping");
	close(fd);
}

static int direct_file(const char *dir)
{
	struct statfs fs;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/ptap-direct.%d", dir, getpid());
	if (statfs(dir, &fs) || fs.f_type != EXT4_MAGIC)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC,
		  0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

void direct_io(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	uint64_t half;
	uint8_t *back;
	int fd, out;

	out = direct_file("/var/tmp");
	if (out < 0)
		out = direct_file("/");
	if (out < 0)
		out = direct_file(".");
	if (out < 0)
		SKIP("no ext4 with O_DIRECT here");
	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 1 << 20));
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 800, 1200);
	half = ring_head(&rs.r[0]) & ~4095ULL;
	REQUIRE(half > 512 * 1024, "only %llu bytes in the ring",
		(unsigned long long)half);
	CHECK(write(out, rs.r[0].data, half) == (ssize_t)half,
	      "O_DIRECT write from the ring: %m");
	/* From the second half of the double mapping, too. */
	CHECK(pwrite(out, rs.r[0].data + rs.info.ring_size, half, half) ==
	      (ssize_t)half, "O_DIRECT write from the second mapping: %m");
	back = aligned_alloc(4096, half);
	REQUIRE(back, "no memory");
	CHECK(pread(out, back, half, 0) == (ssize_t)half &&
	      !memcmp(back, rs.r[0].data, half), "the file is not the ring");
	CHECK(pread(out, back, half, half) == (ssize_t)half &&
	      !memcmp(back, rs.r[0].data, half), "nor is its second half");
	/* And not the other way round. */
	CHECK(pread(out, (void *)rs.r[0].data, 4096, 0) < 0,
	      "O_DIRECT read into the ring");
	close(out);
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 800);
}

void pipe_from_ring(void)
{
	struct rings rs;
	struct capture c;
	struct tally t;
	uint8_t buf[32768];
	uint64_t len;
	int fd, p[2];

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP());
	rings_map(&rs, fd);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 20, 1200);
	len = ring_head(&rs.r[0]);
	REQUIRE(len && len <= sizeof(buf) && !pipe(p), "pipe: %m");
	CHECK(write(p[1], rs.r[0].data, len) == (ssize_t)len, "write: %m");
	CHECK(read(p[0], buf, len) == (ssize_t)len &&
	      !memcmp(buf, rs.r[0].data, len), "the pipe's bytes are others");
	rings_finish(&rs, &c);
	tally_expect(&t, 0, 0, 20);
}
