/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of life_test: life_test.c devices that come, go and change,
 * life_session.c sessions, their owners and the module, life_stress.c
 * everything at once.
 */
#ifndef PTAP_TEST_LIFE_H
#define PTAP_TEST_LIFE_H

/* life_session.c */
void two_sessions(void);
void fifty_sessions(void);
void close_while_running(void);
void module_in_use(void);
void no_net_raw(void);
void user_namespace(void);
void user_namespace_allowed(void);
void passed_to_child(void);
/* life_stress.c */
void stress_calls(void);
void stress_devices(void);

#endif /* PTAP_TEST_LIFE_H */
