/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of ioctl_test, and the table of commands that they share.
 */
#ifndef PTAP_TEST_IOCTL_H
#define PTAP_TEST_IOCTL_H

#include <stdint.h>

/**
 * struct command - a command that takes a structure
 * @name: for messages
 * @nr: PTAP_IOC_*
 * @size: size of the structure
 * @first: size of its first version
 * @outputs: it writes to its structure
 * @busy_in: states in which it says EBUSY, bits 1 << PTAP_STATE_*
 */
struct command {
	const char *name;
	unsigned long nr;
	uint32_t size;
	uint32_t first;
	bool outputs;
	uint32_t busy_in;
};

extern const struct command commands[];
extern const unsigned int nr_commands;

/* A valid argument for a command; @buf has room for 4096 bytes. */
void command_fill(const struct command *c, void *buf);
/* A session in this state, capturing the device d0, which is there. */
int session_in_state(uint32_t state);

/* ioctl_args.c */
void args_sizes(void);
void args_larger(void);
void args_pointers(void);
void args_outputs(void);
void args_reserved(void);
/* ioctl_setup.c */
void setup_values(void);
void setup_combinations(void);
void setup_interfaces(void);
void setup_many_interfaces(void);
void setup_memory(void);
void setup_defaults(void);
void setup_promisc_right(void);
void setup_failed_then_used(void);
void start_interface_gone(void);
/* ioctl_filter.c */
void filter_values(void);
void filter_bad_programs(void);
void filter_failed_keeps_old(void);
void iface_command(void);
void preamble_command(void);
void drain_and_stats_rings(void);

#endif /* PTAP_TEST_IOCTL_H */
