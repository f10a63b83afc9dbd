// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * guard.c - a process that outlives the capture by a moment, for its files.
 *
 * A process that is killed can leave the beginning of a record behind: write()
 * stops where it is.  So another one, forked before the capture gave its rights
 * up, holds the file that is being written, and when the capture is gone
 * without having said that the file is complete, cuts it behind its last whole
 * record.  While the capture lives the guardian does what takes time with files
 * that are complete: it puts them onto the disk, gives them their names, and
 * has -z's command run.
 *
 * They talk over a socket, whose end tells of the death, and after the last
 * note.  How much is whole is written to a page that both see; the guardian
 * reads on from there.  It is in a session of its own and ignores the signals
 * that end a capture, and it is as confined as the capture is.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guard.h"
#include "tapdump.h"

/**
 * struct guard_share - what both sides see
 * @slots: what is whole in the file that is being written; one is valid, the
 *	   other may be being written
 * @valid: index of that one
 * @sent: complete files of which the guardian was told
 * @done: of these, those that it has done with
 */
struct guard_share {
	struct whole slots[2];
	unsigned int valid;
	uint64_t sent;
	uint64_t done;
};

#define SETTLE_MS	2

enum { NOTE_NAME, NOTE_FILE, NOTE_DONE, NOTE_END };

/* What the socket carries; a descriptor may come with it. */
struct note {
	uint32_t what;
	uint32_t flags;
	char name[PATH_MAX];
};

#define NOTE_HEAD	offsetof(struct note, name)

/**
 * struct keeper - the guardian's own state
 * @place: where files are
 * @share: what both sides see
 * @fd: the file that is being written, or -1
 * @name: its name; set with @fd -1: it may be about to be made; "": none
 * @framed: it ends where the capture says, and nowhere else
 * @done: files that are complete
 * @ended: no more will come
 * @failed: something could not be done
 */
struct keeper {
	const struct guard_place *place;
	struct guard_share *share;
	int fd;
	char name[PATH_MAX];
	bool framed;
	unsigned long done;
	bool ended;
	bool failed;
};

/* The guardian's side ----------------------------------------------------- */

static const char *in_dir(const struct keeper *k, const char *name)
{
	return name + k->place->dir_len;
}

static void forget(struct keeper *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	k->name[0] = '\0';
}

static void fail(struct keeper *k, const char *what)
{
	complain("cannot %s %s: %s", what, k->name, strerror(errno));
	k->failed = true;
}

/* Or has somebody moved it, or put another one into its place? */
static bool is_named(const struct keeper *k)
{
	struct stat here, there;

	return k->fd < 0 ||
	       (!fstat(k->fd, &here) &&
		!fstatat(k->place->dir, in_dir(k, k->name), &there,
			 AT_SYMLINK_NOFOLLOW) &&
		here.st_dev == there.st_dev && here.st_ino == there.st_ino);
}

/* Without the suffix; k->name is what it is called in any case. */
static bool rename_part(struct keeper *k)
{
	size_t len = strlen(k->name), suffix = strlen(PART_SUFFIX);
	char was[PATH_MAX];

	if (len <= suffix || strcmp(k->name + len - suffix, PART_SUFFIX) != 0 ||
	    !is_named(k))
		return true;
	memcpy(was, k->name, len + 1);
	k->name[len - suffix] = '\0';
	if (!renameat(k->place->dir, in_dir(k, was), k->place->dir,
		      in_dir(k, k->name)))
		return true;
	memcpy(k->name, was, len + 1);
	fail(k, "rename");
	return false;
}

static void remove_ours(const struct keeper *k)
{
	if (k->fd >= 0 && is_named(k))
		unlinkat(k->place->dir, in_dir(k, k->name), 0);
}

/* Is another file complete already? */
static bool is_behind(const struct keeper *k)
{
	return __atomic_load_n(&k->share->sent, __ATOMIC_RELAXED) -
	       k->share->done > 1;
}

