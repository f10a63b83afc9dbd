/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sessions of /dev/tap as the tests use them: the system calls with their
 * success required, and the accounting that is checked at every test's end.
 */
#ifndef PTAP_TEST_SESSION_H
#define PTAP_TEST_SESSION_H

#include <stdint.h>
#include <linux/ptap.h>

/* A setup argument; only what a test is about needs to be said. */
#define SETUP(...)							\
	((struct ptap_setup){ .size = sizeof(struct ptap_setup), __VA_ARGS__ })
/* The same with copybreak said, also when it is 0. */
#define SETUP_COPYBREAK(n, ...)						\
	SETUP(.flags = PTAP_SETUP_COPYBREAK, .copybreak = (n), __VA_ARGS__)

int session_open(int flags);
/* Open read-write and set up, for one device, or for all with NULL. */
int session_setup(const char *dev, struct ptap_setup setup);
/* The same, and start. */
int session_start(const char *dev, struct ptap_setup setup);
void session_stop(int fd);

struct ptap_info session_info(int fd);
uint32_t session_state(int fd);
struct ptap_stats session_stats(int fd, uint32_t ring);
uint64_t session_drain(int fd);
uint64_t session_sync(int fd);
/* Wait, for some seconds at most, until so many packets have been seen. */
void session_wait_seen(int fd, uint64_t nr);

uint64_t stats_dropped(const struct ptap_stats *st);
/*
 * The session is stopped.  Check for each ring and for the sum that
 *	seen = captured + filtered + dropped
 *	captured = taken by the reader + left in the ring
 * where the reader counted what it took: @taken for each ring, or NULL for a
 * read() session, which the kernel counts for.  @left may be NULL for none.
 */
void session_account(int fd, const uint64_t *taken, const uint64_t *left);

/* Stops a session that is running; then the identity of each ring. */
void session_end(int fd);

/* BPF programs made of a few instructions */
struct sock_filter;
int session_filter(int fd, const struct sock_filter *insns, uint32_t nr);
int session_filter_remove(int fd);

#endif /* PTAP_TEST_SESSION_H */
