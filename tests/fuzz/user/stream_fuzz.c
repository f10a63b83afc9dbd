// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* File bytes of read(), cut into headers and records (libptap's stream.c). */
#include "source.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct ptap_stream s;
	size_t total = 0;
	struct iovec iov;
	uint64_t nr;
	int fd, ret;

	if (!len)
		return 0;
	fd = file_of(data + 1, len - 1);
	MUST(!ptap_stream_init(&s, fd, data[0] % 3));
	while (ptap_stream_fill(&s) > 0) {
		ret = ptap_stream_headers(&s, &iov);
		if (ret < 0)
			break;
		if (ret)
			total += iov.iov_len;
		if (s.torn)
			continue;
		ret = ptap_stream_records(&s, 1 + data[0] / 3, &iov, &nr);
		if (ret < 0)
			break;
		if (ret) {
			MUST(nr && iov.iov_len);
			total += iov.iov_len;
		}
	}
	MUST(total <= len - 1);
	ptap_stream_exit(&s);
	close(fd);
	return 0;
}
