// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * confine.c - what the capture does not need is given up before it begins.
 *
 * The packets are somebody else's, and who captures may be root.  So before the
 * first one is looked at the session is locked, and then the process gives up,
 * for good: every capability, gaining any by exec (no_new_privs), files outside
 * of the output folder (landlock.c), and system calls that moving packets does
 * not take (seccomp).  A call that is not on the list fails with EPERM and the
 * capture goes on; those that only an intruder has a use for end the process,
 * and the guardian sees to the file.
 *
 * Who starts other programs (-z, printing) has forked before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "tapdump.h"

/* Linux 5.8; Debian 11's headers are older than its kernel. */
#ifndef SYS_faccessat2
#define SYS_faccessat2		439
#endif

/*
 * May root make files in the output folder without CAP_DAC_OVERRIDE?  It may
 * not in another user's, and the next file would have no place; then that one
 * is kept, and Landlock says which files it is for.
 */
static uint32_t capabilities_needed(int dir)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct has[2] = { { 0 } }, without[2];
	bool writable;

	if (dir < 0 || syscall(SYS_capget, &head, has) ||
	    !(has[0].effective & 1U << CAP_DAC_OVERRIDE))
		return 0;
	memcpy(without, has, sizeof(without));
	without[0].effective &= ~(1U << CAP_DAC_OVERRIDE);
	if (syscall(SYS_capset, &head, without))
		return 0;
	/* The older C libraries' own guess is that root may do everything. */
	writable = !syscall(SYS_faccessat2, dir, ".", W_OK | X_OK, AT_EACCESS);
	syscall(SYS_capset, &head, has);
	return writable ? 0 : 1U << CAP_DAC_OVERRIDE;
}

static int drop_capabilities(uint32_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2] = {
		{ .effective = keep, .permitted = keep },
	};
	int cap;

	/* Without the right to do so, it is not needed either. */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

/* With any arguments; files are Landlock's business. */
static const char *const calls_allowed[] = {
	/* the output */
	"read", "readv", "pread64", "write", "writev", "pwrite64", "pwritev",
	"openat", "close", "lseek", "_llseek", "fstat", "fstat64", "fstatfs",
	"fstatfs64", "newfstatat", "fstatat64", "statx", "ftruncate",
	"ftruncate64", "fsync", "fdatasync", "flock", "fcntl", "fcntl64",
	"rename", "renameat", "renameat2", "unlink", "unlinkat", "statfs",
	"statfs64", "readlink", "readlinkat",
	/* waiting, and the processes that were forked before */
	"poll", "ppoll", "ppoll_time64", "select", "pselect6",
	"pselect6_time64", "waitid", "wait4", "waitpid", "sendto", "sendmsg",
	"recvfrom", "recvmsg", "bind", "getsockname",
	/* clocks and signals */
	"clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday",
	"time", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn",
	"restart_syscall", "getpid", "gettid", "getuid", "geteuid", "tgkill",
	/* memory, the C library, the end */
	"brk", "munmap", "mremap", "madvise", "futex", "futex_time64",
	"getrandom", "sched_yield", "getcpu", "rseq", "uname", "sysinfo",
	"exit", "exit_group",
};

/* With these arguments: the command of ioctl(). */
static const unsigned long ioctls_allowed[] = {
	PTAP_IOC_INFO, PTAP_IOC_START, PTAP_IOC_STOP, PTAP_IOC_DRAIN,
	PTAP_IOC_SYNC, PTAP_IOC_IFACE, PTAP_IOC_PREAMBLE, PTAP_IOC_STATS,
	TCGETS, TIOCGWINSZ, FIONREAD,
};

static const char *const calls_deadly[] = {
	"execve", "execveat", "ptrace", "process_vm_readv",
	"process_vm_writev", "bpf", "init_module", "finit_module",
	"kexec_load", "kexec_file_load", "mount", "pivot_root", "chroot",
	"setns", "unshare", "open_by_handle_at",
};

