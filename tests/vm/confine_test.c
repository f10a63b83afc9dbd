// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * confine_test.c - what tapdump can still do when it has given everything up.
 *
 * Links tapdump's own confine.c and landlock.c and tries, in a process each,
 * what must work (the next file in the output folder) and what must not: other
 * files, the network, programs, memory that runs, another filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "device/tap.h"
#include "../../userspace/tapdump/tapdump.h"

#define LANDLOCK_VERSION()	syscall(444, NULL, 0, 1)

static int folder(void)
{
	char dir[64];
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/ptap-test.confine.%d", getpid());
	REQUIRE(!mkdir(dir, 0755), "mkdir: %m");
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0, "%s: %m", dir);
	return fd;
}

static void enter(int dir)
{
	struct places places = { .out = dir, .meters = -1 };
	int err = confine_process(&places);

	REQUIRE(!err, "confine_process: %s", strerror(-err));
}

/* What rotation does. */
static void next_file(void)
{
	int dir = folder(), fd;
	struct stat st;

	enter(dir);
	fd = openat(dir, "a", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	REQUIRE(fd >= 0, "openat: %m");
	CHECK(write(fd, "packets", 7) == 7, "write: %m");
	CHECK(!ftruncate(fd, 4), "ftruncate: %m");
	CHECK(!fdatasync(fd), "fdatasync: %m");
	CHECK(!fstat(fd, &st) && st.st_size == 4, "fstat: %m");
	CHECK(!close(fd), "close: %m");
	CHECK(!renameat(dir, "a", dir, "b"), "renameat: %m");
	fd = openat(dir, "b", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	CHECK(fd >= 0, "openat, again: %m");
	CHECK(!unlinkat(dir, "b", 0), "unlinkat: %m");
	free(malloc(64 << 20));
}

static void other_files(void)
{
	int dir = folder(), fd;

	if (LANDLOCK_VERSION() < 1)
		SKIP("this kernel has no Landlock");
	fd = open("/tmp/ptap-test.there", O_WRONLY | O_CREAT, 0666);
	REQUIRE(fd >= 0 && !close(fd), "a file that is there: %m");
	enter(dir);
	CHECK_ERRNO(open("/tmp/ptap-test.else", O_WRONLY | O_CREAT, 0666),
		    EACCES, "a file in another folder");
	CHECK_ERRNO(open("/tmp/ptap-test.there", O_WRONLY), EACCES,
		    "writing a file");
	CHECK_ERRNO(open("/etc/passwd", O_RDONLY), EACCES, "reading a file");
	CHECK_ERRNO(open("/dev/null", O_WRONLY), EACCES, "opening a device");
	CHECK_ERRNO(openat(dir, "../x", O_WRONLY | O_CREAT, 0666), EACCES,
		    "a file beside the folder");
}

/* A capture into one file needs no folder. */
static void no_files(void)
{
	if (LANDLOCK_VERSION() < 1)
		SKIP("this kernel has no Landlock");
	enter(-1);
	CHECK_ERRNO(open("/tmp/ptap-test.none", O_WRONLY | O_CREAT, 0666),
		    EACCES, "making a file");
}

/* The account of an interface, and its description. */
static void describing(void)
{
	struct places places = { .out = -1, .meters = -1, .describe = true };
	struct ifaddrs *list;
	int err = confine_process(&places);

	REQUIRE(!err, "confine_process: %s", strerror(-err));
	CHECK(!getifaddrs(&list), "getifaddrs: %m");
	CHECK(open("/sys/class/net/lo/ifalias", O_RDONLY) >= 0, "/sys: %m");
	CHECK(open("/proc/cpuinfo", O_RDONLY) >= 0, "/proc/cpuinfo: %m");
	if (LANDLOCK_VERSION() >= 1)
		CHECK(open("/sys/class/net/lo/ifalias", O_WRONLY) < 0,
		      "/sys can be written");
}

static void other_calls(void)
{
	void *p;

	enter(-1);
	CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, 0), EPERM, "socket");
	CHECK_ERRNO(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM, "clone");
	CHECK_ERRNO(kill(getppid(), SIGTERM), EPERM, "kill");
	CHECK_ERRNO(mkdir("/tmp/ptap-test.dir", 0777), EPERM, "mkdir");
	CHECK_ERRNO(chmod("/tmp", 0777), EPERM, "chmod");
	CHECK_ERRNO(setuid(0), EPERM, "setuid");
	CHECK_ERRNO(ioctl(0, PTAP_IOC_FILTER, NULL), EPERM, "FILTER");
	CHECK_ERRNO(ioctl(0, PTAP_IOC_SETUP, NULL), EPERM, "SETUP");
	CHECK_ERRNO(ioctl(0, 0x5412 /* TIOCSTI */, "x"), EPERM, "TIOCSTI");
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p == MAP_FAILED && errno == EPERM, "memory that runs: %m");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED, "memory: %m");
	CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EPERM,
		    "memory that is made to run");
}

