/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of race_test: race_test.c two calls against each other,
 * race_churn.c what comes and goes under traffic: devices, namespaces, CPUs,
 * the module.
 */
#ifndef PTAP_TEST_RACE_H
#define PTAP_TEST_RACE_H

/*
 * How often, where nothing else is said: @usual in make test, so many times
 * more with PTAP_RACES=N in the environment.
 */
unsigned int race_rounds(unsigned int usual);

/* race_churn.c */
void churn_devices(void);
void churn_namespaces(void);
void namespace_end(void);
void cpu_offline(void);
void module_reload(void);

#endif /* PTAP_TEST_RACE_H */
