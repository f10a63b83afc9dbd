/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of poll_test: poll_test.c what poll(), select() and epoll say and
 * when, poll_idle.c idle sessions and lost wake-ups.
 */
#ifndef PTAP_TEST_POLL_H
#define PTAP_TEST_POLL_H

/* poll_idle.c */
void idle_no_timers(void);
void idle_timer_list(void);
void idle_then_poll(void);
void idle_then_read(void);
void idle_while_awake(void);
void race_poll(void);
void race_poll_cloned(void);
void race_poll_watermark(void);
void race_read(void);
void race_read_watermark(void);
void race_read_cloned(void);
void race_epoll_edge(void);

#endif /* PTAP_TEST_POLL_H */
