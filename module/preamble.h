/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stands in the file before the records: headers and interfaces.
 */
#ifndef PTAP_PREAMBLE_H
#define PTAP_PREAMBLE_H

#include <linux/types.h>

struct ptap_session;

/**
 * struct ptap_preamble_buf - a made preamble
 * @data: kvfree() it; NULL if there is nothing
 * @len: its bytes
 * @nr_ifaces: the interfaces from first to this one, exclusive, are in it
 */
struct ptap_preamble_buf {
	u8 *data;
	u32 len;
	u32 nr_ifaces;
};

int ptap_preamble_make(struct ptap_session *s, bool header, u32 first_iface,
		       struct ptap_preamble_buf *buf);

#endif /* PTAP_PREAMBLE_H */