static void complete(struct keeper *k, unsigned int flags)
{
	bool good = true;

	if (flags & GUARD_REMOVE) {
		remove_ours(k);
		forget(k);
		return;
	}
	if (flags & GUARD_SYNC_IDLE && !is_behind(k))
		flags |= GUARD_SYNC;

	/* EROFS: the file system failed, and takes nothing any more. */
	if (flags & GUARD_SYNC && k->fd >= 0 && fdatasync(k->fd) &&
	    errno != EINVAL) {
		fail(k, "put onto the disk what was written to");
		good = false;
	}
	if (good && flags & GUARD_RENAME)
		good = rename_part(k);
	if (good && flags & GUARD_RUN && k->place->runner >= 0)
		command_run(k->place->runner, k->place->command, k->name);
	k->done++;
	forget(k);
}

/* Was it made, and the descriptor not sent any more? */
static void open_named(struct keeper *k)
{
	struct stat st;

	k->fd = openat(k->place->dir, in_dir(k, k->name),
		       O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (k->fd < 0 || fstat(k->fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size)
		forget(k);
}

/* It is gone, and no file was being written. */
static void say_complete(const struct keeper *k)
{
	if (k->done && !k->ended)
		complain("the capture was killed between two files; all of them are complete");
}

/* The capture is gone and did not say that this file is complete. */
static void rescue(struct keeper *k)
{
	const struct guard_share *share = k->share;
	struct whole whole;
	unsigned int valid;
	long long cut;

	valid = __atomic_load_n(&share->valid, __ATOMIC_ACQUIRE);
	whole = share->slots[valid];
	if (k->fd < 0 && k->name[0]) {
		whole = (struct whole){ 0 };
		open_named(k);
	}
	if (k->fd < 0) {
		say_complete(k);
		return;
	}
	if (!k->framed)
		cut = repair_cut(k->fd, &whole);
	else
		cut = ftruncate(k->fd, whole.bytes) ? -errno : 0;
	if (cut < 0) {
		errno = -cut;
		fail(k, "repair");
		return;
	}
	if (!whole.bytes) {
		remove_ours(k);
		complain("the capture was over before anything was in %s, which is removed",
			 k->name);
		return;
	}
	if (fdatasync(k->fd) && errno != EINVAL)
		fail(k, "put onto the disk what was written to");
	rename_part(k);
	complain("the capture was killed; %s is valid and holds %llu packet%s",
		 k->name, (unsigned long long)whole.records,
		 whole.records == 1 ? "" : "s");
}

/* The length of the note; 0 there will be none any more. */
static ssize_t receive(int fd, struct note *note, int *file)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { note, sizeof(*note) - 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < (ssize_t)NOTE_HEAD)
		return 0;
	((char *)note)[n] = '\0';
	*file = -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(file, CMSG_DATA(c), sizeof(*file));
	return n;
}

static void serve_and_exit(struct keeper *k, int fd)
{
	struct note note = { 0 };
	int file;

	while (receive(fd, &note, &file)) {
		switch (note.what) {
		case NOTE_NAME:
			forget(k);
			memcpy(k->name, note.name, sizeof(k->name));
			k->framed = note.flags;
			break;
		case NOTE_FILE:
			k->fd = file;
			break;
		case NOTE_DONE:
			complete(k, note.flags);
			__atomic_add_fetch(&k->share->done, 1,
					   __ATOMIC_RELEASE);
			break;
		case NOTE_END:
			k->ended = true;
			break;
		}
	}
	rescue(k);
	_exit(k->failed ? 1 : 0);
}

static void settle(const struct guard_place *place)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGXFSZ };
	const struct places places = { .out = place->base, .meters = -1 };
	size_t i;
	int err;

	prctl(PR_SET_NAME, "tapdump-guard");
	setsid();
	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	err = confine_process(&places);
	if (err)
		die("cannot give up privileges: %s", strerror(-err));
}

