// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * privileges.c - becoming another user when the tap is set up (-Z).
 *
 * Only root can, and only root need: for others -Z does nothing, as with
 * tcpdump.  Files are written, and the printer and commands are run, as that
 * user.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>
#include "tapdump.h"

void privileges_drop(const char *user)
{
	const struct passwd *pw;

	if (!user || (getuid() && geteuid()))
		return;
	/* cppcheck-suppress getpwnamCalled ; there is one thread */
	pw = getpwnam(user);
	if (!pw)
		die("there is no user %s (-Z)", user);
	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) ||
	    setuid(pw->pw_uid))
		die("cannot become user %s: %s", user, strerror(errno));
}
