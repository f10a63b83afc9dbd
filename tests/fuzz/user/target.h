/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the fuzzers of parsers share.  A target is a file NAME_fuzz.c with an
 * LLVMFuzzerTestOneInput(), which clang's libFuzzer calls; its seeds, if it has
 * any, are made by seeds.py.
 */
#ifndef PTAP_FUZZ_TARGET_H
#define PTAP_FUZZ_TARGET_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
				__LINE__, #cond);			\
			abort();					\
		}							\
	} while (0)

/* A file with these bytes, at its beginning. */
static inline int file_of(const void *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What the code under test prints is of no interest. */
static inline void be_quiet(void)
{
	static int done;

	if (done++)
		return;
	MUST(freopen("/dev/null", "w", stdout));
}

#endif /* PTAP_FUZZ_TARGET_H */
