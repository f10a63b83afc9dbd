// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * command.c - a command behind each file that is complete (-z).
 *
 * A process of its own runs them, which was forked before the capture gave its
 * rights up and is sent the names.  Commands run beside the capture with the
 * lowest priority, all at once or --jobs at a time, and nobody waits for them:
 * the process outlives the capture until the last one is started.
 */
#include <errno.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tapdump.h"

#define LOWEST_PRIORITY	19

/* A file whose command is still to be run. */
struct job {
	struct job *next;
	char file[];
};

/**
 * struct runner - the process that runs commands
 * @command: -z
 * @max: commands at a time; 0 for any number
 * @fd: names come from here; -1 when there will be no more
 * @running: commands that run now
 * @first: of the queue
 */
struct runner {
	const char *command;
	unsigned int max;
	int fd;
	unsigned int running;
	struct job *first;
};

/* Signals that are meant for the capture; commands get them as ever. */
static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
#define NR_IGNORED	(sizeof(ignored) / sizeof(*ignored))

static struct sigaction before[NR_IGNORED];

static void on_child(int sig)
{
	(void)sig;
}

/* SIGCHLD comes only while the process waits. */
static void set_signals(sigset_t *unblocked)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction child = { .sa_handler = on_child };
	sigset_t set;
	size_t i;

	for (i = 0; i < NR_IGNORED; i++)
		sigaction(ignored[i], &ignore, &before[i]);
	sigaction(SIGCHLD, &child, NULL);
	sigdelset(unblocked, SIGCHLD);
	set = *unblocked;
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void run_and_exit(const char *command, const char *file,
			 const sigset_t *mask)
{
	size_t i;

	for (i = 0; i < NR_IGNORED; i++)
		sigaction(ignored[i], &before[i], NULL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
	execlp(command, command, file, (char *)NULL);
	complain("cannot run %s on %s: %s", command, file, strerror(errno));
	_exit(1);
}

static void start_jobs(struct runner *r, const sigset_t *mask)
{
	struct job *job;
	pid_t pid;

	while (r->first && (!r->max || r->running < r->max)) {
		job = r->first;
		pid = fork();
		if (!pid)
			run_and_exit(r->command, job->file, mask);
		if (pid < 0)
			complain("cannot run %s on %s: %s", r->command,
				 job->file, strerror(errno));
		else
			r->running++;
		r->first = job->next;
		free(job);
	}
}

static void receive(struct runner *r)
{
	char name[PATH_MAX];
	ssize_t n = recv(r->fd, name, sizeof(name), 0);
	struct job *job, **at;

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		r->fd = -1;
		return;
	}
	name[n - 1] = '\0';
	job = malloc(sizeof(*job) + n);
	if (!job) {
		complain("cannot run %s on %s: no memory", r->command, name);
		return;
	}
	job->next = NULL;
	memcpy(job->file, name, n);
	for (at = &r->first; *at; at = &(*at)->next)
		;
	*at = job;
}

/* @mask: signals that are blocked, as the user wants it */
static void serve_and_exit(const char *command, unsigned int max, int fd,
			   sigset_t mask)
{
	struct runner r = { .command = command, .max = max, .fd = fd };
	struct pollfd pfd = { .events = POLLIN };

	prctl(PR_SET_NAME, "tapdump-z");
	set_signals(&mask);
	while (r.fd >= 0 || r.first) {
		pfd.fd = r.fd;
		if (ppoll(&pfd, 1, NULL, &mask) > 0)
			receive(&r);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			r.running--;
		start_jobs(&r, &mask);
	}
	_exit(0);
}

/**
 * command_start - fork the process that runs commands
 * @command: -z
 * @max: commands at a time; 0 for any number
 * @tap_fd: the capture, which is none of its business
 *
 * Return: what command_run() wants.
 */
int command_start(const char *command, unsigned int max, int tap_fd)
{
	sigset_t all, before;
	int pair[2];
	pid_t pid = -1;

	fflush(NULL);
	/* What ends the capture must not end this, from the start. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		pid = fork();
	if (pid < 0)
		die("cannot start the process for -z: %s", strerror(errno));
	if (!pid) {
		close(pair[0]);
		close(tap_fd);
		serve_and_exit(command, max, pair[1], before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	return pair[0];
}

/* Run the command on a file, soon. */
void command_run(int runner, const char *command, const char *file)
{
	size_t len = strlen(file) + 1;

	if (len > PATH_MAX)
		errno = ENAMETOOLONG;
	else if (send(runner, file, len, MSG_NOSIGNAL) == (ssize_t)len)
		return;
	complain("cannot run %s on %s: %s", command, file, strerror(errno));
}
