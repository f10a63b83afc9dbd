/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of filter_test: filter_test.c what a filter decides, filter_swap.c
 * what happens while it is replaced.
 */
#ifndef PTAP_TEST_FILTER_H
#define PTAP_TEST_FILTER_H

/* filter_swap.c */
void swap_under_load(void);
void swap_under_load_cloned(void);
void swap_takes_effect(void);

#endif /* PTAP_TEST_FILTER_H */
