/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of ring_test: ring_test.c a reader that keeps to the contract,
 * ring_hostile.c one that does not, ring_fresh.c the memory that rings are made
 * of.
 */
#ifndef PTAP_TEST_RING_H
#define PTAP_TEST_RING_H

/* ring_hostile.c */
void hostile_values(void);
void hostile_scribbler(void);
void hostile_scribbler_cloned(void);
void hostile_whole_page(void);
/* ring_fresh.c */
void fresh_memory(void);

#endif /* PTAP_TEST_RING_H */
