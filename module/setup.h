/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SETUP of a session.
 */
#ifndef PTAP_SETUP_H
#define PTAP_SETUP_H

#include <linux/types.h>

struct ptap_session;
struct ptap_setup;

int ptap_setup_session(struct ptap_session *s, const struct ptap_setup *arg,
		       u32 *list);
void ptap_setup_free_rings(struct ptap_session *s);

#endif /* PTAP_SETUP_H */
