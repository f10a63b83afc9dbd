/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of mmap_test: mmap_test.c what can be mapped and how, mmap_life.c
 * what a mapping does to the life of a session, mmap_abuse.c what nobody should
 * do with one.
 */
#ifndef PTAP_TEST_MMAP_H
#define PTAP_TEST_MMAP_H

#include <stdint.h>

/* Number of users of the module. */
int module_refcount(void);

/* mmap_life.c */
void read_or_mmap(void);
void mmap_in_states(void);
void mapping_survives_stop(void);
void mapping_survives_close(void);
void unmap_a_part(void);
void mapping_not_inherited(void);
void direct_io(void);
void pipe_from_ring(void);
/* mmap_abuse.c */
void mapping_abused(void);
void pages_outlive_session(void);

#endif /* PTAP_TEST_MMAP_H */
