/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks: a session's packet_type on a device, or on its whole namespace.
 */
#ifndef PTAP_HOOK_H
#define PTAP_HOOK_H

struct list_head;
struct ptap_session;

/* All sessions, under RTNL. */
extern struct list_head ptap_sessions;

int ptap_hook_attach_all(struct ptap_session *s);
void ptap_hook_detach_all(struct ptap_session *s);
int ptap_hook_init(void);
void ptap_hook_exit(void);
void ptap_hook_register(struct ptap_session *s);
void ptap_hook_unregister(struct ptap_session *s);

#endif /* PTAP_HOOK_H */
