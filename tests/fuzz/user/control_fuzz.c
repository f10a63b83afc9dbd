// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Messages of Wireshark's toolbar (extcap's control.c). */
#include "extcap.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static struct control c;
	char *filter;

	memset(&c, 0, sizeof(c));
	c.out = -1;
	c.in = file_of(data, len);
	while ((filter = control_next_filter(&c))) {
		MUST(strlen(filter) < sizeof(c.buf));
		free(filter);
	}
	MUST(c.len <= sizeof(c.buf));
	close(c.in);
	return 0;
}
