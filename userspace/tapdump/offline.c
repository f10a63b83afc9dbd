// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * offline.c - capture files are read by tcpdump (-r, -V).
 *
 * There is nothing in a file that the module would be needed for, so tcpdump
 * takes over, with the very same command line.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "tapdump.h"

void offline_run(const struct options *opt, char **argv)
{
	if (opt->ours)
		die("files are read by tcpdump, which has no %s", opt->ours);
	argv[0] = "tcpdump";
	execvp(argv[0], argv);
	if (errno == ENOENT)
		die("files are read by tcpdump, which is not installed");
	die("cannot run tcpdump: %s", strerror(errno));
}
