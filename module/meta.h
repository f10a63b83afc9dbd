/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a packet's record tells beside the packet: options of the Enhanced
 * Packet Block, and counters of each interface (PTAP_META_*).
 *
 * Only for sessions that ask for it, whose records are never plain ones.
 */
#ifndef PTAP_META_H
#define PTAP_META_H

#include <linux/types.h>

struct ptap_config;
struct ptap_iface;
struct ptap_iface_info;
struct ptap_record;
struct ptap_ring;

/* All that a session can ask for. */
#define PTAP_META_ALL	(PTAP_META_FLAGS | PTAP_META_DROPCOUNT | \
			 PTAP_META_PACKETID | PTAP_META_QUEUE | \
			 PTAP_META_HASH | PTAP_META_COUNTS)

u32 ptap_meta_len(const struct ptap_config *cfg, const struct ptap_ring *r,
		  const struct ptap_record *rec);
void ptap_meta_write(const struct ptap_config *cfg, const struct ptap_ring *r,
		     const struct ptap_record *rec, u8 *dst);
void ptap_meta_captured(const struct ptap_ring *r,
			const struct ptap_record *rec);
void ptap_meta_dropped(const struct ptap_ring *r, const struct ptap_iface *i);
void ptap_meta_filtered(const struct ptap_ring *r, const struct ptap_iface *i);
int ptap_meta_alloc(const struct ptap_config *cfg, struct ptap_iface *i);
void ptap_meta_free(struct ptap_iface *i);
void ptap_meta_sum(const struct ptap_iface *i, struct ptap_iface_info *info);

#endif /* PTAP_META_H */
