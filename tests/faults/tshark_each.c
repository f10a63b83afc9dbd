// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tshark_each.c - a tshark for each file, without starting each of them.
 *
 * tshark's start takes seconds in the test VM: it makes itself acquainted with
 * some thousand protocols.  Preloaded (LD_PRELOAD), this stands in front of
 * the function that opens a capture file.  When tshark has started and calls
 * it, the process forks once for each name on standard input; the child goes
 * on as the tshark that was told to read that file, to its exit status.  Two
 * things are left out that would take most of the child's time: names of
 * vendors and services are not loaded, and what the start has made is not
 * freed.
 *
 * On standard error: the names of files whose tshark did not end with status
 * 0, and a line at the end.  Exit status: 0 if there are none, and there was a
 * file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* <wiretap/wtap.h>; the last argument is an int or a bool. */
void *wtap_open_offline(const char *name, unsigned int type, int *err,
			char **err_info, int random);

static int is_child;

/* <wsutil/filesystem.h>; the caller frees it. */
char *get_datafile_path(const char *name);

char *get_datafile_path(const char *name)
{
	char *(*real)(const char *name) = dlsym(RTLD_NEXT, __func__);

	if (!real)
		abort();
	return is_child ? strdup("") : real(name);
}

/* At tshark's end, when its status is settled. */
void epan_cleanup(void);
void epan_cleanup(void)
{
}

/* All of it: what is left in a buffer the children would read again. */
static char *read_names(void)
{
	size_t size = 1 << 20, len = 0;
	char *names = malloc(size);
	ssize_t n;

	while (names && (n = read(STDIN_FILENO, names + len,
				  size - len - 1)) > 0) {
		len += n;
		if (len + 1 < size)
			continue;
		size *= 2;
		names = realloc(names, size);
	}
	if (!names)
		abort();
	names[len] = '\0';
	return names;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

void *wtap_open_offline(const char *name, unsigned int type, int *err,
			char **err_info, int random)
{
	void *(*real)(const char *name, unsigned int type, int *err,
		      char **err_info, int random) =
		dlsym(RTLD_NEXT, __func__);
	unsigned int nr = 0, wrong = 0;
	char *names, *save;
	int status;
	pid_t pid;

	if (!real)
		abort();
	fflush(NULL);
	names = read_names();
	for (name = strtok_r(names, "\n", &save); name;
	     name = strtok_r(NULL, "\n", &save)) {
		pid = fork();
		if (pid < 0)
			abort();
		is_child = !pid;
		if (is_child)
			return real(name, type, err, err_info, random);
		status = wait_for(pid);
		nr++;
		if (!status)
			continue;
		wrong++;
		fprintf(stderr, "%s: tshark's exit status is %d\n", name,
			status);
	}
	fprintf(stderr, "%u files, %u wrong\n", nr, wrong);
	_exit(wrong || !nr);
}