/* The writer's side -------------------------------------------------------- */

/**
 * guard_start - fork the guardian
 * @g: set
 * @place: where files are; for as long as the capture
 * @tap_fd: the capture, which is none of its business
 */
void guard_start(struct guard *g, const struct guard_place *place, int tap_fd)
{
	struct keeper k = { .place = place, .fd = -1 };
	sigset_t all, before;
	int pair[2];

	fflush(NULL);
	/* What ends the capture must not end the guardian, from the start. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	g->share = mmap(NULL, sizeof(*g->share), PROT_READ | PROT_WRITE,
			/* cppcheck-suppress invalidFunctionArg ; no file */
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g->pid = -1;
	if (g->share != MAP_FAILED &&
	    !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		g->pid = fork();
	if (g->pid < 0)
		die("cannot start the guardian of the files: %s",
		    strerror(errno));
	if (!g->pid) {
		close(pair[0]);
		close(tap_fd);
		settle(place);
		sigprocmask(SIG_SETMASK, &before, NULL);
		k.share = g->share;
		serve_and_exit(&k, pair[1]);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	g->fd = pair[0];
}

static void tell(struct guard *g, const struct note *note, size_t len,
		 int *file)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)note, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (g->fd < 0)
		return;
	if (file) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(*file));
		memcpy(CMSG_DATA(c), file, sizeof(*file));
	}
	do {
		n = sendmsg(g->fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return;
	complain("the guardian of the files is gone (%s); from here on a kill can leave a part of a record, and no command is run",
		 strerror(errno));
	close(g->fd);
	g->fd = -1;
}

/* A file of this name is about to be made, or emptied; @framed: compressed */
void guard_name(struct guard *g, const char *name, bool framed)
{
	struct note note = { .what = NOTE_NAME, .flags = framed };
	size_t len = strlen(name) + 1;

	if (g->fd < 0 || len > sizeof(note.name))
		return;
	memcpy(note.name, name, len);
	tell(g, &note, NOTE_HEAD + len, NULL);
	guard_whole(g, &(struct whole){ 0 });
}

/* Here it is. */
void guard_file(struct guard *g, int fd)
{
	struct note note = { .what = NOTE_FILE };

	tell(g, &note, NOTE_HEAD, &fd);
}

/* So much of it is whole. */
void guard_whole(struct guard *g, const struct whole *whole)
{
	unsigned int next;

	if (g->fd < 0)
		return;
	next = !g->share->valid;
	g->share->slots[next] = *whole;
	__atomic_store_n(&g->share->valid, next, __ATOMIC_RELEASE);
}

/* It is complete. */
void guard_done(struct guard *g, unsigned int flags)
{
	struct note note = { .what = NOTE_DONE, .flags = flags };

	if (g->fd < 0)
		return;
	__atomic_add_fetch(&g->share->sent, 1, __ATOMIC_RELAXED);
	tell(g, &note, NOTE_HEAD, NULL);
}

/* Wait until it has done with all files that are complete, or is gone. */
void guard_settle(const struct guard *g)
{
	struct pollfd pfd = { .fd = g->fd };

	while (g->fd >= 0 &&
	       __atomic_load_n(&g->share->done, __ATOMIC_ACQUIRE) !=
	       g->share->sent)
		if (poll(&pfd, 1, SETTLE_MS) > 0)
			return;
}

/* No more files.  Returns 0, -EIO something failed, -ESRCH it was killed. */
int guard_finish(struct guard *g)
{
	struct note note = { .what = NOTE_END };
	int status = 0;

	if (g->pid <= 0)
		return 0;
	tell(g, &note, NOTE_HEAD, NULL);
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
	if (!WIFSIGNALED(status))
		return status ? -EIO : 0;
	complain("the guardian of the files was killed by signal %d; they may not be on the disk yet",
		 WTERMSIG(status));
	return -ESRCH;
}
