// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The end of what is whole in a file that was left off (repair.c). */
#include <sys/stat.h>
#include "repair.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	int fd = file_of(data, len);
	struct whole first = { 0 }, again = { 0 };
	struct stat st;
	long long cut = repair_cut(fd, &first);

	MUST(!fstat(fd, &st));
	if (cut < 0) {
		MUST((size_t)st.st_size == len);
	} else {
		/* What is left is whole, and stays. */
		MUST(st.st_size + cut == (long long)len);
		MUST(first.bytes == (uint64_t)st.st_size);
		MUST(repair_cut(fd, &again) == 0);
		MUST(again.bytes == first.bytes);
		MUST(again.records == first.records);
	}
	close(fd);
	return 0;
}
