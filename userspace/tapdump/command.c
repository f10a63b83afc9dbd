// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * command.c - a command behind each file that is complete (-z).
 *
 * It runs beside the capture with the lowest priority, and nobody waits for it,
 * also not at the end.  It is a grandchild, so that init collects it and the
 * only child that can end unexpectedly is the printer.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tapdump.h"

#define LOWEST_PRIORITY	19

static void run_and_exit(const char *command, const char *file)
{
	pid_t pid = fork();

	if (!pid) {
		setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
		execlp(command, command, file, (char *)NULL);
	}
	if (pid <= 0)
		complain("cannot run %s on %s: %s", command, file,
			 strerror(errno));
	_exit(pid > 0 ? 0 : 1);
}

void command_run(const char *command, const char *file)
{
	pid_t pid = fork();

	if (!pid)
		run_and_exit(command, file);
	if (pid < 0)
		complain("cannot run %s on %s: %s", command, file,
			 strerror(errno));
	else
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}
