/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters, summed up for the user.
 */
#ifndef PTAP_STATS_H
#define PTAP_STATS_H

#include <linux/ptap.h>

struct ptap_session;

int ptap_stats_get(struct ptap_session *s, struct ptap_stats *stats);

#endif /* PTAP_STATS_H */
