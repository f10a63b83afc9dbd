/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeping and waking of a session's reader.
 */
#ifndef PTAP_WAKE_H
#define PTAP_WAKE_H

#include <linux/types.h>

struct ptap_ring;
struct ptap_session;

void ptap_wake_init(struct ptap_session *s);
void ptap_wake_exit(struct ptap_session *s);
void ptap_wake_start(struct ptap_session *s);
void ptap_wake_all(struct ptap_session *s);
bool ptap_wake_ready(struct ptap_session *s);
void ptap_wake_sleep(struct ptap_session *s);
void ptap_wake_kick(struct ptap_session *s, struct ptap_ring *r);

#endif /* PTAP_WAKE_H */
