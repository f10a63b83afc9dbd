// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* --verify: pcapng blocks, and what is made of them (blocks.c, verify.c). */
#include "target.h"
#include "tapdump.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	char one[32], *names[3] = { one, NULL, NULL };
	int fd, status;

	if (!len)
		return 0;
	be_quiet();
	fd = file_of(data + 1, len - 1);
	snprintf(one, sizeof(one), "/dev/fd/%d", fd);
	if (data[0] & 1)
		names[1] = one;		/* a set of two */
	status = verify_files(names, data[0] & 2);
	MUST(status >= 0 && status <= 2);
	close(fd);
	return 0;
}