/* Run @what in a confined process: how does it end? */
static int end_of(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	REQUIRE(pid >= 0, "fork: %m");
	if (!pid) {
		enter(-1);
		what();
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %m");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void do_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_ATTACH, 1, 0, 0);
}

static void do_unshare(void)
{
	unshare(CLONE_NEWUSER);
}

static void deadly_calls(void)
{
	CHECK_EQ(end_of(do_exec), SIGSYS, "execve");
	CHECK_EQ(end_of(do_ptrace), SIGSYS, "ptrace");
	CHECK_EQ(end_of(do_unshare), SIGSYS, "unshare");
}

static void status_line(const char *status, const char *name, const char *want)
{
	const char *line = strstr(status, name);

	REQUIRE(line, "no %s in status", name);
	line += strlen(name);
	line += strspn(line, "\t ");
	CHECK(!strncmp(line, want, strlen(want)) && line[strlen(want)] == '\n',
	      "%s is %.20s", name, line);
}

static void read_status(const char *cap_eff, int dir)
{
	char status[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n;

	enter(dir);
	n = pread(fd, status, sizeof(status) - 1, 0);
	REQUIRE(n > 0, "status: %m");
	status[n] = '\0';
	status_line(status, "\nCapEff:", cap_eff);
	status_line(status, "\nCapPrm:", cap_eff);
	status_line(status, "\nCapInh:", "0000000000000000");
	status_line(status, "\nCapBnd:", "0000000000000000");
	status_line(status, "\nCapAmb:", "0000000000000000");
	status_line(status, "\nNoNewPrivs:", "1");
	status_line(status, "\nSeccomp:", "2");
}

static void status_says(void)
{
	read_status("0000000000000000", folder());
}

/* Root in another's folder, where the next file has to be made. */
static void others_folder(void)
{
	int dir = folder(), fd;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	REQUIRE(!chmod(path, 0755) && !chown(path, 12345, 12345), "chown: %m");
	read_status("0000000000000002", dir);
	fd = openat(dir, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	CHECK(fd >= 0, "openat: %m");
}

#define SHARE "/usr/share"
#define ZONES SHARE "/zoneinfo"

/* A zone of two hours, in this process's view of the files (tzfile(5)). */
static void make_zone(void)
{
	static const char zone[] =
		"TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"	/* no version */
		"\0\0\0\0\0\0\0\0\0\0\0\0"	/* no leaps, changes */
		"\0\0\0\0\0\0\0\1\0\0\0\5"
		"\0\0\x1c\x20\0\0" "PTAP";
	int fd;

	REQUIRE(!unshare(CLONE_NEWNS) &&
		!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		!mount("zones", SHARE, "tmpfs", 0, NULL) &&
		!mkdir(ZONES, 0755), "mount: %m");
	fd = open(ZONES "/Ptap", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0 && write(fd, zone, sizeof(zone)) == sizeof(zone) &&
		!close(fd), ZONES "/Ptap: %m");
}

/* Names are by local time, also when the zone is changed meanwhile. */
static void another_zone(void)
{
	time_t summer = 1000000000;
	struct tm tm;

	make_zone();
	enter(folder());
	setenv("TZ", "Ptap", 1);
	tzset();
	CHECK(localtime_r(&summer, &tm) && tm.tm_gmtoff == 7200, "%ld",
	      tm.tm_gmtoff);
}

static const struct test tests[] = {
	{ "the next file", next_file },
	{ "other files", other_files },
	{ "no files at all", no_files },
	{ "what describes the capture", describing },
	{ "calls that are not allowed", other_calls },
	{ "calls that end the process", deadly_calls },
	{ "/proc/self/status", status_says },
	{ "a folder of another user", others_folder },
	{ "another time zone", another_zone },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
