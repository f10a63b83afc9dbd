/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/net/ptap.
 */
#ifndef PTAP_PROC_H
#define PTAP_PROC_H

int ptap_proc_init(void);
void ptap_proc_exit(void);

#endif /* PTAP_PROC_H */
