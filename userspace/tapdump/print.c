// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * print.c - printing packets as tcpdump does, by letting tcpdump do it.
 *
 * tcpdump reads the capture from a pipe.  It is in a process group of its own,
 * so that a Ctrl-C ends the capture and not the printing of what was captured;
 * it ends when the pipe does.  Its messages pass through a small process that
 * leaves out those which say that a file is being read.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tapdump.h"

#define READING_FROM	"reading from file -"
#define NAMES_WARNING	"Warning: interface names might be incorrect"
#define PIPE_BYTES	(1 << 20)
#define FDS_MAX		64

static void leave_terminal_group(void)
{
	setpgid(0, 0);
	/* Printing is wanted although this group is in the background. */
	signal(SIGTTOU, SIG_IGN);
}

static bool starts_with(const char *line, const char *words)
{
	return !strncmp(line, words, strlen(words));
}

/* What is true of files, and not of what was captured here and now. */
static bool is_noise(const char *line)
{
	return starts_with(line, READING_FROM) ||
	       starts_with(line, NAMES_WARNING);
}

/*
 * Holds nothing but the pipe and standard error: neither what tcpdump reads and
 * prints to, nor the tap.
 */
static void relay_run(int fd)
{
	char *line = NULL;
	size_t room = 0;

	leave_terminal_group();
	dup2(fd, STDIN_FILENO);
	close(STDOUT_FILENO);
	/* closefrom() is too new for some; there are only a few. */
	for (fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
		close(fd);
	while (getline(&line, &room, stdin) > 0)
		if (!is_noise(line))
			fputs(line, stderr);
	_exit(0);
}

static pid_t relay_start(int fd)
{
	pid_t pid = fork();

	if (!pid)
		relay_run(fd);
	return pid;
}

static void printer_exec(const struct options *opt, int data_fd, int err_fd,
			 int status_fd)
{
	char *head[] = { "tcpdump", "-l", "-r", "-" };
	const unsigned int nr_head = sizeof(head) / sizeof(*head);
	char **argv;
	int err;

	leave_terminal_group();
	argv = calloc(nr_head + opt->nr_print_args + 1, sizeof(*argv));
	if (argv) {
		memcpy(argv, head, sizeof(head));
		if (opt->nr_print_args)
			memcpy(argv + nr_head, opt->print_args,
			       opt->nr_print_args * sizeof(*argv));
		dup2(data_fd, STDIN_FILENO);
		dup2(err_fd, STDERR_FILENO);
		execvp("tcpdump", argv);
	}
	err = errno;
	if (write(status_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* What exec said: the pipe is closed by its success. */
static int printer_status(int fd)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 0;
}

static int printer_failed(int err)
{
	if (err == ENOENT)
		complain("printing packets needs tcpdump, which is not installed; install it, or write a file with -w");
	else
		complain("cannot run tcpdump to print packets: %s",
			 strerror(err));
	return -1;
}

int print_start(struct printer *pr, const struct options *opt)
{
	int data[2], errs[2], status[2], err;

	if (pipe2(data, O_CLOEXEC) || pipe2(errs, O_CLOEXEC) ||
	    pipe2(status, O_CLOEXEC))
		return printer_failed(errno);
	fcntl(data[1], F_SETPIPE_SZ, PIPE_BYTES);
	fflush(NULL);
	pr->relay = relay_start(errs[0]);
	pr->pid = pr->relay < 0 ? -1 : fork();
	if (!pr->pid)
		printer_exec(opt, data[0], errs[1], status[1]);
	err = errno;
	close(data[0]);
	close(errs[0]);
	close(errs[1]);
	close(status[1]);
	if (pr->pid > 0)
		err = printer_status(status[0]);
	close(status[0]);
	pr->fd = data[1];
	if (pr->pid > 0 && !err)
		return 0;
	printer_failed(err);
	close(data[1]);
	return -1;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

/* The pipe is closed: let tcpdump print what is in it, and see how it ends. */
int print_finish(struct printer *pr)
{
	int status = wait_for(pr->pid);

	wait_for(pr->relay);
	pr->pid = 0;
	pr->relay = 0;
	if (!status)
		return 0;
	if (WIFSIGNALED(status))
		complain("tcpdump, which prints the packets, was killed by signal %d",
			 WTERMSIG(status));
	else
		complain("tcpdump, which prints the packets, ended with status %d",
			 WEXITSTATUS(status));
	return -1;
}
