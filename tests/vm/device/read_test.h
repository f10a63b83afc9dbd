/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parts of read_test: read_test.c what read() gives out,
 * read_wait.c what it waits for and when it ends, read_format.c the
 * records, read_link.c what devices and directions make of a packet.
 */
#ifndef PTAP_TEST_READ_H
#define PTAP_TEST_READ_H

/* read_wait.c */
void wait_blocking(void);
void wait_nonblocking(void);
void wait_beside_a_sleeper(void);
void wait_interrupted(void);
void wait_restarted(void);
void wait_end_at_stop(void);
void wait_end_when_gone(void);
void wait_clock_set_back(void);
/* read_format.c */
void format_all(void);
void format_snaplen(void);
void format_meta(void);
void format_losses(void);
void format_all_cloned(void);
void format_none_cloned(void);
void format_clone_overflow(void);
void format_new_interface(void);
void format_large_frames(void);
void format_clock_tsc(void);
void format_clock_adapter(void);
/* read_link.c */
void link_directions(void);
void link_loopback(void);
void link_cooked_sll(void);
void link_cooked_sll2(void);
void link_cooked_snaplen(void);
void link_vlan_received(void);
void link_vlan_in_band(void);
void link_vlan_device(void);
void link_vlan_cooked(void);
void link_vlan_snaplen(void);
void link_tun(void);
void link_types(void);
void link_mixed(void);

#endif /* PTAP_TEST_READ_H */
