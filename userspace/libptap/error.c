// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * error.c - words for what went wrong.
 *
 * The place that fails says what failed, on what, and what to do next; it is
 * kept in the handle until the next failure.  Nothing is printed by the
 * library.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

void ptap_error_set(struct ptap *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
}

int ptap_check_open(struct ptap *p)
{
	if (p->fd >= 0)
		return 0;
	return ptap_fail(p, -EBADF, "the capture is not open");
}

const char *ptap_error(const struct ptap *p)
{
	return p->error;
}

const char *ptap_strerror(int err)
{
	if (err < 0)
		err = -err;
	switch (err) {
	case EPROTO:
		return "The module speaks another version of the interface";
	case ENODEV:
		return "No such interface";
	case EMEDIUMTYPE:
		return "Interfaces of different link types in one pcap file";
	case ENODATA:
		return "The capture has ended";
	case EOPNOTSUPP:
		return "The kernel cannot do this";
	default:
		return strerror(err);
	}
}

const char *ptap_drop_name(unsigned int drop)
{
	static const char *const names[] = {
		[PTAP_DROP_RING_FULL] = "ring full",
		[PTAP_DROP_TOO_BIG] = "packet too big for the ring",
		[PTAP_DROP_MALFORMED] = "no usable link layer header",
		[PTAP_DROP_COPY_FAULT] = "packet's bytes unreadable",
		[PTAP_DROP_NESTED] = "packet inside of another's interrupt",
		[PTAP_DROP_BAD_CONSUMER] = "reader's position out of range",
		[PTAP_DROP_NO_MEMORY] = "no memory for a new interface",
		[PTAP_DROP_LINKTYPE] = "link type not that of the file",
	};

	_Static_assert(sizeof(names) / sizeof(*names) == PTAP_DROP_NR,
		       "a name for each cause");
	return drop < PTAP_DROP_NR ? names[drop] : NULL;
}

const char *ptap_version(void)
{
	return PTAP_VERSION;
}