static int add_calls(scmp_filter_ctx ctx, uint32_t action,
		     const char *const *names, size_t nr)
{
	int call, err = 0;
	size_t i;

	for (i = 0; i < nr && !err; i++) {
		call = seccomp_syscall_resolve_name(names[i]);
		if (call != __NR_SCMP_ERROR)
			err = seccomp_rule_add(ctx, action, call, 0);
		/* Of another architecture, or younger than the library. */
		if (err == -EDOM)
			err = 0;
	}
	return err;
}

/* Memory, but none that can be run. */
static int add_memory(scmp_filter_ctx ctx, const char *name)
{
	int call = seccomp_syscall_resolve_name(name), err;

	if (call == __NR_SCMP_ERROR)
		return 0;
	err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err == -EDOM ? 0 : err;
}

/* Interfaces are looked up; there is no right to change them. */
static int add_sockets(scmp_filter_ctx ctx)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0));

	return err == -EDOM ? 0 : err;
}

static int add_rules(scmp_filter_ctx ctx)
{
	size_t i;
	int err;

	err = add_calls(ctx, SCMP_ACT_ALLOW, calls_allowed,
			sizeof(calls_allowed) / sizeof(*calls_allowed));
	if (!err)
		err = add_calls(ctx, SCMP_ACT_KILL_PROCESS, calls_deadly,
				sizeof(calls_deadly) / sizeof(*calls_deadly));
	for (i = 0; i < sizeof(ioctls_allowed) / sizeof(*ioctls_allowed); i++)
		if (!err)
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
					       SCMP_SYS(ioctl), 1,
					       SCMP_A1(SCMP_CMP_EQ,
						       ioctls_allowed[i], 0));
	if (!err)
		err = add_sockets(ctx);
	if (!err)
		err = add_memory(ctx, "mmap");
	if (!err)
		err = add_memory(ctx, "mmap2");
	return err ? err : add_memory(ctx, "mprotect");
}

static int filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = -ENOMEM;

	if (!ctx)
		return err;
	/* The kernel's own errors, please. */
	seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1);
	err = add_rules(ctx);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	/* A kernel without it. */
	return err == -EINVAL || err == -ENOSYS ? 0 : err;
}

/**
 * confine_process - give everything up that capturing does not need
 * @places: files that are needed to the end
 *
 * For the rest of the process's life.
 *
 * Return: 0 or a negative errno.  What the kernel does not have is no error.
 */
int confine_process(const struct places *places)
{
	int err;

	tzset();	/* reads a file, which names by the clock need */
	err = drop_capabilities(capabilities_needed(places->out) |
				capabilities_needed(places->meters));
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	err = landlock_enter(places);
#ifndef __SANITIZE_ADDRESS__	/* its runtime looks at processes and maps */
	if (!err)
		err = filter_calls();
#endif
	return err;
}

/* The folder of the file that meters.c writes, or -1. */
static int meters_folder(const struct options *opt)
{
	const char *slash = opt->stats_prom ? strrchr(opt->stats_prom, '/') :
					      NULL;
	char *dir;
	int fd;

	if (!opt->stats_prom)
		return -1;
	dir = slash ? strndup(opt->stats_prom, slash + 1 - opt->stats_prom) :
		      strdup(".");
	if (!dir)
		die("no memory");
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

/* Everything is open.  Ends the program if it cannot be done. */
void confine(const struct capture *c)
{
	struct places places = {
		.out = output_folder(&c->out),
		.meters = meters_folder(c->opt),
		.describe = c->opt->describe,
	};
	int err;

	if (ptap_lock(c->tap))
		die("%s", ptap_error(c->tap));
	err = confine_process(&places);
	if (err)
		die("cannot give up privileges: %s", strerror(-err));
	if (places.meters >= 0)
		close(places.meters);
}
