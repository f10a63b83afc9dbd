/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Devices by netlink, for tests that make them by the hundred: ip(8) costs more
 * than what it does.
 */
#ifndef PTAP_TEST_LINK_H
#define PTAP_TEST_LINK_H

/* A dummy device, up, and its end.  Return: 0 or -errno. */
int link_dummy(const char *name);
int link_delete(const char *name);
/* Up, as lo of a new namespace is not. */
int link_up(const char *name);

#endif /* PTAP_TEST_LINK_H */
